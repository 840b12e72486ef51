"""CloudWatch's metrics: put, list, statistics. Errors have CloudWatch's codes and sentences.

Every number comes from the metric store, whether a client put it or Studio measured it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from studio.api.metric_data import checked, described, metric_of, points
from studio.api.metric_owners import Sight
from studio.api.metric_queries import Query, Window, page, queries
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ApiError
from studio.metrics import statistics, store
from studio.metrics.rows import Row
from studio.metrics.store import HOUR, Metric

_MOST_POINTS = 1_440
_LISTED_AT_ONCE = 500
_ACTIVE = 3 * HOUR


@operation("cloudwatch", "PutMetricData")
def put_metric_data(ctx: Context, request: Doc) -> Doc:
    if "EntityMetricData" in request:
        raise ApiError("InvalidParameterValue", "Studio does not execute EntityMetricData yet.")
    batches = points(_scope(ctx), ctx.caller.principal.owner, request, ctx.now())
    ctx.db.write(lambda connection: store.append(connection, batches))
    return {}


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(ctx: Context, request: Doc) -> Doc:
    window = Window.of(request, request["Period"], ctx.now())
    wanted = _statistics(request)
    asked = (window.end - window.start) // window.length
    if asked > _MOST_POINTS:
        raise ApiError(
            "InvalidParameterCombination",
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of "
            f"{_MOST_POINTS:,}. You may reduce the datapoints requested by increasing Period, or "
            "decreasing the time range.",
        )
    metric = metric_of(_scope(ctx), request)
    with ctx.db.read() as connection:
        found = Sight(ctx).read(connection, metric, window.start, window.end)
    datapoints = [
        _datapoint(at, rows, wanted, unit)
        for unit, of_unit in found.items()
        if request.get("Unit") in (None, unit)
        for at, rows in statistics.periods(of_unit, window.start, window.length).items()
    ]
    return {"Label": request["MetricName"], "Datapoints": datapoints}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(ctx: Context, request: Doc) -> Doc:
    wanted, sight = queries(_scope(ctx), request), Sight(ctx)
    with ctx.db.read() as connection:

        def rows(query: Query, window: Window) -> list[Row]:
            found = sight.read(connection, query.metric, window.start, window.end)
            kept = [found.get(query.unit, [])] if query.unit else found.values()
            return [row for rows in kept for row in rows]

        return page(request, wanted, rows, ctx.now())


@operation("cloudwatch", "ListMetrics")
def list_metrics(ctx: Context, request: Doc) -> Doc:
    account, region = _scope(ctx)
    like = Metric(account, region, request.get("Namespace", ""), request.get("MetricName", ""))
    if request.get("OwningAccount", account) != account:
        return {"Metrics": []}
    since = ctx.now() - (_ACTIVE if "RecentlyActive" in request else store.LISTED)
    token = checked(request, ("Namespace", "MetricName", "Dimensions", "RecentlyActive"))
    with ctx.db.read() as connection:
        every = Sight(ctx).seen(store.listing(connection, like, since, token.position))
        found = list(islice(_with(every, request.get("Dimensions", [])), _LISTED_AT_ONCE + 1))
    shown = found[:_LISTED_AT_ONCE]
    more = len(found) > _LISTED_AT_ONCE
    return {
        "Metrics": [described(each) for each in shown],
        "NextToken": token.next(shown[-1].key) if more else None,
    }


def _scope(ctx: Context) -> tuple[str, str]:
    return ctx.settings.account, ctx.settings.region


def _statistics(request: Doc) -> list[str]:
    simple, extended = request.get("Statistics", []), request.get("ExtendedStatistics", [])
    if not simple and not extended:
        text = "Must specify either Statistics or ExtendedStatistics."
        raise ApiError("InvalidParameterCombination", text)
    for each in extended:
        if not statistics.is_percentile(each):
            text = f"The value {each[:64]} for parameter ExtendedStatistics is not supported."
            raise ApiError("InvalidParameterValue", text)
    return [*simple, *extended]


def _datapoint(at: int, rows: list[Row], wanted: list[str], unit: str) -> Doc:
    values = {name: statistics.value(name, rows) for name in wanted}
    extended = {
        name: value
        for name, value in values.items()
        if statistics.is_percentile(name) and value is not None
    }
    return {
        "Timestamp": at,
        "Unit": unit,
        **{name: value for name, value in values.items() if not statistics.is_percentile(name)},
        "ExtendedStatistics": extended or None,
    }


def _with(metrics: Iterable[Metric], filters: list[Doc]) -> Iterator[Metric]:
    """Those that have all the dimensions, with the values where the filters name any."""
    for metric in metrics:
        mine = dict(metric.dimensions)
        if all(_meets(mine.get(wanted["Name"]), wanted) for wanted in filters):
            yield metric


def _meets(value: str | None, wanted: Doc) -> bool:
    return value is not None and wanted.get("Value", value) == value
