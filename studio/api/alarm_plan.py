"""When an alarm changes its state: a pure function of its datapoints, as CloudWatch has it.

A datapoint is a statistic of a metric over a period that is over. The last `EvaluationPeriods` that
exist are looked at, in a range that is somewhat longer: values may be late, or missing.
"""

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from studio.api import alarm_actions
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.identity.principals import Principal, owner_of_home, user
from studio.metrics import statistics
from studio.metrics import store as metrics
from studio.metrics.rows import Row
from studio.metrics.store import Metric
from studio.reconcile.steps import Call, Kind, Observed, Plan
from studio.settings import Settings

OPERATORS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", operator.ge),
    "GreaterThanThreshold": ("greater than", operator.gt),
    "LessThanThreshold": ("less than", operator.lt),
    "LessThanOrEqualToThreshold": ("less than or equal to", operator.le),
}
"""Those that compare with a threshold: in words, and as functions."""

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

# Routers write what they counted every two seconds, and it is collected every three.
_LATE_MS = 6_000
_SHORTEST_LOOK_MS, _LONGEST_LOOK_MS = 3_000, 60_000
_MORE_PERIODS = 2
_MOST_HISTORY = 100
_SHOWN = 5


@dataclass(frozen=True)
class Point:
    """A datapoint; `at` is the beginning of its period (UTC milliseconds)."""

    at: int
    value: float
    count: float


@dataclass(frozen=True)
class Verdict:
    state: str
    """Empty: as it was."""
    reason: str = ""


def plan(alarm: Resource, _observed: list[Observed], now: int) -> Plan:
    """Look at its datapoints, which are in `state["Points"]`."""
    state = dict(alarm.state)
    points = [Point(*it) for it in state.pop("Points", ())]
    notices = state.pop("Notices", ())
    alarm = replace(alarm, state=state)
    look = pause(alarm.spec)
    if notices:
        return Plan(alarm, tuple(map(alarm_actions.call, notices)), 0)
    if now < state.get("SetUntil", 0):
        return Plan(alarm, (), min(look, state["SetUntil"] - now))
    found = verdict(alarm.spec, points, end_of(alarm.spec, now))
    if found.state and found.state != alarm.status:
        alarm = changed(alarm, found.state, found.reason, _data(alarm.spec, points, now), now)
        if "Notices" in alarm.state:
            # They are stored first: a repeated look would tell of another moment.
            return Plan(alarm, (), 0)
    return Plan(alarm, (), look)


def pause(spec: Doc) -> int:
    """Milliseconds between two looks: a sixth of its period, within bounds."""
    sixth = 1_000 * int(spec["Period"]) // 6
    return min(max(sixth, _SHORTEST_LOOK_MS), _LONGEST_LOOK_MS)


def informed(connection: Connection, alarm: Resource, now: int) -> Resource:
    """The alarm with its datapoints."""
    spec, length = alarm.spec, 1_000 * alarm.spec["Period"]
    end = end_of(spec, now)
    start = end - (spec["EvaluationPeriods"] + _MORE_PERIODS) * length
    dimensions = sorted((it["Name"], it["Value"]) for it in spec.get("Dimensions", ()))
    place = alarm.account, alarm.region, spec["Namespace"], spec["MetricName"]
    metric = Metric(*place, tuple(dimensions), alarm.owner)
    # The owner of the home has everybody's values.
    whose = [metric] if alarm.owner else metrics.owners(connection, metric)
    rows: list[Row] = []
    for each in whose:
        found = metrics.read(connection, each, start, end)
        kept = [found.get(spec["Unit"], [])] if "Unit" in spec else found.values()
        rows += [row for those in kept for row in those]
    points = [
        (at, value, sum(row.weight for row in mine))
        for at, mine in statistics.periods(rows, 0, length).items()
        if (value := statistics.value(statistic(spec), mine)) is not None
    ]
    return replace(alarm, state={**alarm.state, "Points": points})


def end_of(spec: Doc, now: int) -> int:
    """The end of the last period of which all values are there."""
    length = 1_000 * int(spec["Period"])
    return (now - _LATE_MS) // length * length


def statistic(spec: Doc) -> str:
    """The one that the alarm looks at: Average, or p99."""
    return str(spec.get("Statistic") or spec["ExtendedStatistic"])


def verdict(spec: Doc, points: list[Point], end: int) -> Verdict:
    """The state that these datapoints, which are in order of time, mean; `end` is that of the last
    period."""
    wanted: int = spec["EvaluationPeriods"]
    needed: int = spec.get("DatapointsToAlarm", wanted)
    missing = spec.get("TreatMissingData", "missing")
    real = points[-wanted:]
    if not real:
        return _of_nothing(missing, wanted)
    if _too_few(spec, real[-1]):
        return Verdict("")
    breaching = [it for it in real if _breaches(spec, it.value)]
    lacking = wanted - len(real)
    if len(breaching) + (lacking if missing == "breaching" else 0) >= needed:
        return Verdict(ALARM, _crossed(spec, breaching or real, True))
    if missing in ("missing", "ignore") and lacking and len(breaching) == len(real):
        age = (end - real[0].at) // (1_000 * spec["Period"])
        if missing == "missing" and age >= needed:
            return Verdict(ALARM, _crossed(spec, breaching, True))
        return Verdict("")
    return Verdict(OK, _crossed(spec, [it for it in real if it not in breaching] or real, False))


