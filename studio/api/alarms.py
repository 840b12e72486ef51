"""CloudWatch's alarms on metrics: the operations. When one changes its state is in alarm_plan.py.

Of actions topics are told (alarm_actions), and scaling policies are carried out by those who have
them. All others are kept and shown.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from studio.api import access, alarm_plan, store
from studio.api.alarm_plan import INSUFFICIENT
from studio.api.metric_data import checked, metric_of
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.metrics import statistics

_MOST_SHOWN = 100
_DAY_SECONDS = 86_400
_PERIODS = (10, 20, 30)
_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_REQUIRED = ("Namespace", "Period", "Threshold", "ComparisonOperator", "EvaluationPeriods")
_NOT_YET = ("Metrics", "ThresholdMetricId", "EvaluationWindow", "EvaluationCriteria")


def _missing(it: Resource) -> ApiError:
    return ApiError("ResourceNotFound", f"Unknown alarm {it.name}.", 404)


def _taken(it: Resource) -> ApiError:
    return ApiError("ValidationError", f"The alarm {it.name} exists, and is somebody else's.")


NOUN = store.Noun(kind=alarm_plan.KIND.name, missing=_missing, taken=_taken)


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(ctx: Context, request: Doc) -> Doc:
    """A changed alarm keeps its state until it is looked at."""
    _check(ctx, request)
    name, spec = request["AlarmName"], {k: v for k, v in request.items() if k != "Tags"}
    if store.find(ctx, NOUN, name) is None:
        new = begun(ctx, spec)
        columns: Doc = {"status": new.status, "state": new.state, "arn": new.arn}
        store.create(ctx, NOUN, name, request, due_at=ctx.now(), **columns)
        return {}

    store.change(ctx, NOUN, name, lambda alarm: altered(ctx, alarm, spec))
    return {}


@operation("cloudwatch", "DeleteAlarms")
def delete_alarms(ctx: Context, request: Doc) -> Doc:
    """As CloudWatch does it, names of no alarm are passed over."""
    for alarm in _named(ctx, request["AlarmNames"]):
        store.delete(ctx, NOUN, alarm.name)
    return {}


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(ctx: Context, request: Doc) -> Doc:
    if "AlarmNames" in request and "AlarmNamePrefix" in request:
        raise _refused("AlarmNamePrefix and AlarmNames are mutually exclusive.")
    if "MetricAlarm" not in request.get("AlarmTypes", ["MetricAlarm"]):
        return {"MetricAlarms": [], "CompositeAlarms": []}
    token = checked(request, ("AlarmNames", "AlarmNamePrefix", "StateValue", "ActionPrefix"))
    names = request.get("AlarmNames")
    found = _named(ctx, names) if names else every(ctx)
    kept = [it for it in found if it.name > token.position and _meets(it, request)]
    page = kept[: request.get("MaxRecords", _MOST_SHOWN)]
    return {
        "MetricAlarms": [described(it) for it in page],
        "CompositeAlarms": [],
        "NextToken": token.next(page[-1].name) if len(kept) > len(page) else None,
    }


@operation("cloudwatch", "DescribeAlarmsForMetric")
def describe_alarms_for_metric(ctx: Context, request: Doc) -> Doc:
    scope = ctx.settings.account, ctx.settings.region
    metric = metric_of(scope, request)
    same = ("Statistic", "ExtendedStatistic", "Period", "Unit")
    found = [
        described(it)
        for it in every(ctx)
        if metric_of(scope, it.spec) == metric
        if all(request.get(name) in (None, it.spec.get(name)) for name in same)
    ]
    return {"MetricAlarms": found}


@operation("cloudwatch", "DescribeAlarmHistory")
def describe_alarm_history(ctx: Context, request: Doc) -> Doc:
    """The last hundred items of each alarm that there is."""
    token = checked(request, ("AlarmName", "HistoryItemType", "StartDate", "EndDate", "ScanBy"))
    name = request.get("AlarmName")
    found = [] if "MetricAlarm" not in request.get("AlarmTypes", ["MetricAlarm"]) else every(ctx)
    items = [
        {"AlarmName": it.name, "AlarmType": "MetricAlarm", **item}
        for it in found
        if name in (None, it.name)
        for item in it.state.get("History", [])
        if request.get("HistoryItemType") in (None, item["HistoryItemType"])
        if request.get("StartDate", 0) <= item["Timestamp"] <= request.get("EndDate", 2**62)
    ]
    backwards = request.get("ScanBy") != "TimestampAscending"
    items.sort(key=lambda item: item["Timestamp"], reverse=backwards)
    first = int(token.position) if token.position.isdecimal() else 0
    last = first + request.get("MaxRecords", _MOST_SHOWN)
    more = token.next(str(last)) if last < len(items) else None
    return {"AlarmHistoryItems": items[first:last], "NextToken": more}


@operation("cloudwatch", "SetAlarmState")
def set_alarm_state(ctx: Context, request: Doc) -> Doc:
    """Until the alarm is looked at the next time."""
    data = request.get("StateReasonData", "")
    try:
        given = isinstance(json.loads(data or "{}"), dict)
    except ValueError:
        given = False
    if not given:
        raise ApiError("InvalidFormat", "StateReasonData was not valid JSON.")

    def put(alarm: Resource) -> Resource:
        now, state = ctx.now(), request["StateValue"]
        alarm = alarm_plan.changed(alarm, state, request["StateReason"], data, now)
        until = now + max(alarm_plan.pause(alarm.spec), 10_000)
        return replace(alarm, state={**alarm.state, "SetUntil": until})

    store.change(ctx, NOUN, request["AlarmName"], put)
    return {}


@operation("cloudwatch", "EnableAlarmActions")
def enable_alarm_actions(ctx: Context, request: Doc) -> Doc:
    return _enabled(ctx, request["AlarmNames"], True)


@operation("cloudwatch", "DisableAlarmActions")
def disable_alarm_actions(ctx: Context, request: Doc) -> Doc:
    return _enabled(ctx, request["AlarmNames"], False)


def every(ctx: Context) -> list[Resource]:
    """The alarms that the caller may see, by name."""
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    return sorted((it for it in found if access.reaches(ctx, it)), key=lambda it: it.name)


def described(alarm: Resource) -> Doc:
    """As DescribeAlarms answers."""
    state = alarm.state
    return {
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Dimensions": [],
        **alarm.spec,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": state["ConfiguredAt"],
        "StateValue": alarm.status,
        "StateReason": state["Reason"],
        "StateReasonData": state["ReasonData"] or None,
        "StateUpdatedTimestamp": state["UpdatedAt"],
        "StateTransitionedTimestamp": state["TransitionedAt"],
    }


def begun(ctx: Context, spec: Doc) -> Resource:
    """A new alarm, which nobody has looked at."""
    settings, now = ctx.settings, ctx.now()
    place = f"{settings.region}:{settings.account}"
    arn = f"arn:aws:cloudwatch:{place}:alarm:{spec['AlarmName']}"
    state = {
        "Reason": "Unchecked: Initial alarm creation",
        "ReasonData": "",
        "UpdatedAt": now,
        "TransitionedAt": now,
    }
    scope = settings.account, settings.region, NOUN.kind, spec["AlarmName"], arn
    made = Resource(*scope, INSUFFICIENT, spec, now, now, state)
    return _configured(made, now, f'Alarm "{made.name}" created')


def altered(ctx: Context, alarm: Resource, spec: Doc) -> Resource:
    """The alarm as it is described anew, in the state that it has."""
    text = f'Alarm "{alarm.name}" updated'
    return _configured(replace(alarm, spec=spec), ctx.now(), text)


def known(ctx: Context, names: Iterable[str]) -> list[str]:
    """Those of the names that are of alarms the caller may see."""
    return [it.name for it in _named(ctx, list(names))]


def _named(ctx: Context, names: list[str]) -> list[Resource]:
    """The alarms of these names that the caller may see, by name."""
    settings = ctx.settings
    with ctx.db.read() as connection:
        found = resources.named(
            connection, settings.account, settings.region, NOUN.kind, sorted(set(names))
        )
    reached = (it for it in found.values() if access.reaches(ctx, it))
    return sorted(reached, key=lambda it: it.name)


def _meets(alarm: Resource, request: Doc) -> bool:
    prefix, actions = request.get("AlarmNamePrefix", ""), request.get("ActionPrefix", "")
    kinds = ("OKActions", "AlarmActions", "InsufficientDataActions")
    mine = [action for kind in kinds for action in alarm.spec.get(kind, ())]
    return (
        alarm.name.startswith(prefix)
        and request.get("StateValue") in (None, alarm.status)
        and (not actions or any(it.startswith(actions) for it in mine))
    )


def _enabled(ctx: Context, names: list[str], enabled: bool) -> Doc:
    for alarm in _named(ctx, names):
        store.change(
            ctx,
            NOUN,
            alarm.name,
            lambda it: replace(it, spec={**it.spec, "ActionsEnabled": enabled}),
        )
    return {}


def _configured(alarm: Resource, now: int, text: str) -> Resource:
    item = {"Timestamp": now, "HistoryItemType": "ConfigurationUpdate", "HistorySummary": text}
    alarm = alarm_plan.noted(alarm, {**item, "HistoryData": json.dumps({"version": "1.0"})})
    return replace(alarm, state={**alarm.state, "ConfiguredAt": now})


def _check(ctx: Context, request: Doc) -> None:
    for member in _NOT_YET:
        if member in request:
            raise _refused(f"Studio does not execute {member} of alarms yet.")
    for member in _REQUIRED:
        if member not in request:
            raise ApiError("MissingParameter", f"The parameter {member} is required.")
    metric_of((ctx.settings.account, ctx.settings.region), request)
    _check_statistic(request)
    if request["ComparisonOperator"] not in alarm_plan.OPERATORS:
        raise _refused("Studio does not execute alarms on anomaly detection bands yet.")
    period, periods = request["Period"], request["EvaluationPeriods"]
    if period not in _PERIODS and (period % 60 or not period):
        raise _refused("Period must be 10, 20, 30 or a multiple of 60.")
    if period * periods > _DAY_SECONDS:
        raise _refused(
            "Metrics cannot be checked across more than a day "
            "(EvaluationPeriods * Period must be <= 86400)."
        )
    if request.get("DatapointsToAlarm", 1) > periods:
        raise _refused("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    if request.get("TreatMissingData", "missing") not in _MISSING:
        raise _refused(f"TreatMissingData must be one of {', '.join(_MISSING)}.")


def _check_statistic(request: Doc) -> None:
    given = [it for it in ("Statistic", "ExtendedStatistic") if it in request]
    if len(given) != 1:
        raise _refused("Exactly one of Statistic and ExtendedStatistic must be specified.")
    extended, low = request.get("ExtendedStatistic"), "EvaluateLowSampleCountPercentile"
    if extended is not None and not statistics.is_percentile(extended):
        text = f"The value {extended[:64]} for parameter ExtendedStatistic is not supported."
        raise ApiError("InvalidParameterValue", text)
    if request.get(low, "evaluate") not in ("evaluate", "ignore"):
        raise _refused(
            f"Option {request[low][:64]} is not supported. Supported options for parameter {low} "
            "are evaluate and ignore."
        )
    if low in request and extended is None:
        raise _refused(f"{low} is for alarms with an ExtendedStatistic.")


def _refused(text: str) -> ApiError:
    return ApiError("ValidationError", text)
