"""How an endpoint scales by itself, as its page shows it."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from studio.api import (
    alarm_plan,
    alarms,
    endpoints,
    scalable_targets,
    scaling_activities,
    scaling_alarms,
    scaling_policies,
    store,
)
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource

_MOST_ACTIVITIES = 50


@operation("studio", "DescribeAutoscaling")
def describe_autoscaling(ctx: Context, request: Doc) -> Doc:
    """What of its targets the caller may see."""
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    seen = replace(ctx, action="application-autoscaling:DescribeScalableTargets")
    targets = scalable_targets.every(seen, {"ServiceNamespace": scalable_targets.NAMESPACE})
    mine = [it for it in targets if it.spec["EndpointId"] == endpoint.id]
    with ctx.db.read() as connection:
        found = [_variant(ctx, connection, endpoint, each) for each in mine]
    return {"EndpointName": endpoint.name, "Variants": found}


def _variant(ctx: Context, connection: Connection, endpoint: Resource, target: Resource) -> Doc:
    _, name = scaling_alarms.place(target)
    variants = endpoint.state["Deployments"][-1]["Variants"]
    counts = [it.get("InitialInstanceCount", 1) for it in variants if it["VariantName"] == name]
    spec, suspended = target.spec, target.spec["SuspendedState"]
    return {
        "VariantName": name,
        "ScalableTargetARN": target.arn,
        "MinCapacity": spec["MinCapacity"],
        "MaxCapacity": spec["MaxCapacity"],
        "Capacity": counts[0] if counts else 0,
        "PeriodSeconds": scaling_alarms.tagged_period(target) or 60,
        "SuspendedIn": suspended["DynamicScalingInSuspended"],
        "SuspendedOut": suspended["DynamicScalingOutSuspended"],
        "SuspendedSchedules": suspended["ScheduledScalingSuspended"],
        "Policies": [
            _policy(ctx, connection, target, it) for _, it in sorted(spec["Policies"].items())
        ],
        "Actions": [_action(target, it) for _, it in sorted(spec["Actions"].items())],
        "Activities": list(_activities(target)),
    }


def _policy(ctx: Context, connection: Connection, target: Resource, policy: Doc) -> Doc:
    kind = policy["PolicyType"]
    config = policy[scaling_policies.CONFIGS[kind]]
    named = scaling_policies.described(ctx, target, policy)["Alarms"]
    where = target.account, target.region, alarms.NOUN.kind
    names = [it["AlarmName"] for it in named]
    known = resources.named(connection, *where, names) if names else {}
    shown = {
        "PolicyName": policy["PolicyName"],
        "PolicyType": kind,
        "Alarms": [
            {"AlarmName": it.name, "State": it.status, "Reason": it.state["Reason"]}
            for _, it in sorted(known.items())
        ],
    }
    if kind == scaling_policies.STEP:
        steps = {
            "AdjustmentType": config["AdjustmentType"],
            "Steps": len(config["StepAdjustments"]),
        }
        return {**shown, **steps, "ScaleOutCooldown": config.get("Cooldown")}
    metric = scaling_alarms.metric_of(target, policy)
    return {
        **shown,
        **{member: metric[member] for member in ("Namespace", "MetricName", "Statistic")},
        **{
            member: config.get(member)
            for member in ("TargetValue", "ScaleOutCooldown", "ScaleInCooldown", "DisableScaleIn")
        },
        "Value": _value(ctx, connection, target, policy, known),
    }


def _value(
    ctx: Context,
    connection: Connection,
    target: Resource,
    policy: Doc,
    known: dict[str, Resource],
) -> float | None:
    """Of the last period, as the target is said: a number of requests is one of a minute."""
    alarm = known.get(scaling_alarms.names(target, policy)[0])
    if alarm is None:
        return None
    points = alarm_plan.informed(connection, alarm, ctx.now()).state["Points"]
    goal = scaling_alarms.goal(target, policy)
    wanted = policy[scaling_policies.CONFIGS[scaling_policies.TRACKING]]["TargetValue"]
    return float(points[-1][1] * wanted / goal) if points else None


def _action(target: Resource, action: Doc) -> Doc:
    return {
        "ScheduledActionName": action["ScheduledActionName"],
        "Schedule": action["Schedule"],
        "Timezone": action.get("Timezone", "UTC"),
        **action["ScalableTargetAction"],
        "NextTime": target.state.get("Due", {}).get(action["ScheduledActionName"]),
    }


def _activities(target: Resource) -> Iterator[Doc]:
    for each in reversed(scaling_activities.of(target)[-_MOST_ACTIVITIES:]):
        reasons = [it["Code"] for it in each.get("NotScaledReasons", [])]
        told = ("ActivityId", "Description", "Cause", "StatusCode", "StatusMessage")
        yield {
            **{member: each[member] for member in told},
            "StartTime": each["StartTime"],
            "EndTime": each.get("EndTime"),
            "FromCapacity": each.get("From"),
            "ToCapacity": each.get("To"),
            "NotScaledReason": reasons[0] if reasons else None,
        }
