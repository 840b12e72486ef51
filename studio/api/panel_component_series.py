"""Series of trial components: put as columns, and read as what a chart draws."""

from functools import partial
from itertools import product
from typing import Any

import numpy as np
from sqlalchemy import Connection

from studio.api import component_names
from studio.api.component_names import Component
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.experiments import series
from studio.experiments.fields import value_id
from studio.experiments.series import NO_STEP, Batch, Points, reading
from studio.experiments.series.drawing import Line, View
from studio.experiments.series.points import Float64s

_USUAL_POINTS = 1_000
_MOST_SERIES = 10_000

_Wanted = list[tuple[str, str]]


@operation("studio", "PutTrialComponentMetrics")
def put_trial_component_metrics(ctx: Context, request: Doc) -> Doc:
    batches = [_batch(each, number) for number, each in enumerate(request["Series"], 1)]
    name = request["TrialComponentName"]
    with ctx.db.read() as connection:
        component = component_names.require(ctx, connection, [name])[name]
    source = request.get("Source", "")
    if bool(source) != ("Position" in request):
        raise ValidationException("Source and Position are given together, or not at all.")
    arrive = partial(
        series.arrive,
        component=component.number,
        batches=batches,
        source=f"points/{component.number}/{source}" if source else "",
        position=request.get("Position", 0),
    )
    ctx.db.write(arrive)
    return {}


@operation("studio", "GetTrialComponentSeries")
def get_trial_component_series(ctx: Context, request: Doc) -> Doc:
    wanted = _wanted(request)
    with ctx.db.read() as connection:
        names = [component for component, _ in wanted]
        components = component_names.named(ctx, connection, names)
    series.settled(ctx.db, [it.number for it in components.values()])
    with ctx.db.read() as connection:
        found = _lines(ctx, connection, request, components, wanted)
    return {"Series": [_described(*place, line) for place, line in found]}


def _batch(each: Doc, number: int) -> Batch:
    values = _column(each["Values"], "<f8", f"series.{number}.member.values")
    times = _column(each["Timestamps"], "<i8", f"series.{number}.member.timestamps")
    if "Steps" in each:
        steps = _column(each["Steps"], "<i8", f"series.{number}.member.steps")
    else:
        steps = np.full(len(values), NO_STEP, np.int64)
    if not len(values) == len(times) == len(steps):
        raise ValidationException(
            f"The columns of metric {each['MetricName']!r} must be of one length: there are "
            f"{len(values)} Values, {len(times)} Timestamps and {len(steps)} Steps."
        )
    return Batch(each["MetricName"], Points(steps, times, values))


def _column(data: bytes, kind: str, path: str) -> "np.ndarray[tuple[int], np.dtype[Any]]":
    if len(data) % 8:
        raise ValidationException(f"{path} has {len(data)} bytes: a number has eight.")
    return np.frombuffer(data, kind)


def _wanted(request: Doc) -> _Wanted:
    named = [(it["TrialComponentName"], it["MetricName"]) for it in request.get("Series", [])]
    both = request.get("TrialComponentNames", []), request.get("MetricNames", [])
    wanted = list(dict.fromkeys([*named, *product(*both)]))
    if len(wanted) > _MOST_SERIES:
        raise ValidationException(
            f"{len(wanted)} series are asked for, {_MOST_SERIES} may be at once."
        )
    return wanted


def _lines(
    ctx: Context,
    connection: Connection,
    request: Doc,
    known: dict[str, Component],
    wanted: _Wanted,
) -> list[tuple[tuple[str, str], Line]]:
    axis = request.get("XAxis", "Step")
    other = request.get("XMetricName", "")
    if (axis == "Metric") != bool(other):
        raise ValidationException("XMetricName goes with the XAxis Metric, and with no other.")
    names = {metric for _, metric in wanted} | ({other} if other else set())
    fields = component_names.metrics(ctx, connection, names)
    places = {
        value_id(fields[metric], known[name].number): (known[name], metric)
        for name, metric in wanted
        if name in known and metric in fields
    }
    view = View(axis, request.get("Start"), request.get("End"), _most(request))
    if axis == "Metric":
        over = {it: value_id(fields.get(other, 0), places[it][0].number) for it in places}
        lines = reading.lines_over(connection, over, view)
    else:
        lines = reading.lines(connection, _zeros(connection, places, axis), view)
    return [((places[it][0].name, places[it][1]), lines[it]) for it in places if it in lines]


def _most(request: Doc) -> int:
    return int(request.get("MaxPoints", _USUAL_POINTS))


def _zeros(
    connection: Connection, places: dict[int, tuple[Component, str]], axis: str
) -> dict[int, float]:
    """Where the axis RelativeTime of each series begins."""
    if axis != "RelativeTime":
        return dict.fromkeys(places, 0.0)
    known: dict[int, float] = {}
    for component in {component for component, _ in places.values()}:
        start = component.started_at
        if start is None:
            start = reading.first_at(connection, component.number)
        known[component.number] = float(start or 0)
    return {series: known[component.number] for series, (component, _) in places.items()}


def _described(component: str, metric: str, line: Line) -> Doc:
    means = _packed(line.mean)
    same = line.complete
    return {
        "TrialComponentName": component,
        "MetricName": metric,
        "X": _packed(line.x),
        "Minima": means if same else _packed(line.low),
        "Means": means,
        "Maxima": means if same else _packed(line.high),
        "Total": line.total,
        "Complete": line.complete,
    }


def _packed(column: Float64s) -> bytes:
    return column.astype("<f8", copy=False).tobytes()
