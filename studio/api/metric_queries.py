"""What GetMetricData asks: queries for statistics of metrics over periods, answered in pages."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from studio.api.metric_data import checked, invalid, metric_of, unsupported
from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.metrics import statistics
from studio.metrics.rows import Row
from studio.metrics.store import DAY, HOUR, MINUTE, SECOND, Metric

_MOST_QUERIES = 500
_MOST_POINTS = 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")
_SHORT_PERIODS = (1, 5, 10, 20, 30)


@dataclass(frozen=True)
class Window:
    """A span of time in periods of `length`; all in milliseconds, `end` is not part of it."""

    start: int
    end: int
    length: int

    @classmethod
    def of(cls, request: Doc, period: int, now: int, path: str = "Period") -> "Window":
        """The window of a request. Raises ApiError.

        As CloudWatch does it, the start is rounded down to what is kept of that age.
        """
        if period not in _SHORT_PERIODS and period % 60:
            allowed = "a value in the set [1, 5, 10, 20, 30] or a multiple of 60"
            raise invalid(f"The parameter {path} must be {allowed}.")
        start, end = request["StartTime"], request["EndTime"]
        if start >= end:
            raise invalid("The parameter StartTime must be less than the parameter EndTime.")
        return cls(start - start % kept(now - start, period), end, period * SECOND)


@dataclass(frozen=True)
class Query:
    id: str
    label: str
    metric: Metric
    period: int
    statistic: str
    unit: str
    """Empty for any."""
    path: str
    """How errors call its period."""


Rows = Callable[[Query, Window], list[Row]]


def queries(scope: tuple[str, str], request: Doc) -> list[Query]:
    """The queries whose results are wanted. Raises ApiError."""
    asked = request["MetricDataQueries"]
    if len(asked) > _MOST_QUERIES:
        raise ValidationException(
            f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}."
        )
    if len({each["Id"] for each in asked}) != len(asked):
        raise ValidationException(
            "The values for parameter id in MetricDataQueries are not unique."
        )
    made = [
        (_query(scope, each, f"MetricDataQueries.member.{number}"), each)
        for number, each in enumerate(asked, 1)
    ]
    times = Counter(query.metric for query, _ in made)
    return [
        _told_apart(query, each) if times[query.metric] > 1 else query
        for query, each in made
        if each.get("ReturnData", True)
    ]


def _told_apart(query: Query, asked: Doc) -> Query:
    """Of a metric that is asked for several times, the default label names the statistic too."""
    if asked.get("Label"):
        return query
    return replace(query, label=f"{query.metric.name} {query.statistic}")


def page(request: Doc, wanted: list[Query], rows: Rows, now: int) -> Doc:
    """Results up to MaxDatapoints, and a token for the rest."""
    limit = request.get("MaxDatapoints", _MOST_POINTS)
    if not 1 <= limit <= _MOST_POINTS:
        raise ValidationException(f"MaxDatapoints must be between 1 and {_MOST_POINTS:,}.")
    token = checked(
        request, ("MetricDataQueries", "StartTime", "EndTime", "ScanBy"), "InvalidNextToken"
    )
    first, skipped = _place(token.position)
    results: list[Doc] = []
    for number, query in enumerate(wanted[first:], first):
        points = _points(request, query, rows, now)[skipped:]
        shown, left = points[:limit], len(points) > limit
        results.append(_result(query, shown, "PartialData" if left else "Complete"))
        limit -= len(shown)
        if left or (limit == 0 and number + 1 < len(wanted)):
            place = f"{number}/{skipped + len(shown)}" if left else f"{number + 1}/0"
            return {"MetricDataResults": results, "Messages": [], "NextToken": token.next(place)}
        skipped = 0
    return {"MetricDataResults": results, "Messages": []}


def kept(age: int, period: int) -> int:
    """How far apart values of that age are kept; finer ones only for those who ask so. Ages and the
    answer are in milliseconds, the period is in seconds."""
    if age >= 63 * DAY:
        return HOUR
    if age >= 15 * DAY:
        return 5 * MINUTE
    if age >= 3 * HOUR or period not in _SHORT_PERIODS:
        return MINUTE
    return period * SECOND


def _query(scope: tuple[str, str], asked: Doc, path: str) -> Query:
    if not _ID.fullmatch(asked["Id"]):
        raise ValidationException(
            f"The value {asked['Id']} for parameter {path}.Id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$."
        )
    if "Expression" in asked:
        raise unsupported(f"the expression of the query {asked['Id']}")
    if "MetricStat" not in asked:
        both = f"{path}.Expression or {path}.MetricStat"
        raise ValidationException(f"At least one of the parameters {both} must be specified.")
    if "Period" in asked:
        raise ValidationException(
            f"The parameters {path}.Period and {path}.MetricStat are mutually exclusive and you "
            "have specified both."
        )
    return _of_metric(scope, asked, path)


def _of_metric(scope: tuple[str, str], asked: Doc, path: str) -> Query:
    wanted, label = asked["MetricStat"], asked.get("Label", "")
    if asked.get("AccountId", scope[0]) != scope[0]:
        raise unsupported("queries for another account")
    if "${" in label:
        raise unsupported(f"the expression in the label of the query {asked['Id']}")
    if not statistics.known(wanted["Stat"]):
        given = f"The value {wanted['Stat'][:64]} for parameter {path}.MetricStat.Stat"
        raise ValidationException(f"{given} is not supported.")
    metric = metric_of(scope, wanted["Metric"], f"{path}.MetricStat.Metric.")
    return Query(
        asked["Id"],
        label or metric.name,
        metric,
        wanted["Period"],
        wanted["Stat"],
        wanted.get("Unit", ""),
        f"{path}.MetricStat.Period",
    )


def _points(request: Doc, query: Query, rows: Rows, now: int) -> list[tuple[int, float]]:
    """(time, value), on times that are multiples of the period, in the order asked for."""
    window = Window.of(request, query.period, now, query.path)
    window = Window(window.start - window.start % window.length, window.end, window.length)
    found = statistics.periods(rows(query, window), 0, window.length)
    values = [(at, statistics.value(query.statistic, mine)) for at, mine in found.items()]
    points = [(at, value) for at, value in values if value is not None]
    ascending = request.get("ScanBy") == "TimestampAscending"
    return points if ascending else points[::-1]


def _result(
    query: Query, points: list[tuple[int, float]], status: Literal["Complete", "PartialData"]
) -> Doc:
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": status,
    }


def _place(position: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", position or "0/0")
    if match is None:
        raise ApiError("InvalidNextToken", "Invalid NextToken")
    return int(match[1]), int(match[2])