def changed(alarm: Resource, state: str, reason: str, data: str, now: int) -> Resource:
    """The alarm in another state, of which its history tells. The topics that its actions name are
    to be told: `state["Notices"]`."""
    before = {
        "stateValue": alarm.status,
        "stateReason": alarm.state.get("Reason", ""),
        **_parsed(alarm.state.get("ReasonData", "")),
    }
    after = {"stateValue": state, "stateReason": reason, **_parsed(data)}
    item = {
        "Timestamp": now,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {alarm.status} to {state}",
        "HistoryData": json.dumps({"version": "1.0", "oldState": before, "newState": after}),
    }
    told = {"Reason": reason, "ReasonData": data, "UpdatedAt": now, "TransitionedAt": now}
    was, alarm = alarm.status, noted(alarm, item)
    alarm = replace(alarm, status=state, modified_at=now, state={**alarm.state, **told})
    notices = alarm_actions.notices(alarm, was) if state != was else []
    if not notices:
        return alarm
    untold = [*alarm.state.get("Notices", []), *notices]
    return replace(alarm, state={**alarm.state, "Notices": untold})


def noted(alarm: Resource, item: Doc) -> Resource:
    """The alarm with one more item in its history."""
    history = [*alarm.state.get("History", []), item][-_MOST_HISTORY:]
    return replace(alarm, state={**alarm.state, "History": history})


def _of_nothing(missing: str, wanted: int) -> Verdict:
    number = f"{wanted} datapoint{'s were' if wanted > 1 else ' was'} unknown"
    if missing == "ignore":
        return Verdict("")
    if missing == "missing":
        return Verdict(INSUFFICIENT, f"Insufficient Data: {number}.")
    state, treated = (ALARM, "[Breaching]") if missing == "breaching" else (OK, "[NonBreaching]")
    text = f"no datapoints were received for {wanted} period{'s' if wanted > 1 else ''}"
    return Verdict(state, f"Threshold Crossed: {text} and missing ones are treated as {treated}.")


def _breaches(spec: Doc, value: float) -> bool:
    return OPERATORS[spec["ComparisonOperator"]][1](value, spec["Threshold"])


def _too_few(spec: Doc, point: Point) -> bool:
    """Whether a percentile means nothing of so few values, and that was not to count."""
    if spec.get("EvaluateLowSampleCountPercentile") != "ignore" or "ExtendedStatistic" not in spec:
        return False
    part = float(spec["ExtendedStatistic"][1:]) / 100
    return point.count < 10 / max(1 - part, 1e-9)


def _crossed(spec: Doc, points: list[Point], breaching: bool) -> str:
    words = OPERATORS[spec["ComparisonOperator"]][0]
    shown = ", ".join(f"{it.value!r} ({_clock(it.at)})" for it in reversed(points[-_SHOWN:]))
    number = f"{len(points)} datapoint{'s' if len(points) > 1 else ''}"
    verb = ("were" if len(points) > 1 else "was") + ("" if breaching else " not")
    return (
        f"Threshold Crossed: {number} [{shown}] {verb} {words} the threshold "
        f"({float(spec['Threshold'])!r})."
    )


def _clock(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%d/%m/%y %H:%M:%S")


def _data(spec: Doc, points: list[Point], now: int) -> str:
    """StateReasonData, which programs read."""
    document = {
        "version": "1.0",
        "queryDate": _written(now),
        **({"startDate": _written(points[0].at)} if points else {}),
        "statistic": statistic(spec),
        "period": spec["Period"],
        "recentDatapoints": [it.value for it in points],
        "threshold": spec["Threshold"],
    }
    return json.dumps(document)


def _written(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _parsed(data: str) -> Doc:
    return {"stateReasonData": json.loads(data)} if data else {}


KIND = Kind(name="alarm", plan=plan, prepare=None, informed=informed)


def kind(
    settings: Settings, perform: Callable[[Principal, Call], Doc], clock: Callable[[], int]
) -> Kind:
    """KIND, with topics that are told; `clock` tells UTC milliseconds."""

    def call(alarm: Resource, step: Call) -> Resource:
        owner, account = alarm.owner, settings.account
        mine = user(account, owner) if owner else owner_of_home(account, settings.role_name)
        failure = ""
        try:
            perform(mine, step)
        except ApiError as error:
            failure = error.message
        return _acted(alarm, json.loads(step.body)["TopicArn"], failure, clock())

    return replace(KIND, call=call)


def _acted(alarm: Resource, topic: str, failure: str, now: int) -> Resource:
    what = "Failed to execute" if failure else "Successfully executed"
    data = {"actionState": "Failed" if failure else "Succeeded", "notificationResource": topic}
    data |= {"error": failure} if failure else {}
    item: Doc = {"Timestamp": now, "HistoryItemType": "Action"}
    item |= {"HistorySummary": f"{what} action {topic}", "HistoryData": json.dumps(data)}
    return noted(alarm, item)
