"""Schedules of EventBridge's scheduler: the operations. What is due when is in schedule_plan.py."""

import json
import re
from dataclasses import replace

from studio.api import access, registry, schedule_times, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity import entities
from studio.wire import models, shapes

GROUP = "default"
"""The only group that there is."""

_SERVICES = ("sagemaker",)  # whose operations a schedule may start
_SERVICE = "scheduler.amazonaws.com"
_TARGET = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:([a-z0-9-]+):([a-zA-Z0-9]+)")
_ATTRIBUTE = re.compile(r"<aws\.scheduler\.([a-z-]+)>")
_TIMES = ("ScheduleExpression", "ScheduleExpressionTimezone", "StartDate")
_LAST_MOMENT = 7_000_000_000_000  # in the year 2191: calendars end soon after
_NOT_YET = {
    "DeadLetterConfig": "queues of SQS",
    "EcsParameters": "ECS",
    "EventBridgeParameters": "event buses",
    "KinesisParameters": "Kinesis",
    "SageMakerPipelineParameters": "pipelines",
    "SqsParameters": "SQS",
}


def _missing(it: Resource) -> ApiError:
    name = it.name.partition("/")[2]
    return ApiError("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)


def _taken(it: Resource) -> ApiError:
    name = it.name.partition("/")[2]
    return ApiError("ConflictException", f"Schedule {name} already exists.", 409)


NOUN = store.Noun(kind="schedule", missing=_missing, taken=_taken)


@operation("scheduler", "CreateSchedule")
def create_schedule(ctx: Context, request: Doc) -> Doc:
    spec = _spec(ctx, request)
    now = ctx.now()
    begun = _begun(spec, now, now - 1)
    made = store.create(ctx, NOUN, key(request), spec, **begun, arn=_arn(ctx, request))
    return {"ScheduleArn": made.arn}


@operation("scheduler", "GetSchedule")
def get_schedule(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, key(request)))


@operation("scheduler", "UpdateSchedule")
def update_schedule(ctx: Context, request: Doc) -> Doc:
    spec = _spec(ctx, request)

    def updated(it: Resource) -> Resource:
        """All members anew, as AWS has it; what became of it so far stays, and unless its times
        are others, it goes on with them: a pause is no new start."""
        if spec == it.spec:
            return it
        now = ctx.now()
        same = all(spec.get(name) == it.spec.get(name) for name in _TIMES)
        begun = _begun(spec, it.state["Anchor"] if same else now, now if same else now - 1)
        state = {**it.state, **begun.pop("state")}
        return replace(it, spec=spec, state=state, **begun)

    return {"ScheduleArn": store.change(ctx, NOUN, key(request), updated).arn}


@operation("scheduler", "DeleteSchedule")
def delete_schedule(ctx: Context, request: Doc) -> Doc:
    store.delete(ctx, NOUN, key(request))
    return {}


@operation("scheduler", "ListSchedules")
def list_schedules(ctx: Context, request: Doc) -> Doc:
    _group(request)
    prefix, state = request.get("NamePrefix", ""), request.get("State")
    behind, most = request.get("NextToken", ""), request.get("MaxResults", 100)
    found = [
        it
        for it in every(ctx)
        if it.spec["Name"].startswith(prefix) and state in (None, it.status)
        if it.spec["Name"] > behind
    ]
    page = found[:most]
    token = page[-1].spec["Name"] if len(found) > most else None
    return {"Schedules": [_summary(it) for it in page], "NextToken": token}


@operation("scheduler", "GetScheduleGroup")
def get_schedule_group(ctx: Context, request: Doc) -> Doc:
    _group({"GroupName": request["Name"]})
    return _default_group(ctx)


@operation("scheduler", "ListScheduleGroups")
def list_schedule_groups(ctx: Context, request: Doc) -> Doc:
    listed = GROUP.startswith(request.get("NamePrefix", ""))
    return {"ScheduleGroups": [_default_group(ctx)] if listed else []}


def every(ctx: Context) -> list[Resource]:
    """The schedules that the caller may see, by name."""
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    return sorted((it for it in found if access.reaches(ctx, it)), key=lambda it: it.name)


def key(request: Doc) -> str:
    """The name of the resource: that of the group, too. Raises ApiError."""
    return f"{_group(request)}/{request['Name']}"


def described(it: Resource) -> Doc:
    """As GetSchedule answers."""
    return {
        "ScheduleExpressionTimezone": "UTC",
        "ActionAfterCompletion": "NONE",
        **it.spec,
        "Arn": it.arn,
        "GroupName": GROUP,
        "State": it.status,
        "CreationDate": it.created_at,
        "LastModificationDate": it.modified_at,
    }


