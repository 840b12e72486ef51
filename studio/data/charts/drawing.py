"""What every kind of chart gives, and how its panels and groups are put together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from studio.data.charts.figures import Axis, Doc, looks, panels, words
from studio.data.charts.frames import Categories, Frame
from studio.data.protocol.charts import ChartSpec, Fact
from studio.data.protocol.data import Cell

MOST_COLORS, MOST_FACETS = 10, 9
MOST_ROWS = 1_000  # of the table


@dataclass(frozen=True)
class Part:
    """The rows of one group in one panel. `share`: how much of what may be drawn is for it."""

    rows: NDArray[Any]
    color: str | None
    place: int
    facet: str | None
    share: float


@dataclass
class Drawn:
    """Traces and rows of the table of one part, which may be the first of `height`; `shown`: rows
    of the data in them."""

    traces: list[Doc]
    table: list[list[Cell]]
    shown: int
    height: int | None = None
    facts: list[Fact] = field(default_factory=list)


class Kind(Protocol):
    """A kind of chart for one frame: decides on axes and bins once, then draws part by part."""

    x: Axis
    y: Axis
    columns: list[str]  # of the table
    layout: Doc
    title: str
    code: str  # after `df` holds the rows

    def draw(self, part: Part) -> Drawn:
        """The part's traces, without axes and names."""


@dataclass
class Chart:
    """A chart as a whole."""

    figure: Doc
    columns: list[str]
    table: list[list[Cell]]
    height: int  # rows of the table, of which there may be only the first
    shown: int
    title: str
    facts: list[Fact]
    code: str


def composed(kind: Kind, frame: Frame, spec: ChartSpec, colored: bool = True) -> Chart:
    """All groups of all panels. Without `colored` spec.color is the kind's own affair."""
    colors = frame.categories(spec.color, MOST_COLORS, True) if spec.color and colored else None
    facets = frame.categories(spec.facet, MOST_FACETS) if spec.facet else None
    titles = [f"{spec.facet} = {it}" for it in facets.labels] if facets else []
    layout, axes = panels(titles, kind.x, kind.y)
    traces: list[Doc] = []
    chart = Chart({}, _columns(kind, spec, colors, facets), [], 0, 0, kind.title, [], kind.code)
    seen: set[int] = set()
    for panel, part in _parts(frame, colors, facets):
        drawn = kind.draw(part)
        for trace in drawn.traces:
            traces.append({**trace, **axes[panel], **_named(trace, part, part.place in seen)})
        seen |= {part.place} if drawn.traces else set()
        chart.table += [[*_lead(part), *row] for row in drawn.table]
        chart.height += len(drawn.table) if drawn.height is None else drawn.height
        chart.shown += drawn.shown
        chart.facts += [_of_part(it, part) for it in drawn.facts]
    chart.figure = {"data": traces, "layout": {**layout, **kind.layout, "showlegend": bool(colors)}}
    if colors:
        chart.figure["layout"]["legend"] = {"title": {"text": words(spec.color or "")}}
    return chart


def _parts(
    frame: Frame, colors: Categories | None, facets: Categories | None
) -> Iterator[tuple[int, Part]]:
    """Each panel's groups, the panel's number first."""
    all_rows = np.arange(len(frame))
    for panel, facet in enumerate(facets.labels if facets else [None]):
        inside = np.flatnonzero(facets.codes == panel) if facets else all_rows
        for place, color in enumerate(colors.labels if colors else [None]):
            rows = inside[colors.codes[inside] == place] if colors else inside
            share = len(rows) / max(len(frame), 1)
            yield panel, Part(rows, color, place, facet, share)


def _named(trace: Doc, part: Part, again: bool) -> Doc:
    meta = {**looks(part.place), **trace.get("meta", {})}
    if part.color is None:
        return {"meta": meta, "showlegend": False}
    legend = trace.get("showlegend", True) and not again
    group = f"group{part.place}"
    return {"meta": meta, "name": words(part.color), "legendgroup": group, "showlegend": legend}


def _columns(
    kind: Kind, spec: ChartSpec, colors: Categories | None, facets: Categories | None
) -> list[str]:
    lead = [spec.facet] if facets else []
    lead += [spec.color] if colors else []
    return [*(it or "" for it in lead), *kind.columns]


def _lead(part: Part) -> list[Cell]:
    return [it for it in (part.facet, part.color) if it is not None]


def _of_part(fact: Fact, part: Part) -> Fact:
    lead = ", ".join(str(it) for it in _lead(part))
    return Fact(f"{lead}: {fact.name}", fact.value, fact.words) if lead else fact
