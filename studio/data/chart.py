"""The verb `chart`: from what is asked for to a figure, its table and its code."""

from collections.abc import Callable
from typing import Any

import numpy as np

from studio.data import code, filters, store
from studio.data.charts import correlations, frames, heatmaps, pairs
from studio.data.charts.bars import Bars, Histogram
from studio.data.charts.boxes import Boxes, Violins
from studio.data.charts.drawing import MOST_ROWS, Chart, Kind, composed
from studio.data.charts.frames import Frame
from studio.data.charts.points import Line, Scatter, TimeSeries, is_scale
from studio.data.charts.regression import Regression
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartAnswer, ChartRequest, ChartSpec, Table
from studio.data.protocol.data import Cell
from studio.data.room import Room

_KINDS: dict[str, Callable[[Frame, ChartSpec], Kind]] = {
    "scatter": Scatter,
    "line": Line,
    "timeseries": TimeSeries,
    "bar": Bars,
    "count": Bars,
    "histogram": Histogram,
    "box": Boxes,
    "violin": Violins,
    "regression": Regression,
}
_NEEDS = {
    **dict.fromkeys(["scatter", "line", "timeseries", "heatmap", "regression"], ("x", "y")),
    **dict.fromkeys(["bar", "count", "histogram"], ("x",)),
    **dict.fromkeys(["box", "violin"], ("y",)),
}


def chart(request: ChartRequest, room: Room) -> ChartAnswer:
    """Raises DataError("BadRequest") for a kind without its columns."""
    spec = request.spec
    if spec.sample is not None and spec.sample < 1:
        raise DataError("BadRequest", "A sample has at least one row.")
    for role in _NEEDS.get(spec.kind, ()):
        if getattr(spec, role) is None:
            raise DataError("BadRequest", f"A {spec.kind} chart needs a column {role}.")
    data = store.load(request.source, room)
    with np.errstate(all="ignore"):  # what is no number in the end is not drawn
        frame, drawn = _drawn(data.table, spec)
    types = {it.name: it.type for it in data.table.schema}
    notes = list(dict.fromkeys([*frame.notes, *_counts(drawn, frame, data)]))
    return ChartAnswer(
        figure=drawn.figure,
        table=Table(drawn.columns, drawn.table[:MOST_ROWS], drawn.height),
        code=_code(drawn, spec, data, types),
        title=drawn.title,
        summary=_summary(drawn, notes),
        shown=drawn.shown,
        total=frame.total,
        rows=frame.rows,
        notes=notes,
        facts=drawn.facts,
        data=data.facts,
    )


def _drawn(table: Any, spec: ChartSpec) -> tuple[Frame, Chart]:
    if spec.kind == "correlation":
        names = correlations.columns(table, spec)
        frame = frames.framed(table, spec, names, correlations.MOST_ROWS)
        return frame, correlations.correlation(frame, spec)
    if spec.kind == "pair":
        names = pairs.columns(table, spec)
        color = [spec.color] if spec.color else []
        frame = frames.framed(table, spec, names + color)
        return frame, pairs.pairs(frame, spec, names)
    frame = frames.framed(table, spec, _columns(spec))
    if spec.kind == "heatmap":
        return frame, heatmaps.heatmap(frame, spec)
    kind = _KINDS[spec.kind](frame, spec)
    return frame, composed(kind, frame, spec, colored=not is_scale(frame, spec))


def _columns(spec: ChartSpec) -> list[str]:
    """Those that the kind looks at."""
    y = None if spec.kind in ("histogram", "count") else spec.y
    value = spec.value if spec.kind == "heatmap" else None
    groups = [spec.color, spec.facet] if spec.kind != "heatmap" else []
    return [it for it in (spec.x, y, value, *groups) if it is not None]


def _counts(drawn: Chart, frame: Frame, data: store.Data) -> list[str]:
    """The "n of N" of the chart."""
    found = []
    if drawn.shown < frame.total:
        found.append(f"{drawn.shown:,} of {frame.total:,} rows are in the chart.")
    if frame.total < frame.rows:
        found.append(f"{frame.total:,} of {frame.rows:,} rows match the filters.")
    if not data.facts.complete:
        found.append(f"Only the first {data.facts.rows_seen:,} rows were read.")
    return found


def _summary(drawn: Chart, notes: list[str]) -> str:
    spans = [_span(name, column) for name, *column in zip(drawn.columns, *drawn.table, strict=True)]
    facts = [f"{it.name} {_short(it.value)}" for it in drawn.facts if it.value is not None]
    said = [drawn.title, ", ".join(it for it in spans if it), ", ".join(facts)]
    return " ".join([*(f"{it}." for it in said if it), *notes])


def _span(name: str, values: list[Cell]) -> str:
    """What a column of the table goes from and to."""
    numbers = [it for it in values if isinstance(it, (int, float))]
    if numbers:
        return f"{name} from {_short(min(numbers))} to {_short(max(numbers))}"
    texts = list(dict.fromkeys(str(it) for it in values if it is not None))
    if not texts:
        return ""
    return f"{name} {texts[0]}" if len(texts) == 1 else f"{name} from {texts[0]} to {texts[-1]}"


def _short(value: Cell) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _code(drawn: Chart, spec: ChartSpec, data: store.Data, types: dict[str, Any]) -> str:
    parts = ["import plotly.express as px", data.facts.code, filters.pandas(spec.filters, types)]
    if spec.sample is not None:
        places = f"np.linspace(0, len(df) - 1, min(len(df), {spec.sample})).astype(int)"
        parts.append(f"import numpy as np\n\ndf = df.iloc[{places}]")
    return code.gathered([*parts, drawn.code, "fig.show()"])
