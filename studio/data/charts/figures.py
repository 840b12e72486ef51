"""Parts of Plotly figures: packed arrays, text that is no markup, panels side by side."""

import base64
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data.cells import cut

Doc = dict[str, Any]
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star")
_GAP = 0.04, 0.12  # between columns, and between rows, where the titles are
_LABEL = 60  # characters of a label


def packed(values: NDArray[Any]) -> Doc:
    """A typed array: {dtype, bdata}, for two dimensions with its shape."""
    kind = {"i": "<i4", "u": "<i4"}.get(values.dtype.kind, "<f8")
    if kind == "<i4" and values.size and int(np.abs(values).max()) > 2**31 - 1:
        kind = "<f8"
    data = np.ascontiguousarray(values, kind)
    document = {"dtype": kind[1:], "bdata": base64.b64encode(data.tobytes()).decode()}
    if values.ndim > 1:
        document["shape"] = ", ".join(str(it) for it in values.shape)
    return document


def words(text: str) -> str:
    """Text as Plotly shows it as it is: Plotly reads some HTML."""
    short = text if len(text) <= _LABEL else f"{text[:_LABEL]}…"
    return cut(short).replace("&", "&amp;").replace("<", "&lt;")


@dataclass(frozen=True)
class Axis:
    """`kind` is Plotly's type of axis; `categories` in their order."""

    title: str
    kind: str = "linear"
    categories: tuple[str, ...] | None = None

    def document(self) -> Doc:
        found: Doc = {"title": {"text": words(self.title)}, "type": self.kind}
        if self.categories is not None:
            found["categoryorder"] = "array"
            found["categoryarray"] = [words(it) for it in self.categories]
        return found


def looks(place: int) -> Doc:
    """What tells a group apart: a colour of the theme's, a dash, a symbol."""
    return {"color": place, "dash": DASHES[place % 6], "symbol": SYMBOLS[place % 8]}


def panels(titles: list[str], x: Axis, y: Axis) -> tuple[Doc, list[Doc]]:
    """A layout of small multiples with the same axes, and of each the axes of its traces."""
    if len(titles) < 2:
        return {"xaxis": x.document(), "yaxis": y.document()}, [{}]
    columns = min(3, len(titles))
    rows = math.ceil(len(titles) / columns)
    layout: Doc = {"annotations": []}
    places = []
    for number, title in enumerate(titles):
        row, column = divmod(number, columns)
        across, down = _span(column, columns, _GAP[0]), _span(rows - 1 - row, rows, _GAP[1])
        name = "" if number == 0 else str(number + 1)
        bottom, left = number + columns >= len(titles), column == 0
        layout[f"xaxis{name}"] = _axis(x, across, f"y{name}", bottom, number)
        layout[f"yaxis{name}"] = _axis(y, down, f"x{name}", left, number)
        layout["annotations"].append(_heading(title, across, down))
        places.append({"xaxis": f"x{name}", "yaxis": f"y{name}"})
    return layout, places


def _span(place: int, count: int, gap: float) -> list[float]:
    width = (1 - gap * (count - 1)) / count
    start = place * (width + gap)
    return [round(start, 4), round(start + width, 4)]


def _axis(axis: Axis, domain: list[float], anchor: str, labelled: bool, number: int) -> Doc:
    letter = "y" if anchor.startswith("x") else "x"
    document = {**axis.document(), "domain": domain, "anchor": anchor}
    if not labelled:
        document.pop("title")
        document["showticklabels"] = False
    if number:
        document["matches"] = letter
    return document


def _heading(title: str, across: list[float], down: list[float]) -> Doc:
    return {
        "text": words(title),
        "x": sum(across) / 2,
        "y": down[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
    }
