"""Charts of points: scatter, line, time series."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data.charts import aggregates
from studio.data.charts.drawing import MOST_COLORS, MOST_ROWS, Drawn, Part
from studio.data.charts.figures import Axis, Doc, packed, words
from studio.data.charts.frames import Frame, shown, spread
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartSpec
from studio.data.protocol.data import Cell

Array = NDArray[Any]

MOST_POINTS = 10_000  # of a scatter, in all
MOST_LINE = 1_000  # of one line
_STEPS = 300  # of time
_SECOND = 1000.0
_UNITS = (  # milliseconds, what it is called, what pandas calls it
    (_SECOND, "second", "1s"),
    (5 * _SECOND, "5 seconds", "5s"),
    (15 * _SECOND, "15 seconds", "15s"),
    (60 * _SECOND, "minute", "1min"),
    (300 * _SECOND, "5 minutes", "5min"),
    (900 * _SECOND, "15 minutes", "15min"),
    (3600 * _SECOND, "hour", "1h"),
    (6 * 3600 * _SECOND, "6 hours", "6h"),
    (86400 * _SECOND, "day", "1D"),
    (7 * 86400 * _SECOND, "week", "7D"),
    (28 * 86400 * _SECOND, "4 weeks", "28D"),
    (91 * 86400 * _SECOND, "quarter of a year (91 days)", "91D"),
    (364 * 86400 * _SECOND, "year (364 days)", "364D"),
)


def axis(frame: Frame, name: str, title: str | None = None) -> Axis:
    """The axis of a column of numbers or times."""
    return Axis(title or name, "date" if frame.is_time(name) else "linear")


class Scatter:
    """Each row a point, at most MOST_POINTS of them."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        x, y = spec.x or "", spec.y or ""
        self.layout: Doc = {}
        self.columns, self.title = [x, y], f"{y} by {x}"
        self.x, self.y = axis(frame, x), axis(frame, y)
        self._times = frame.is_time(x), frame.is_time(y)
        self._xs, self._ys = frame.finite(x, "A scatter"), frame.finite(y, "A scatter")
        self._color = self._numeric_color(frame, spec)
        options = [f"x={x!r}", f"y={y!r}", *grouped_options(spec)]
        self.code = f"fig = px.scatter(df, {', '.join(options)})"

    def draw(self, part: Part) -> Drawn:
        rows = there(part.rows, self._xs, self._ys)
        taken = rows[spread(len(rows), max(math.ceil(MOST_POINTS * part.share), 1))]
        trace: Doc = {
            "type": "scatter",
            "mode": "markers",
            "x": packed(self._xs[taken]),
            "y": packed(self._ys[taken]),
        }
        if self._color is not None:
            trace["marker"] = {"color": packed(self._color[taken]), "coloraxis": "coloraxis"}
        table = [self._cells(it) for it in taken[:MOST_ROWS]]
        return Drawn([trace] if len(taken) else [], table, len(taken), len(taken))

    def _numeric_color(self, frame: Frame, spec: ChartSpec) -> Array | None:
        if spec.color is None or not is_scale(frame, spec):
            return None
        self.columns = [*self.columns, spec.color]
        self.layout = {
            "coloraxis": {"colorbar": {"title": {"text": words(spec.color)}}},
            "meta": {"scale": "sequential"},
        }
        return frame.finite(spec.color, "A colour scale")

    def _cells(self, row: int) -> list[Cell]:
        cells = [shown(self._xs[row], self._times[0]), shown(self._ys[row], self._times[1])]
        return cells if self._color is None else [*cells, shown(self._color[row], False)]


def is_scale(frame: Frame, spec: ChartSpec) -> bool:
    """Whether the colour is a scale of numbers, not one of a few groups."""
    if spec.color is None or spec.kind != "scatter" or not frame.is_number(spec.color):
        return False
    return frame.distinct(spec.color) > MOST_COLORS


