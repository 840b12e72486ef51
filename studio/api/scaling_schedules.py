"""Scheduled actions of scalable targets: new limits at a time, or again and again.

They live in the `spec` of their target; when each is due next is in its `state["Due"]`.
"""

import uuid
from dataclasses import replace

from studio.api import scalable_targets, schedules, store
from studio.api.registry import Context, operation
from studio.api.scalable_targets import NAMESPACE, NOUN
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException

_MOST = 200
_KEPT = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


@operation("application-autoscaling", "PutScheduledAction")
def put_scheduled_action(ctx: Context, request: Doc) -> Doc:
    """What is not said of an action that there is stays as it is."""
    name = request["ScheduledActionName"]
    target_name, now = scalable_targets.key(request), ctx.now()
    if store.find(ctx, NOUN, target_name) is None:
        raise ApiError("ObjectNotFoundException", scalable_targets.unregistered(request))

    def put(target: Resource) -> Resource:
        actions = target.spec["Actions"]
        if name not in actions and len(actions) >= _MOST:
            text = f"A scalable target has at most {_MOST} scheduled actions"
            raise ApiError("LimitExceededException", text)
        action = {**(actions.get(name) or _begun(target, name, now))}
        action |= {it: request[it] for it in _KEPT if it in request}
        _check(action)
        due = next_due(action, now)
        if due is None:
            raise ValidationException(f"The schedule {action['Schedule']} is never due")
        dues = {**target.state.get("Due", {}), name: due}
        spec = {**target.spec, "Actions": {**actions, name: action}}
        return replace(target, spec=spec, state={**target.state, "Due": dues}, due_at=now)

    scalable_targets.changed(ctx, target_name, put)
    return {}


@operation("application-autoscaling", "DeleteScheduledAction")
def delete_scheduled_action(ctx: Context, request: Doc) -> Doc:
    name = request["ScheduledActionName"]

    def deleted(target: Resource) -> Resource:
        actions, dues = dict(target.spec["Actions"]), dict(target.state.get("Due", {}))
        if actions.pop(name, None) is None:
            place = f"service namespace: {NAMESPACE}, resource ID: {request['ResourceId']}"
            text = f"No scheduled action found for {place}, scheduled action name: {name}"
            raise ApiError("ObjectNotFoundException", text)
        dues.pop(name, None)
        spec, state = {**target.spec, "Actions": actions}, {**target.state, "Due": dues}
        return replace(target, spec=spec, state=state)

    scalable_targets.changed(ctx, scalable_targets.key(request), deleted)
    return {}


@operation("application-autoscaling", "DescribeScheduledActions")
def describe_scheduled_actions(ctx: Context, request: Doc) -> Doc:
    wanted = request.get("ScheduledActionNames")
    found = [
        (f"{target.name} {name}", described(target, action))
        for target in scalable_targets.every(ctx, request)
        for name, action in sorted(target.spec["Actions"].items())
        if not wanted or name in wanted
    ]
    members = ("ServiceNamespace", "ScheduledActionNames", "ResourceId", "ScalableDimension")
    return scalable_targets.page(request, members, found, "ScheduledActions")


def described(target: Resource, action: Doc) -> Doc:
    """As DescribeScheduledActions answers."""
    return {**scalable_targets.named(target), **action}


def next_due(action: Doc, moment: int) -> int | None:
    """The first time of an action behind `moment` (UTC milliseconds), or None.

    Raises ValidationException.
    """
    spec = {
        "ScheduleExpression": action["Schedule"],
        "ScheduleExpressionTimezone": action.get("Timezone", "UTC"),
    }
    spec |= {"StartDate": action["StartTime"]} if "StartTime" in action else {}
    spec |= {"EndDate": action["EndTime"]} if "EndTime" in action else {}
    return schedules.next_due(spec, action["CreationTime"], moment)


def _begun(target: Resource, name: str, now: int) -> Doc:
    place = f"{target.region}:{target.account}:scheduledAction:{uuid.uuid4()}"
    resource = f"resource/{NAMESPACE}/{target.spec['ResourceId']}"
    arn = f"arn:aws:autoscaling:{place}:{resource}:scheduledActionName/{name}"
    return {"ScheduledActionName": name, "ScheduledActionARN": arn, "CreationTime": now}


def _check(action: Doc) -> None:
    if "Schedule" not in action:
        raise ValidationException("Schedule is required")
    limits = action.get("ScalableTargetAction", {})
    if not limits.keys() & {"MinCapacity", "MaxCapacity"}:
        text = "ScalableTargetAction needs MinCapacity, MaxCapacity or both"
        raise ValidationException(text)
    scalable_targets.check_limits({"MinCapacity": 0, "MaxCapacity": 1_000, **limits})