def times(spec: Doc, anchor: int) -> schedule_times.Times:
    """The times of a schedule; without a StartDate, a rate begins at `anchor` (UTC milliseconds).

    Raises ValidationException.
    """
    expression, zone = spec["ScheduleExpression"], spec.get("ScheduleExpressionTimezone", "UTC")
    try:
        return schedule_times.parse(expression, zone, spec.get("StartDate", anchor))
    except ValueError as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}: {error}.") from None


def next_due(spec: Doc, anchor: int, moment: int) -> int | None:
    """The first time of a schedule behind `moment`, unless its EndDate has come by then."""
    once = spec["ScheduleExpression"].strip().startswith("at(")
    since = moment if once else max(moment, spec.get("StartDate", 0) - 1)
    due = times(spec, anchor).after(since)
    end = None if once else spec.get("EndDate")
    return None if due is None or (end is not None and due >= end) else due


def target(arn: str) -> tuple[str, str]:
    """Service and operation of a universal target; ("", "") for another kind of target."""
    match = _TARGET.fullmatch(arn)
    return (match[1], match[2][:1].upper() + match[2][1:]) if match else ("", "")


def filled(text: str, values: dict[str, str]) -> str:
    """The input of a target with the context attributes `<aws.scheduler.NAME>` filled in."""
    return _ATTRIBUTE.sub(lambda match: values.get(match[1], match[0]), text)


def _spec(ctx: Context, request: Doc) -> Doc:
    """What is kept of a request that is right. Raises ApiError."""
    _group(request)
    dates = [request[name] for name in ("StartDate", "EndDate") if name in request]
    if any(not 0 <= date < _LAST_MOMENT for date in dates):
        raise ValidationException("StartDate and EndDate must lie between 1970 and 2190.")
    if next_due(request, ctx.now(), ctx.now()) is None and request.get("State") != "DISABLED":
        raise ValidationException(
            f"The schedule {request['ScheduleExpression']} is never due: all its times are past, "
            "or before its StartDate, or behind its EndDate."
        )
    _check_target(ctx, request["Target"])
    return {name: value for name, value in request.items() if name != "ClientToken"}


def _check_target(ctx: Context, given: Doc) -> None:
    for member, what in _NOT_YET.items():
        if given.get(member):
            raise ValidationException(f"Target.{member}: {what} are not executed here.")
    access.passed_role(ctx, given["RoleArn"], (_SERVICE, entities.SERVICE))
    service, name = target(given["Arn"])
    if service not in _SERVICES or registry.find(service, name) is None:
        raise ValidationException(
            f"The target {given['Arn']} is not executed here. Those that are start an operation "
            "of SageMaker: arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob, for one."
        )
    model = models.operation_model(service, name)
    example = {
        "attempt-number": "1",
        "execution-id": "0" * 16,
        "scheduled-time": "2026-01-01T00:00:00Z",
        "schedule-arn": "arn",
    }
    try:
        document = json.loads(filled(given.get("Input", "{}"), example))
    except (ValueError, RecursionError):
        raise ValidationException("Target.Input is not valid JSON.") from None
    if model is not None and model.input_shape is not None:
        shapes.load(model.input_shape, document)


def _begun(spec: Doc, anchor: int, moment: int) -> Doc:
    """Columns of a schedule whose times behind `moment` count."""
    due = next_due(spec, anchor, moment)
    status = spec.get("State", "ENABLED")
    state = {"Anchor": anchor, "Due": due, "Retry": None}
    return {"status": status, "state": state, "due_at": due if status == "ENABLED" else None}


def _group(request: Doc) -> str:
    name = request.get("GroupName", GROUP)
    if name != GROUP:
        text = f"Schedule group {name} does not exist. Here all schedules are of the group {GROUP}."
        raise ApiError("ResourceNotFoundException", text, 404)
    return GROUP


def _summary(it: Resource) -> Doc:
    return {**described(it), "Target": {"Arn": it.spec["Target"]["Arn"]}}


def _default_group(ctx: Context) -> Doc:
    place = f"{ctx.settings.region}:{ctx.settings.account}"
    arn = f"arn:aws:scheduler:{place}:schedule-group/{GROUP}"
    return {"Arn": arn, "Name": GROUP, "State": "ACTIVE"}


def _arn(ctx: Context, request: Doc) -> str:
    place = f"{ctx.settings.region}:{ctx.settings.account}"
    return f"arn:aws:scheduler:{place}:schedule/{GROUP}/{request['Name']}"