class Line:
    """y along x; several rows of one x are joined by spec.aggregate. Long lines keep the least
    and the greatest y of each of MOST_LINE / 2 steps."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        x, y = spec.x or "", spec.y or ""
        self._how, self._frame = spec.aggregate, frame
        title = aggregates.named(spec.aggregate, y) if spec.aggregate else y
        self.layout: Doc = {}
        self.columns, self.title = [x, title], f"{title} by {x}"
        self.x, self.y = axis(frame, x), Axis(title, axis(frame, y).kind)
        self._times = frame.is_time(x), frame.is_time(y)
        self._xs, self._ys = frame.finite(x, "A line"), frame.finite(y, "A line")
        self.code = _line_code(spec, x, y, title)

    def draw(self, part: Part) -> Drawn:
        rows = there(part.rows, self._xs, self._ys)
        xs, ys = self._xs[rows], self._ys[rows]
        if self._how is not None:
            xs, codes = np.unique(xs, return_inverse=True)
            ys = aggregates.grouped(self._how, codes, ys, len(xs))
        else:
            order = np.argsort(xs, kind="stable")
            xs, ys = xs[order], ys[order]
        places = extremes(ys, MOST_LINE)
        if len(places) < len(ys):
            note = f"Lines of more than {MOST_LINE:,} points keep the least and the greatest of "
            self._frame.note(f"{note}each of {MOST_LINE // 2:,} steps.")
        trace = line(xs[places], ys[places])
        table = [
            [shown(xs[it], self._times[0]), shown(ys[it], self._times[1])]
            for it in places[:MOST_ROWS]
        ]
        used = len(rows) if self._how is not None else len(places)
        return Drawn([trace] if len(places) else [], table, used, len(places))


class TimeSeries:
    """y in steps of time, of which there are at most _STEPS."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        x, y = spec.x or "", spec.y or ""
        if not frame.is_time(x):
            raise DataError("BadRequest", f"A time series needs a time on x, and {x} is none.")
        self._how = spec.aggregate or "mean"
        self._xs, self._ys = frame.finite(x, "A time series"), frame.finite(y, "A time series")
        width, unit, rule = _step(self._xs)
        self._width = width
        title = f"{aggregates.named(self._how, y)} of each {unit}"
        self.layout: Doc = {}
        self.columns, self.title = [x, title], f"{title} by {x}"
        self.x, self.y = Axis(x, "date"), Axis(title)
        keys = [it for it in (spec.facet, spec.color) if it]
        by = ", ".join([*map(repr, keys), f"pd.Grouper(key={x!r}, freq={rule!r}, origin='epoch')"])
        method = aggregates.PANDAS[self._how]
        options = [f"x={x!r}", f"y={y!r}", *grouped_options(spec), f"labels={{{y!r}: {title!r}}}"]
        self.code = (
            f"steps = df.groupby([{by}])[{y!r}].{method}.reset_index()\n"
            f"fig = px.line(steps, {', '.join(options)})"
        )

    def draw(self, part: Part) -> Drawn:
        rows = there(part.rows, self._xs, self._ys)
        if not len(rows):
            return Drawn([], [], 0)
        steps = np.floor(self._xs[rows] / self._width).astype(np.int64)
        first = int(steps.min())
        count = int(steps.max()) - first + 1
        ys = aggregates.grouped(self._how, steps - first, self._ys[rows], count)
        xs = (np.arange(count) + first) * self._width
        table = [[shown(a, True), shown(b, False)] for a, b in zip(xs, ys, strict=True)]
        return Drawn([line(xs, ys)], table[:MOST_ROWS], len(rows))


def there(rows: Array, *columns: Array) -> Array:
    """Those of the rows where no column is missing."""
    found = np.ones(len(rows), bool)
    for it in columns:
        found &= ~np.isnan(it[rows])
    return rows[found]


def line(xs: Array, ys: Array) -> Doc:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": packed(xs),
        "y": packed(ys),
        "connectgaps": False,
    }


def extremes(ys: Array, most: int) -> Array:
    """Places of the least and the greatest value of each of most / 2 steps, in their order."""
    if len(ys) <= most:
        return np.arange(len(ys))
    steps = np.array_split(np.arange(len(ys)), most // 2)
    lowest = [it[0] + int(np.argmin(ys[it[0] : it[-1] + 1])) for it in steps]
    highest = [it[0] + int(np.argmax(ys[it[0] : it[-1] + 1])) for it in steps]
    return np.unique(np.array(lowest + highest))


def _step(xs: Array) -> tuple[float, str, str]:
    """The shortest unit that makes at most _STEPS steps."""
    with_time = xs[~np.isnan(xs)]
    span = float(with_time.max() - with_time.min()) if len(with_time) else 0.0
    for width, name, rule in _UNITS:
        if span / width <= _STEPS:
            return width, name, rule
    years = math.ceil(span / _UNITS[-1][0] / _STEPS)
    return years * _UNITS[-1][0], f"{years} years of 364 days", f"{years * 364}D"


def grouped_options(spec: ChartSpec) -> list[str]:
    color = [f"color={spec.color!r}"] if spec.color else []
    return [*color, *([f"facet_col={spec.facet!r}", "facet_col_wrap=3"] if spec.facet else [])]


def _line_code(spec: ChartSpec, x: str, y: str, title: str) -> str:
    options = [f"x={x!r}", f"y={y!r}", *grouped_options(spec)]
    if spec.aggregate is None:
        return f"fig = px.line(df.sort_values({x!r}, kind='stable'), {', '.join(options)})"
    keys = [it for it in (spec.facet, spec.color) if it] + [x]
    method = aggregates.PANDAS[spec.aggregate]
    options.append(f"labels={{{y!r}: {title!r}}}")
    return (
        f"joined = df.groupby({keys!r})[{y!r}].{method}.reset_index()\n"
        f"fig = px.line(joined, {', '.join(options)})"
    )
