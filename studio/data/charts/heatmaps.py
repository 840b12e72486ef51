"""Heat maps: how many rows there are of each pair of values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data.charts import aggregates
from studio.data.charts.drawing import Chart
from studio.data.charts.figures import Axis, packed, words
from studio.data.charts.frames import Frame, shown
from studio.data.charts.points import axis
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartSpec
from studio.data.protocol.data import Cell

Array = NDArray[Any]

_MOST_CATEGORIES = 30
_BINS, _MOST_BINS = 30, 500


class _Steps:
    """One direction of a heat map: categories, or bins of numbers."""

    def __init__(self, frame: Frame, name: str, bins: int | None) -> None:
        self.name, self._time = name, False
        self._edges: Array | None = None
        counted = not frame.is_number(name) and not frame.is_time(name)
        if counted or (bins is None and _few(frame, name)):
            found = frame.categories(name, _MOST_CATEGORIES)
            self.codes, self.labels = found.codes, found.labels
            self.axis = Axis(name, "category", tuple(found.labels))
            return
        values, self._time = frame.finite(name, "A heat map"), frame.is_time(name)
        self._edges = _even(values, bins or _BINS)
        places = np.searchsorted(self._edges, values, side="right") - 1
        last = len(self._edges) - 2
        self.codes = np.where(np.isnan(values), -1, np.clip(places, 0, last))
        self.labels = [self._bin(it) for it in range(last + 1)]
        self.axis = axis(frame, name)

    def __len__(self) -> int:
        return len(self.labels)

    def places(self) -> Any:
        """What Plotly draws the cells at: the names, or the edges."""
        if self._edges is None:
            return [words(it) for it in self.labels]
        return packed(self._edges)

    def code(self) -> tuple[str, str]:
        """A statement that makes a column of `df`, and its name."""
        if self._edges is None:
            return "", self.name
        low, high = float(self._edges[0]), float(self._edges[-1])
        edges = f"np.linspace({low!r}, {high!r}, {len(self._edges)})"
        edges = f"pd.to_datetime({edges}, unit='ms')" if self._time else edges
        cut = f"pd.cut(df[{self.name!r}], {edges}, right=False, include_lowest=True)"
        new = f"{self.name} (bins)"
        return f"df[{new!r}] = {cut}.astype(str)\n", new

    def _bin(self, place: int) -> str:
        assert self._edges is not None  # bins are numbers
        low, high = self._edges[place : place + 2]
        if self._time:
            return f"{shown(low, True)} to {shown(high, True)}"
        return f"{low:.4g} to {high:.4g}"


def heatmap(frame: Frame, spec: ChartSpec) -> Chart:
    """Of each pair of values, or bins, how many rows there are, or an aggregate of spec.value."""
    x, y = _Steps(frame, spec.x or "", spec.bins), _Steps(frame, spec.y or "", spec.bins)
    how = spec.aggregate or ("mean" if spec.value else "count")
    if how != "count" and spec.value is None:
        raise DataError("BadRequest", f"A {how} needs a column `value`.")
    of = frame.finite(spec.value, "A heat map") if spec.value else np.zeros(len(frame))
    used = (x.codes >= 0) & (y.codes >= 0) & ~np.isnan(of)
    flat = y.codes[used] * len(x) + x.codes[used]
    grid = aggregates.grouped(how, flat, of[used], len(x) * len(y)).reshape(len(y), len(x))
    title = aggregates.named(how, spec.value) if spec.value else "rows"
    trace = {"type": "heatmap", "x": x.places(), "y": y.places(), "z": packed(grid)}
    trace |= {"coloraxis": "coloraxis", "hoverongaps": False}
    layout = {
        "xaxis": x.axis.document(),
        "yaxis": y.axis.document(),
        "coloraxis": {"colorbar": {"title": {"text": words(title)}}},
        "meta": {"scale": "sequential"},
    }
    there = [(b, a) for b, a in np.argwhere(np.isfinite(grid)) if how != "count" or grid[b, a]]
    table: list[list[Cell]] = [[x.labels[a], y.labels[b], float(grid[b, a])] for b, a in there]
    return Chart(
        {"data": [trace], "layout": layout},
        [spec.x or "", spec.y or "", title],
        table,
        len(table),
        int(used.sum()),
        f"{title} by {spec.x} and {spec.y}",
        [],
        _code(spec, x, y, how),
    )


def _few(frame: Frame, name: str) -> bool:
    return frame.is_whole(name) and frame.distinct(name) <= _MOST_CATEGORIES


def _even(values: Array, bins: int) -> Array:
    """Edges of bins of one width."""
    if not 1 <= bins <= _MOST_BINS:
        raise DataError("BadRequest", f"There are 1 to {_MOST_BINS} bins.")
    there = values[~np.isnan(values)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _code(spec: ChartSpec, x: _Steps, y: _Steps, how: str) -> str:
    (make_x, by_x), (make_y, by_y) = x.code(), y.code()
    pivot = f"index={by_y!r}, columns={by_x!r}"
    if spec.value is None:
        grid = f"df.groupby([{by_y!r}, {by_x!r}], sort=False).size().unstack()"
    else:
        grid = f"df.pivot_table({pivot}, values={spec.value!r}, aggfunc={how!r}, sort=False)"
    start = "import numpy as np\n\n" if make_x or make_y else ""
    return f"{start}{make_x}{make_y}fig = px.imshow({grid}, aspect='auto')"
