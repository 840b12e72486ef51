"""What happens to a scalable target: a pure plan, and what came of the changes that it asks for.

Alarms say that a variant is too small or too large, and scaling.py how many instances it is to
have. That is stored, as an activity; then the endpoint is asked for it, under the activity's id,
so that whatever dies meanwhile, nothing is scaled twice and nothing is forgotten. While a change of
the endpoint is under way nothing is decided.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlalchemy import Connection

from studio.api import (
    alarm_plan,
    scalable_targets,
    scaling,
    scaling_activities,
    scaling_alarms,
    scaling_policies,
    scaling_schedules,
)
from studio.api.metric_data import metric_of
from studio.api.scaling import Limits, Proposal
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.identity.principals import Principal, owner_of_home
from studio.metrics.rows import row
from studio.metrics.store import Batch
from studio.reconcile.steps import Call, Kind, Observed, Plan
from studio.settings import Settings

Perform = Callable[[Principal, Call], Doc]
"""Has a call answered for a principal; raises ApiError."""

Points = list[tuple[int, float, float]]
"""Datapoints of an alarm: their time (UTC milliseconds), their value, how many values it is of."""

_SETTLED = "InService"
_RESIZE, _FORGET = "UpdateEndpointWeightsAndCapacities", "DeregisterScalableTarget"
_COOLDOWN_SECONDS = 300
_BUSY_LOOK_MS, _LOOK_MS, _LONGEST_LOOK_MS = 1_000, 5_000, 30_000
_AFTER_FAILURE_MS = 60_000


def kind(settings: Settings, perform: Perform, clock: Callable[[], int]) -> Kind:
    """The behaviour of scalable targets, for the reconciler; `clock` tells UTC milliseconds."""
    # Whoever registered the target may resize its endpoint; the service acts on its own.
    principal = owner_of_home(settings.account, settings.role_name)

    def call(target: Resource, step: Call) -> Resource:
        try:
            perform(principal, step)
        except ApiError as error:
            if step.operation == _FORGET or "in-progress" in error.message:
                return target  # somebody was faster: it is looked at again
            return _failed(target, error.message, clock())
        return scaling_activities.asked(target) if step.operation == _RESIZE else target

    name = scalable_targets.NOUN.kind
    return Kind(name=name, plan=plan, prepare=None, call=call, informed=informed)


def informed(connection: Connection, target: Resource, now: int) -> Resource:
    """The target with how its endpoint and the alarms of its policies are."""
    endpoint = _endpoint(connection, target)
    idle = endpoint is None or endpoint["Status"] != _SETTLED or "Activity" in target.state
    found = [] if idle else [*_alarms(connection, target, now)]
    seen = {"Endpoint": endpoint, "Alarms": found}
    return replace(target, state={**target.state, "Seen": seen})


def plan(target: Resource, _observed: list[Observed], now: int) -> Plan:
    """What to do next for a scalable target."""
    state = dict(target.state)
    seen = state.pop("Seen")
    target, endpoint = replace(target, state=state), seen["Endpoint"]
    if endpoint is None:
        return Plan(target, (_forget(target),), _LOOK_MS)
    if "Activity" in state:
        return _pursued(target, endpoint, now)
    for name in sorted(state.get("Due", {}), key=lambda it: (state["Due"][it], it)):
        if state["Due"][name] <= now:
            return Plan(_limited(target, name, now), (), 0)
    if endpoint["Status"] != _SETTLED or endpoint["Count"] is None:
        return Plan(target, (), _look(target, [], now))
    if state.get("Bound"):
        return _bounded(target, endpoint["Count"], now)
    target = _noticed(target, endpoint["Count"], now)
    return _decided(target, endpoint, seen["Alarms"], now)


def _endpoint(connection: Connection, target: Resource) -> Doc | None:
    """The endpoint as far as it matters; None when it is gone, or is another one now."""
    endpoint = resources.get(connection, target.spec["EndpointId"])
    if endpoint is None or endpoint.deleted_at or endpoint.desired == "absent":
        return None
    _, name = scaling_alarms.place(target)
    variants = endpoint.state["Deployments"][-1]["Variants"]
    counts = [it.get("InitialInstanceCount", 1) for it in variants if it["VariantName"] == name]
    routes = [len(it["servers"]) for it in endpoint.state["Routes"] if it["name"] == name]
    return {
        "Status": endpoint.status,
        "Count": counts[0] if counts else None,
        "Serving": sum(routes),
        "Reason": endpoint.state.get("FailureReason"),
    }


def _alarms(connection: Connection, target: Resource, now: int) -> Iterator[Doc]:
    """Every alarm that may invoke a policy of the target, with its datapoints."""
    policies = target.spec["Policies"].values()
    tracking = [it for it in policies if it["PolicyType"] == scaling_policies.TRACKING]
    names = [name for it in tracking for name in scaling_alarms.names(target, it)]
    where = target.account, target.region, alarm_plan.KIND.name
    found = list(resources.named(connection, *where, names).values()) if names else []
    if len(tracking) < len(policies):
        # Anybody's alarm may name a step policy by its ARN; only the endpoint's owner's do it.
        every = resources.of_kind(connection, alarm_plan.KIND.name)
        found += [it for it in every if it.name not in names and it.owner == target.owner]
    for alarm in found:
        for policy in policies:
            if scaling_policies.invokes(alarm.spec, policy["PolicyARN"]):
                points = alarm_plan.informed(connection, alarm, now).state["Points"]
                yield {
                    "Policy": policy["PolicyName"],
                    "Name": alarm.name,
                    "State": alarm.status,
                    "Spec": alarm.spec,
                    "Points": points,
                }


def _pursued(target: Resource, endpoint: Doc, now: int) -> Plan:
    """Have the endpoint do what was decided, and see what became of it."""
    activity, count = target.state["Activity"], endpoint["Count"]
    if endpoint["Status"] != _SETTLED:
        return Plan(target, (), _BUSY_LOOK_MS)
    if not activity.get("Asked"):
        return Plan(target, (_resize(target, activity),), 0)
    if count == activity["To"]:
        return Plan(_scaled(target, activity, now), (), 0)
    if endpoint["Reason"]:
        return Plan(_failed(target, endpoint["Reason"], now), (), 0)
    return Plan(scaling_activities.overridden(target, count, now), (), 0)


def _scaled(target: Resource, activity: Doc, now: int) -> Resource:
    """The target behind a change: from now on the cooldowns of policies count."""
    target = scaling_activities.succeeded(target, now)
    state = {**target.state, "ChangedAt": now, "Count": activity["To"]}
    if activity["Policy"]:
        out = activity["To"] > activity["From"]
        state["Out" if out else "In"] = {"At": now, "From": activity["From"]}
    return replace(target, state=state)


def _failed(target: Resource, reason: str, now: int) -> Resource:
    target = scaling_activities.failed(target, reason, now)
    return replace(target, state={**target.state, "FailedAt": now})


def _limited(target: Resource, name: str, now: int) -> Resource:
    """The target behind a scheduled action; times that were missed are made up for once."""
    action, state = target.spec["Actions"][name], target.state
    dues = {**state["Due"], name: scaling_schedules.next_due(action, now)}
    dues = {each: due for each, due in dues.items() if due is not None}
    target = replace(target, state={**state, "Due": dues})
    if target.spec["SuspendedState"]["ScheduledScalingSuspended"]:
        return target
    given = action["ScalableTargetAction"]
    limits = {**{it: target.spec[it] for it in ("MinCapacity", "MaxCapacity")}, **given}
    if limits["MinCapacity"] > limits["MaxCapacity"]:
        # Only one of both is said, and it passes the other: that moves along.
        moved = "MaxCapacity" if "MinCapacity" in given else "MinCapacity"
        limits[moved] = limits["MinCapacity" if "MinCapacity" in given else "MaxCapacity"]
    target = replace(target, spec={**target.spec, **limits})
    target = scaling_activities.limited(target, name, given, now)
    return replace(target, state={**target.state, "Bound": scalable_targets.bound(given)})


def _bounded(target: Resource, count: int, now: int) -> Plan:
    """Bring the variant within limits that were set, whatever policies say or is suspended."""
    cause = target.state["Bound"]
    target = replace(target, state={**target.state, "Bound": ""})
    wanted = _limits(target).held(count)
    if wanted != count:
        target = scaling_activities.begun(target, cause, (count, wanted), now, "")
    return Plan(target, (), 0)


def _noticed(target: Resource, count: int, now: int) -> Resource:
    """The target that knows of a change that was not its own: a person's, or that a request has
    woken the variant."""
    known = target.state.get("Count")
    if known == count:
        return target
    changed = {} if known is None else {"ChangedAt": now}
    return replace(target, state={**target.state, "Count": count, **changed})


def _decided(target: Resource, endpoint: Doc, alarms: list[Doc], now: int) -> Plan:
    count: int = endpoint["Count"]
    zeros = tuple(_zeros(target, alarms, now))
    if zeros:
        target = replace(target, state={**target.state, "Idle": now})
    look = _look(target, alarms, now)
    if now - target.state.get("FailedAt", 0) < _AFTER_FAILURE_MS:
        return Plan(target, (), look, metrics=zeros)
    suspended = target.spec["SuspendedState"]
    outs = [] if suspended["DynamicScalingOutSuspended"] else _outs(target, count, alarms, now)
    # One that has just been woken, or whose servers start anew, is not made smaller meanwhile.
    held = suspended["DynamicScalingInSuspended"] or endpoint["Serving"] < count
    ins = [] if held else _ins(target, count, alarms, now)
    choice = scaling.chosen(count, _limits(target), outs, ins)
    if choice is None:
        return Plan(target, (), look, metrics=zeros)
    if choice.reason:
        return Plan(scaling_activities.not_scaled(target, choice, now), (), look, metrics=zeros)
    proposal, counts = choice.proposal, (count, choice.count)
    target = scaling_activities.begun(target, proposal.cause, counts, now, proposal.policy)
    return Plan(target, (), 0, metrics=zeros)


def _outs(target: Resource, count: int, alarms: list[Doc], now: int) -> list[Proposal]:
    """What policies want that find the variant too small."""
    found = []
    for policy, alarm, points in _fired(target, alarms):
        cold = _cold(target, policy, True, now)
        if policy["PolicyType"] == scaling_policies.STEP:
            # Within the cooldown what it added counts as part of a larger step.
            base = count if cold else target.state["Out"]["From"]
            wanted = _stepped(base, policy, alarm, points)
            if wanted is not None and wanted > (count if cold else max(base, count)):
                found.append(_proposal(policy, alarm, wanted))
        elif _is_high(target, policy, alarm) and points and cold:
            value, goal = points[-1][1], scaling_alarms.goal(target, policy)
            if value > goal:
                found.append(_proposal(policy, alarm, scaling.tracked(count, value, goal)))
    return [it for it in found if it.wanted > count]


def _ins(target: Resource, count: int, alarms: list[Doc], now: int) -> list[Proposal]:
    """What policies want that find it too large: those that track a target must all agree."""
    tracked: dict[str, Proposal] = {}
    steps: list[Proposal] = []
    for policy, alarm, points in _fired(target, alarms):
        if not _cold(target, policy, False, now):
            continue
        if policy["PolicyType"] == scaling_policies.STEP:
            wanted = _stepped(count, policy, alarm, points)
            if wanted is not None and wanted < count:
                steps.append(_proposal(policy, alarm, wanted))
        elif not _is_high(target, policy, alarm) and points:
            periods = alarm["Spec"]["EvaluationPeriods"]
            value = max(it[1] for it in points[-periods:])
            wanted = scaling.tracked(count, value, scaling_alarms.goal(target, policy))
            # To send all servers away takes as long without requests since the last change.
            wanted = wanted if len(points) >= periods else max(wanted, 1)
            tracked[policy["PolicyName"]] = _proposal(policy, alarm, wanted)
    agreed = [tracked.get(name) for name in _shrinking(target)]
    ready = [it for it in agreed if it is not None and it.wanted < count]
    return steps + (ready if len(ready) == len(agreed) else [])


def _shrinking(target: Resource) -> list[str]:
    """The policies that track a target and may scale in."""
    member = scaling_policies.CONFIGS[scaling_policies.TRACKING]
    policies = target.spec["Policies"].items()
    return [
        name
        for name, it in policies
        if member in it and not it[member].get("DisableScaleIn", False)
    ]


def _fired(target: Resource, alarms: list[Doc]) -> Iterator[tuple[Doc, Doc, Points]]:
    """Policies with an alarm that invokes them now, and its datapoints since the last change: older
    ones are of another number of instances."""
    actions = {"OK": "OKActions", "ALARM": "AlarmActions"}
    since = target.state.get("ChangedAt", 0)
    for alarm in alarms:
        policy = target.spec["Policies"].get(alarm["Policy"])
        spec, member = alarm["Spec"], actions.get(alarm["State"], "InsufficientDataActions")
        if policy is None or policy["PolicyARN"] not in spec.get(member, ()):
            continue
        if spec.get("ActionsEnabled", True):
            yield policy, alarm, [it for it in alarm["Points"] if it[0] >= since]


def _stepped(count: int, policy: Doc, alarm: Doc, points: Points) -> int | None:
    """How many instances a step policy wants. An alarm may fire for want of datapoints: then the
    metric counts as being at the threshold."""
    if not points and alarm["Points"]:
        return None  # all are of the time before the last change
    threshold = alarm["Spec"]["Threshold"]
    delta = points[-1][1] - threshold if points else 0.0
    return scaling.adjusted(count, policy[scaling_policies.CONFIGS[scaling_policies.STEP]], delta)


def _cold(target: Resource, policy: Doc, out: bool, now: int) -> bool:
    """Whether the cooldown of the policy is over. To scale in waits for both kinds of change."""
    config = policy[scaling_policies.CONFIGS[policy["PolicyType"]]]
    name = "ScaleOutCooldown" if out else "ScaleInCooldown"
    member = "Cooldown" if policy["PolicyType"] == scaling_policies.STEP else name
    last = [target.state[it]["At"] for it in ("Out", "In") if it in target.state]
    if out:
        last = [target.state["Out"]["At"]] if "Out" in target.state else []
    return bool(now - max(last, default=0) >= 1_000 * config.get(member, _COOLDOWN_SECONDS))


def _is_high(target: Resource, policy: Doc, alarm: Doc) -> bool:
    return bool(alarm["Name"] == scaling_alarms.names(target, policy)[0])


def _proposal(policy: Doc, alarm: Doc, wanted: int) -> Proposal:
    name = policy["PolicyName"]
    cause = f"monitor alarm {alarm['Name']} in state {alarm['State']} triggered policy {name}"
    return Proposal(name, cause, wanted)


def _zeros(target: Resource, alarms: list[Doc], now: int) -> Iterator[Batch]:
    """A nought for a period in which a variant was not asked: nobody counts what does not come."""
    metrics: set[str] = set()
    for alarm in alarms:
        spec, policy = alarm["Spec"], target.spec["Policies"][alarm["Policy"]]
        config = policy.get(scaling_policies.CONFIGS[scaling_policies.TRACKING], {})
        named = "PredefinedMetricSpecification" in config and spec["MetricName"] not in metrics
        if named and not _is_high(target, policy, alarm):
            metrics.add(spec["MetricName"])
            points: Points = alarm["Points"]
            at = alarm_plan.end_of(spec, now) - 1_000 * int(spec["Period"])
            if at not in [it[0] for it in points]:
                metric = metric_of((target.account, target.region), spec)
                yield Batch(replace(metric, owner=target.owner), "None", (row(at, 0.0),))


def _look(target: Resource, alarms: list[Doc], now: int) -> int:
    """Milliseconds until the next look: alarms are looked at as often as they look themselves."""
    looks = [alarm_plan.pause(it["Spec"]) for it in alarms]
    looks += [max(due - now, 0) for due in target.state.get("Due", {}).values()]
    return min([*looks, _LOOK_MS if target.spec["Policies"] else _LONGEST_LOOK_MS])


def _limits(target: Resource) -> Limits:
    return Limits(target.spec["MinCapacity"], target.spec["MaxCapacity"])


def _resize(target: Resource, activity: Doc) -> Call:
    endpoint, variant = scaling_alarms.place(target)
    wanted = [{"VariantName": variant, "DesiredInstanceCount": activity["To"]}]
    body = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": wanted}
    return Call("sagemaker", _RESIZE, "", json.dumps(body), activity["ActivityId"])


def _forget(target: Resource) -> Call:
    body = json.dumps(scalable_targets.named(target))
    return Call("application-autoscaling", _FORGET, "", body, f"{target.id} forgotten")
