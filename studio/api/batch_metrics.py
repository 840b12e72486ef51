"""The service sagemaker-metrics: values of metrics of trial components, put and asked for.

As on AWS; only that a list may have more than ten values, that a value may be NaN or infinite,
and that any name of a component that exists is taken.
"""

import math
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from studio.api import component_names, store
from studio.api.registry import Context, operation
from studio.db import calls
from studio.db.experiment_tables import COMPONENT
from studio.db.resources import Doc
from studio.errors import ApiError, ValidationException
from studio.experiments import components, series
from studio.experiments.fields import value_id
from studio.experiments.series import NO_STEP, Batch, Points, buckets, reading
from studio.experiments.series.buckets import Buckets
from studio.experiments.series.points import Float64s, Int64s, picked
from studio.wire import models, shapes

_LONGEST_NAME = 255
_LARGEST_STEP = 2**53
_LARGEST_TIME = 1e11
"""Of epoch seconds; epoch milliseconds are beyond it since 1973."""
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""As boto3 writes them in rest-json."""
_GIVEN = tuple(map(itemgetter, ("MetricName", "Timestamp", "Value")))
_STEP = itemgetter("Step")
_PERIODS = {"OneMinute": 60_000, "FiveMinute": 300_000, "OneHour": 3_600_000}
_MOST_VALUES = 100_000


class _Columns(NamedTuple):
    names: list[str]
    points: Points


@operation("sagemaker-metrics", "BatchPutMetrics", raw=True)
def batch_put_metrics(ctx: Context, request: Doc) -> Doc:
    name, data = request.get("TrialComponentName"), request.get("MetricData")
    if not isinstance(name, str) or not isinstance(data, list) or not data:
        raise _malformed(request)
    columns, faults = _columns(data), list[int]()
    if columns is None:
        faults = [at for at, item in enumerate(data) if _columns([item]) is None]
        refused = set(faults)
        columns = _columns([item for at, item in enumerate(data) if at not in refused])
    batches = _batches(columns) if columns is not None else []
    ctx.db.write(partial(_put, ctx=ctx, name=name, batches=batches))
    return {"Errors": [{"Code": "VALIDATION_ERROR", "MetricIndex": at} for at in faults]}


@operation("sagemaker-metrics", "BatchGetMetrics")
def batch_get_metrics(ctx: Context, request: Doc) -> Doc:
    return {"MetricQueryResults": [_result(ctx, query) for query in request["MetricQueries"]]}


def _malformed(request: Doc) -> ApiError:
    """The model has the words for what is wrong with the request as a whole."""
    model = models.operation_model("sagemaker-metrics", "BatchPutMetrics")
    assert model is not None
    assert model.input_shape is not None
    try:
        shapes.load(model.input_shape, request)
    except ApiError as error:
        return error
    return ValidationException("The request has no MetricData.")


def _columns(data: list[Any]) -> _Columns | None:
    """None when one of the values cannot be stored, or when there are none.

    Looked at as columns: a thousand values that came as JSON take less than a millisecond.
    """
    try:
        names, times, values = (list(map(get, data)) for get in _GIVEN)
        steps = _steps(data)
    except (KeyError, TypeError, AttributeError):
        return None
    if str in map(type, values):
        values = [_SPECIAL.get(it, it) if isinstance(it, str) else it for it in values]
    # Not isinstance: a boolean is no number.
    numbers = {*map(type, times), *map(type, values)}
    if not _named(names) or not numbers <= {int, float}:
        return None
    try:
        moments, column = np.array(times, np.float64), np.array(values, np.float64)
        numbered = _numbered(steps)
    except OverflowError:  # an integer that is beyond every double
        return None
    if numbered is None or not (np.abs(moments) < _LARGEST_TIME).all():  # NaN is no time either
        return None
    return _Columns(names, Points(numbered, np.rint(moments * 1000).astype(np.int64), column))


def _steps(data: list[Any]) -> list[Any]:
    """None where there is none."""
    try:
        return list(map(_STEP, data))
    except KeyError:
        return [it.get("Step") for it in data]


def _named(names: list[Any]) -> bool:
    if set(map(type, names)) != {str}:
        return False
    return all(1 <= len(name) <= _LONGEST_NAME for name in set(names))


def _numbered(steps: list[Any]) -> Int64s | None:
    kinds = set(map(type, steps))
    if not kinds <= {int, NoneType}:
        return None
    given = [it for it in steps if it is not None] if NoneType in kinds else steps
    if given and not 0 <= min(given) <= max(given) <= _LARGEST_STEP:
        return None
    if len(given) == len(steps):
        return np.array(steps, np.int64)
    return np.array([NO_STEP if it is None else it for it in steps], np.int64)


def _batches(columns: _Columns) -> list[Batch]:
    """The points by their metric, in the order in which they came."""
    places = {name: at for at, name in enumerate(dict.fromkeys(columns.names))}
    if len(places) == 1:
        return [Batch(columns.names[0], columns.points)]
    codes = np.fromiter(map(places.__getitem__, columns.names), np.int64, len(columns.names))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    starts = np.append(0, ends[:-1])
    return [
        Batch(name, picked(columns.points, order[starts[at] : ends[at]]))
        for name, at in places.items()
    ]


def _put(connection: Connection, ctx: Context, name: str, batches: list[Batch]) -> None:
    """Once, however often the client repeats the call. Raises ResourceNotFound."""
    mark = ctx.call
    if mark and calls.earlier(connection, mark) is not None:
        return
    component = component_names.require(ctx, connection, [name])[name]
    if not batches:
        return
    series.arrive(connection, component.number, batches)
    if mark:
        calls.record(connection, mark, component.resource_id, ctx.now())


def _result(ctx: Context, query: Doc) -> Doc:
    try:
        component = _component(ctx, query["ResourceArn"])
    except ApiError as error:
        return {"Status": "ValidationError", "Message": error.message, **_answered([], [])}
    series.settled(ctx.db, [component])
    with ctx.db.read() as connection:
        metric = query["MetricName"]
        field = component_names.metrics(ctx, connection, [metric]).get(metric, 0)
        found = reading.read(connection, [value_id(field, component)])
    x, values = list[int](), list[float]()
    for points in found.values():
        x, values = _statistics(_between(points, query), query)
    status = "Complete" if len(x) <= _MOST_VALUES else "Truncated"
    return {"Status": status, **_answered(x[:_MOST_VALUES], values[:_MOST_VALUES])}


def _answered(x: list[int], values: list[float]) -> Doc:
    return {"XAxisValues": x, "MetricValues": values}


def _component(ctx: Context, arn: str) -> int:
    """The number of the component with that ARN, or of that of the job with it. Raises ApiError."""
    with ctx.db.read() as connection:
        resource = store.require_arn(connection, ctx, arn)
        wanted = COMPONENT.c.source == resource.arn.lower()
        if resource.kind == components.KIND:
            wanted = COMPONENT.c.resource_id == resource.id
        found = connection.execute(select(COMPONENT.c.number).where(wanted)).first()
    if found is None:
        raise ValidationException(f"There are no metrics of {arn}.")
    return int(found.number)


def _between(points: Points, query: Doc) -> Points:
    start, end = (_milliseconds(query.get(name)) for name in ("Start", "End"))
    keep = np.ones(len(points), np.bool_)
    if start is not None:
        keep &= points.times >= start
    if end is not None:
        keep &= points.times <= end
    return picked(points, keep)


def _milliseconds(moment: int | None) -> int | None:
    """Of epoch seconds or milliseconds: the model does not say which they are."""
    return moment * 1000 if moment is not None and abs(moment) < _LARGEST_TIME else moment


def _statistics(points: Points, query: Doc) -> tuple[list[int], list[float]]:
    """A statistic over each step or period; those that are no number are left out."""
    by_step = query["Period"] == "IterationNumber"
    if by_step:
        points = picked(points, points.steps != NO_STEP)
        keys = points.steps
    else:
        points = picked(points, np.argsort(points.times, kind="stable"))
        keys = points.times // _PERIODS[query["Period"]]
    if not len(points):
        return [], []
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    last = np.append(first[1:], len(points)) - 1
    if query["XAxisType"] == "IterationNumber":
        x = points.steps[last]
    elif by_step:
        x = points.times[last] // 1000
    else:
        x = keys[first] * _PERIODS[query["Period"]] // 1000
    values = _STATISTICS[query["MetricStat"]](points, first, last)
    keep = np.isfinite(values) & (x != NO_STEP)
    return x[keep].tolist(), values[keep].tolist()


_Statistic = Callable[[Points, NDArray[np.intp], NDArray[np.intp]], Float64s]


def _grouped(points: Points, first: NDArray[np.intp]) -> Buckets:
    return buckets.grouped(buckets.of_values(points.steps, points.values), first)


def _deviation(points: Points, first: NDArray[np.intp], last: NDArray[np.intp]) -> Float64s:
    """Of a sample; 0 of a single value."""
    groups = _grouped(points, first)
    apart = points.values - np.repeat(groups.mean, last - first + 1)
    squares = np.add.reduceat(np.where(np.isfinite(apart), apart, 0.0) ** 2, first)
    return np.sqrt(squares / np.maximum(groups.finite - 1, 1))


_STATISTICS: dict[str, _Statistic] = {
    "Min": lambda points, first, _: _grouped(points, first).low,
    "Max": lambda points, first, _: _grouped(points, first).high,
    "Avg": lambda points, first, _: _grouped(points, first).mean,
    "Count": lambda _, first, last: (last - first + 1).astype(np.float64),
    "StdDev": _deviation,
    "Last": lambda points, _, last: points.values[last],
}
