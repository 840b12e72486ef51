"""Charts of distributions side by side: boxes and violins."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data.charts.drawing import MOST_ROWS, Drawn, Part
from studio.data.charts.figures import Axis, Doc, packed, words
from studio.data.charts.frames import Categories, Frame, spread
from studio.data.charts.points import axis, grouped_options
from studio.data.protocol.charts import ChartSpec
from studio.data.protocol.data import Cell

Array = NDArray[Any]

MOST_BOXES = 30
_MOST_OUTSIDE = 100  # points of a box
_MOST_VIOLIN = 2_000  # values of a violin


class _Side:
    """y, and the categories of x that it is looked at for."""

    def __init__(self, frame: Frame, spec: ChartSpec, what: str) -> None:
        self._ys = frame.finite(spec.y or "", what)
        self.note = frame.note
        self.categories = _categories(frame, spec)
        by = f" by {spec.x}" if spec.x else ""
        self.title = f"Distribution of {spec.y}{by}"
        self.x = Axis(spec.x or "", "category", tuple(self.categories.labels))
        self.y = axis(frame, spec.y or "")
        self.lead = [spec.x] if spec.x else []

    def values(self, part: Part) -> list[tuple[str, Array]]:
        """Of each category its values in order, of those that have some."""
        codes, ys = self.categories.codes[part.rows], self._ys[part.rows]
        found = []
        for place, label in enumerate(self.categories.labels):
            own = ys[codes == place]
            own = np.sort(own[~np.isnan(own)])
            found += [(label, own)] if len(own) else []
        return found


class Boxes(_Side):
    """Quartiles, whiskers at the last value within 1.5 interquartile ranges, points beyond."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        super().__init__(frame, spec, "A box plot")
        self.layout: Doc = {"boxmode": "group"}
        self.columns = [
            *self.lead,
            "rows",
            "lower whisker",
            "q1",
            "median",
            "q3",
            "upper whisker",
            "mean",
            "beyond",
        ]
        self.code = _code("box", spec)

    def draw(self, part: Part) -> Drawn:
        found = self.values(part)
        if not found:
            return Drawn([], [], 0)
        boxes = [_Box(values) for _, values in found]
        names = [words(label) for label, _ in found]
        trace: Doc = {"type": "box", "x": names, "boxpoints": "outliers", **_beside(part)}
        for place, name in enumerate(("lowerfence", "q1", "median", "q3", "upperfence", "mean")):
            trace[name] = packed(np.array([it.figures[place] for it in boxes]))
        trace["y"] = [it.beyond[spread(len(it.beyond), _MOST_OUTSIDE)].tolist() for it in boxes]
        if any(len(it.beyond) > _MOST_OUTSIDE for it in boxes):
            self.note(f"Of the points beyond the whiskers {_MOST_OUTSIDE} a box are drawn.")
        table = [
            [*self._lead(label), len(values), *it.figures, len(it.beyond)]
            for (label, values), it in zip(found, boxes, strict=True)
        ]
        return Drawn([trace], table[:MOST_ROWS], sum(len(values) for _, values in found))

    def _lead(self, label: str) -> list[Cell]:
        return [label] if self.lead else []


class Violins(_Side):
    """The density of at most _MOST_VIOLIN values of each category, those in even ranks."""

    def __init__(self, frame: Frame, spec: ChartSpec) -> None:
        super().__init__(frame, spec, "A violin")
        self.layout: Doc = {"violinmode": "group"}
        self.columns = [*self.lead, "rows", "min", "q1", "median", "q3", "max", "mean"]
        self.code = _code("violin", spec)

    def draw(self, part: Part) -> Drawn:
        found = self.values(part)
        if not found:
            return Drawn([], [], 0)
        drawn = [(label, values[spread(len(values), _MOST_VIOLIN)]) for label, values in found]
        if any(len(values) > _MOST_VIOLIN for _, values in found):
            self.note(f"A density is drawn from {_MOST_VIOLIN:,} values, in even ranks.")
        trace: Doc = {
            "type": "violin",
            "x": [words(label) for label, values in drawn for _ in values],
            "y": packed(np.concatenate([values for _, values in drawn])),
            "box": {"visible": True},
            "points": False,
            "spanmode": "hard",
            **_beside(part),
        }
        table = [self._row(label, values) for label, values in found]
        return Drawn([trace], table[:MOST_ROWS], sum(len(values) for _, values in found))

    def _row(self, label: str, values: Array) -> list[Cell]:
        at = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
        return [*([label] if self.lead else []), len(values), *at, float(values.mean())]


class _Box:
    """Of sorted values."""

    def __init__(self, values: Array) -> None:
        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        far = 1.5 * (q3 - q1)
        inside = values[(values >= q1 - far) & (values <= q3 + far)]
        low, high = (inside[0], inside[-1]) if len(inside) else (q1, q3)
        self.beyond = values[(values < low) | (values > high)]
        self.figures = [float(it) for it in (low, q1, median, q3, high, values.mean())]


def _beside(part: Part) -> Doc:
    """Groups of one category stand side by side, in every panel at the same place."""
    return {"alignmentgroup": "all", "offsetgroup": f"group{part.place}"}


def _categories(frame: Frame, spec: ChartSpec) -> Categories:
    if spec.x is None:
        return Categories([""], np.zeros(len(frame), np.int64), 1)
    return frame.categories(spec.x, MOST_BOXES)


def _code(kind: str, spec: ChartSpec) -> str:
    options = [*([f"x={spec.x!r}"] if spec.x else []), f"y={spec.y!r}", *grouped_options(spec)]
    more = ", box=True, points=False" if kind == "violin" else ""
    code = f"fig = px.{kind}(df, {', '.join(options)}{more})"
    return f"{code}\nfig.update_xaxes(type='category')" if spec.x else code
