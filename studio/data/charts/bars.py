"""Charts of bars: categories, counts, histograms."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data import numbers
from studio.data.charts import aggregates
from studio.data.charts.drawing import MOST_ROWS, Drawn, Part
from studio.data.charts.figures import Axis, Doc, packed, words
from studio.data.charts.frames import Frame, shown
from studio.data.charts.points import axis, grouped_options
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartSpec
from studio.data.protocol.data import Cell

Array = NDArray[Any]

MOST_BARS = 50
_MOST_BINS = 500


class Bars:
    """Of each category an aggregate of y, or how many rows there are."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        x, y = spec.x or "", spec.y if spec.kind == "bar" else None
        if y is None and spec.aggregate not in (None, "count"):
            raise DataError("BadRequest", f"A {spec.aggregate} needs a column y.")
        self._how = spec.aggregate or ("mean" if y else "count")
        self._categories = frame.categories(x, MOST_BARS)
        self._ys = frame.finite(y, "A bar") if y is not None else np.zeros(len(frame))
        title = aggregates.named(self._how, y) if y else "rows"
        self.layout: Doc = {"barmode": "group"}
        self.columns, self.title = [x, title], f"{title} by {x}"
        self.x = Axis(x, "category", tuple(self._categories.labels))
        self.y = Axis(title)
        self.code = _bar_code(spec, x, y, title)

    def draw(self, part: Part) -> Drawn:
        codes = self._categories.codes[part.rows]
        ys = self._ys[part.rows]
        used = (codes >= 0) & ~np.isnan(ys)
        labels = self._categories.labels
        values = aggregates.grouped(self._how, codes[used], ys[used], len(labels))
        places = np.flatnonzero(
            np.isfinite(values) & (np.bincount(codes[used], minlength=len(labels)) > 0)
        )
        trace = {
            "type": "bar",
            "x": [words(labels[it]) for it in places],
            "y": packed(values[places]),
        }
        whole = int if self._how == "count" else float
        table: list[list[Cell]] = [[labels[it], whole(values[it])] for it in places]
        return Drawn([trace] if len(places) else [], table, int(used.sum()))


class Histogram:
    """How many rows there are in each bin; the same bins for all groups, stacked."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        x = spec.x or ""
        if spec.bins is not None and not 1 <= spec.bins <= _MOST_BINS:
            raise DataError("BadRequest", f"A histogram has 1 to {_MOST_BINS} bins.")
        self._xs, self._time = frame.finite(x, "A histogram"), frame.is_time(x)
        self._edges = _edges(self._xs, spec.bins, frame.is_whole(x))
        self.layout: Doc = {"barmode": "stack", "bargap": 0.02}
        self.columns, self.title = ["from", "to", "rows"], f"Distribution of {x}"
        self.x, self.y = axis(frame, x), Axis("rows")
        self.code = _histogram_code(spec, x, self._edges, self._time)

    def draw(self, part: Part) -> Drawn:
        values = self._xs[part.rows]
        values = values[~np.isnan(values)]
        if not len(values):
            return Drawn([], [], 0)
        counts = numbers.bin_counts(numbers.counted(values), self._edges)
        low, high = self._edges[:-1], self._edges[1:]
        trace = {
            "type": "bar",
            "x": packed((low + high) / 2),
            "y": packed(counts),
            "width": packed(high - low),
            "customdata": packed(np.column_stack([low, high])),
        }
        table = [
            [shown(a, self._time), shown(b, self._time), int(n)]
            for a, b, n in zip(low, high, counts, strict=True)
        ]
        return Drawn([trace], table[:MOST_ROWS], len(values))


def _edges(values: Array, bins: int | None, whole: bool) -> Array:
    there = values[~np.isnan(values)]
    if not len(there):
        return np.array([0.0, 1.0])
    counted = numbers.counted(there.astype(np.int64) if whole else there)
    low, high = numbers.quantiles(counted, (0.25, 0.75))
    return numbers.bin_edges(counted, (low, high), bins)


def _bar_code(spec: ChartSpec, x: str, y: str | None, title: str) -> str:
    keys = [it for it in (spec.facet, spec.color) if it] + [x]
    options = [f"x={x!r}", f"y={title!r}", *grouped_options(spec), "barmode='group'"]
    how = spec.aggregate or ("mean" if y else "count")
    joined = (
        f"df.groupby({keys!r})[{y!r}].{aggregates.PANDAS[how]}.reset_index(name={title!r})"
        if y
        else f"df.groupby({keys!r}).size().reset_index(name={title!r})"
    )
    return (
        f"bars = {joined}\n"
        f"fig = px.bar(bars, {', '.join(options)})\n"
        "fig.update_xaxes(type='category')"
    )


def _histogram_code(spec: ChartSpec, x: str, edges: Array, time: bool) -> str:
    start, end, size = float(edges[0]), float(edges[-1]), float(edges[1] - edges[0])
    options = [f"x={x!r}", *grouped_options(spec)]
    ends = f"start={start!r}, end={end!r}"
    if time:
        ends = f"start=pd.Timestamp({start!r}, unit='ms'), end=pd.Timestamp({end!r}, unit='ms')"
    return (
        f"fig = px.histogram(df, {', '.join(options)})\n"
        f"fig.update_traces(xbins=dict({ends}, size={size!r}), autobinx=False)"
    )
