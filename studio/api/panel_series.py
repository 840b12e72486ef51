"""Series for charts: what a job printed, what its hosts use, what an endpoint was asked.

CloudWatch's operations answer with statistics over periods. A chart of training wants every value
at its step; these answer with that, thinned to what a screen can show.
"""

import math

from studio.api import panel_runs, printed
from studio.api.metric_queries import kept
from studio.api.panel_runs import Part
from studio.api.registry import Context, operation
from studio.api.series import Series, between, described
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException
from studio.metrics import statistics, store
from studio.metrics.rows import Row
from studio.metrics.store import HOUR, SECOND, Metric
from studio.runners.shim import gpus, usage

_USUAL_POINTS = 1_000
_PERIODS = (10, 30, 60, 300, 900, 3_600, 21_600)
_DAY = 86_400
_USED = (("CPUUtilization", "cpu"), ("MemoryUtilization", "memory"), ("DiskUtilization", "disk"))
_GPUS = (("GPUUtilization", "busy"), ("GPUMemoryUtilization", "memory"))
_COUNTED = (
    ("Invocations", "Count", ("Sum",)),
    ("Invocation4XXErrors", "Count", ("Sum",)),
    ("Invocation5XXErrors", "Count", ("Sum",)),
    ("ModelLatency", "Microseconds", ("p50", "p90", "p99")),
    ("OverheadLatency", "Microseconds", ("p50", "p90", "p99")),
)


@operation("studio", "GetMetricSeries")
def get_metric_series(ctx: Context, request: Doc) -> Doc:
    resource, parts = panel_runs.subject(ctx, request)
    most, whole, period = request.get("MaxPoints", _USUAL_POINTS), True, None
    window = _window(ctx, resource, request)
    if resource.kind == "endpoint":
        period = _period(window, most, ctx.now())
        found = _counted(ctx, resource, parts, window, period)
    else:
        parts = panel_runs.latest(parts)
        found, whole = _printed(resource, parts, window)
    found += _used(parts, window)
    wanted = request.get("MetricNames")
    return {
        "StartTime": window[0],
        "EndTime": window[1],
        "PeriodInSeconds": period,
        "Complete": whole,
        "Series": [
            described(series, most) for series in found if not wanted or series.name in wanted
        ],
    }


def _window(ctx: Context, resource: Resource, request: Doc) -> tuple[int, int]:
    """[start, end) in UTC milliseconds: all of a job, the last hour of an endpoint."""
    end = request.get("EndTime", ctx.now() + SECOND)
    first = resource.created_at
    if resource.kind == "endpoint":
        first = max(first, end - HOUR)
    start = request.get("StartTime", first)
    if start >= end:
        raise ValidationException("StartTime must be less than EndTime.")
    return start, end


def _printed(
    job: Resource, parts: list[Part], window: tuple[int, int]
) -> tuple[list[Series], bool]:
    """What the hosts of the latest attempt printed; whether that is all."""
    found: list[Series] = []
    whole = True
    for part in parts:
        host = part.host if len(parts) > 1 else ""
        series, read = printed.of(part.folder, job.state["MetricDefinitions"]).read(host)
        found += (between(each, *window) for each in series)
        whole &= read
    return found, whole


def _used(parts: list[Part], window: tuple[int, int]) -> list[Series]:
    """What each host, or each server of a variant, whatever runs it had, took of the machine."""
    places: dict[str, list[Part]] = {}
    for part in parts:
        places.setdefault(part.place, []).append(part)
    found = []
    for place, mine in places.items():
        for read, names in ((usage.read, _USED), (gpus.read, _GPUS)):
            samples = [it for part in mine for it in read(part.folder, window[0] - 1)]
            taken = sorted(it for it in samples if it.at < window[1])
            times = [float(it.at) for it in taken]
            for name, member in names if taken else ():
                values = [float(getattr(it, member)) for it in taken]
                found.append(Series(name, "system", "Percent", times, values, host=place))
    return found


def _period(window: tuple[int, int], most: int, now: int) -> int:
    """Seconds between two points: for `most` of them at the most, and not less than are kept."""
    start, end = window
    wanted = max((end - start) / most, kept(now - start, 1)) / SECOND
    return next((it for it in _PERIODS if it >= wanted), math.ceil(wanted / _DAY) * _DAY)


def _counted(
    ctx: Context, endpoint: Resource, parts: list[Part], window: tuple[int, int], period: int
) -> list[Series]:
    """What the router counted of each variant; nobody asking is a nought, and no latency."""
    length = period * SECOND
    times = range(window[0] - window[0] % length, window[1], length)
    found = []
    with ctx.db.read() as connection:
        for variant in sorted({part.host for part in parts}):
            dimensions = (("EndpointName", endpoint.name), ("VariantName", variant))
            scope = endpoint.account, endpoint.region, "AWS/SageMaker"
            for name, unit, wanted in _COUNTED:
                metric = Metric(*scope, name, dimensions, endpoint.owner)
                rows = store.read(connection, metric, times.start, window[1])
                by_time = statistics.periods(rows.get("None", []) + rows.get(unit, []), 0, length)
                for statistic in wanted:
                    values = [_value(statistic, by_time.get(at, [])) for at in times]
                    found.append(
                        Series(name, "endpoint", unit, times, values, (), "", variant, statistic)
                    )
    return found


def _value(statistic: str, rows: list[Row]) -> float:
    if not rows:
        return 0.0 if statistic == "Sum" else math.nan
    value = statistics.value(statistic, rows)
    return math.nan if value is None else value
