"""Each of some columns against each other."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.data import numbers
from studio.data.charts.drawing import MOST_COLORS, MOST_ROWS, Chart
from studio.data.charts.figures import Doc, looks, packed, words
from studio.data.charts.frames import Categories, Frame, shown, spread
from studio.data.charts.points import axis, there
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartSpec

Array = NDArray[Any]

_MOST, _SHOWN = 6, 4
_POINTS = 12_000  # in all panels
_GAP = 0.02


def columns(table: Any, spec: ChartSpec) -> list[str]:
    """Those asked for, or the first four numbers."""
    kinds = (pa.int64(), pa.float64())
    found = spec.columns or [it.name for it in table.schema if it.type in kinds][:_SHOWN]
    if not 2 <= len(found) <= _MOST or len(set(found)) < len(found):
        raise DataError("BadRequest", f"A pair plot has 2 to {_MOST} different columns of numbers.")
    return found


def pairs(frame: Frame, spec: ChartSpec, names: list[str]) -> Chart:
    """Points below the diagonal, of the same rows in every panel; distributions on it."""
    values = {it: frame.finite(it, "A pair plot") for it in names}
    whole = there(np.arange(len(frame)), *values.values())
    panels = max(len(names) * (len(names) - 1) // 2, 1)
    rows = whole[spread(len(whole), math.ceil(_POINTS / panels))]
    if len(rows) < len(whole):
        frame.notes.append(f"{len(rows):,} of {len(whole):,} points a panel, spread evenly.")
    colors = frame.categories(spec.color, MOST_COLORS, True) if spec.color else None
    traces: list[Doc] = []
    layout: Doc = {"showlegend": bool(colors), "barmode": "stack", "bargap": 0}
    for row, y in enumerate(names):
        for column, x in enumerate(names[: row + 1]):
            number = row * len(names) + column + 1
            own = _Panel(number, {it: values[it] for it in (x, y)}, x, y)
            layout |= own.axes(frame, (row, column), len(names))
            traces += own.bars(whole, colors) if x == y else own.points(rows, colors)
    for place, trace in enumerate(traces):
        first = all(it["meta"]["color"] != trace["meta"]["color"] for it in traces[:place])
        trace["showlegend"] = bool(colors) and first
    table = [
        [shown(values[it][row], frame.is_time(it)) for it in names] for row in rows[:MOST_ROWS]
    ]
    color = f", color={spec.color!r}" if spec.color else ""
    code = f"fig = px.scatter_matrix(df, dimensions={names!r}{color})"
    figure = {"data": traces, "layout": layout}
    title = f"Pairs of {len(names)} columns"
    return Chart(figure, names, table, len(rows), len(rows), title, [], code)


class _Panel:
    """One column against another, or its distribution."""

    def __init__(self, number: int, values: dict[str, Array], x: str, y: str) -> None:
        self._end = "" if number == 1 else str(number)
        self._values, self._x, self._y = values, x, y

    def axes(self, frame: Frame, at: tuple[int, int], count: int) -> Doc:
        (row, column), end = at, self._end
        size = (1 - _GAP * (count - 1)) / count
        left, down = column * (size + _GAP), (count - 1 - row) * (size + _GAP)
        across, up = axis(frame, self._x).document(), axis(frame, self._y).document()
        if self._x == self._y:
            up = {"title": {"text": words("rows")}, "type": "linear"}
        if row < count - 1:
            across = {**across, "title": {"text": ""}, "showticklabels": False}
        if column:
            up = {**up, "title": {"text": ""}, "showticklabels": False}
        return {
            f"xaxis{end}": {**across, "domain": [left, left + size], "anchor": f"y{end}"},
            f"yaxis{end}": {**up, "domain": [down, down + size], "anchor": f"x{end}"},
        }

    def points(self, rows: Array, colors: Categories | None) -> list[Doc]:
        return [
            self._trace(
                place,
                name,
                {
                    "type": "scatter",
                    "mode": "markers",
                    "marker": {"size": 4},
                    "x": packed(self._values[self._x][own]),
                    "y": packed(self._values[self._y][own]),
                },
            )
            for place, name, own in _groups(rows, colors)
        ]

    def bars(self, rows: Array, colors: Categories | None) -> list[Doc]:
        values = self._values[self._x]
        if not len(rows):
            return []
        counted = numbers.counted(values[rows])
        low, high = numbers.quantiles(counted, (0.25, 0.75))
        edges = numbers.bin_edges(counted, (low, high))
        found = []
        for place, name, own in _groups(rows, colors):
            counts = numbers.bin_counts(numbers.counted(values[own]), edges)
            found.append(
                self._trace(
                    place,
                    name,
                    {
                        "type": "bar",
                        "x": packed((edges[:-1] + edges[1:]) / 2),
                        "y": packed(counts),
                        "width": packed(np.diff(edges)),
                    },
                )
            )
        return found

    def _trace(self, place: int, name: str, trace: Doc) -> Doc:
        named = {"name": words(name), "legendgroup": f"group{place}"} if name else {}
        at = {"xaxis": f"x{self._end}", "yaxis": f"y{self._end}"}
        return {**trace, **named, **at, "meta": looks(place)}


def _groups(rows: Array, colors: Categories | None) -> list[tuple[int, str, Array]]:
    if colors is None:
        return [(0, "", rows)]
    codes = colors.codes[rows]
    groups = [(place, name, rows[codes == place]) for place, name in enumerate(colors.labels)]
    return [it for it in groups if len(it[2])]
