"""The correlation of all pairs of some columns."""

from textwrap import dedent
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.data.charts.associations import WORDS, Side, association
from studio.data.charts.drawing import Chart
from studio.data.charts.figures import Doc, packed, words
from studio.data.charts.frames import Frame
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartSpec, Fact
from studio.data.protocol.data import Cell

Array = NDArray[Any]

MOST_ROWS = 200_000  # spread evenly, where nobody asked for a sample
_MOST, _SHOWN = 40, 20
_LOOK, _MANY = 10_000, 100  # rows; distinct texts among them: more are no categories
_TITLES = {
    "pearson": "Pearson's r",
    "spearman": "Spearman's rho",
    "cramer": "Cramer's V",
    "ratio": "Correlation ratio",
}


def columns(table: Any, spec: ChartSpec) -> list[str]:
    """Those asked for, or the first that are numbers or categories."""
    if len(spec.columns) > _MOST:
        raise DataError("BadRequest", f"A correlation has at most {_MOST} columns.")
    found = spec.columns or [it for it in table.column_names if _usable(table, it)][:_SHOWN]
    if len(found) < 2:
        raise DataError("BadRequest", "A correlation needs two columns of numbers or categories.")
    return found


def correlation(frame: Frame, spec: ChartSpec) -> Chart:
    """All pairs of columns; what is measured depends on their types."""
    names = list(frame.types)
    sides = [_side(frame, it) for it in names]
    grid = np.full((len(names), len(names)), np.nan)
    table: list[list[Cell]] = []
    for row, one in enumerate(sides):
        for column in range(row + 1):
            found = association(one, sides[column], spec.method)
            if found.value is not None:
                grid[row, column] = grid[column, row] = found.value
            if column < row:
                table.append([sides[column].name, one.name, found.value, found.measure, found.n])
    measures = list(dict.fromkeys(str(it[3]) for it in table))
    facts = [Fact(_TITLES[it], None, WORDS[it]) for it in measures]
    table.sort(key=lambda it: -abs(float(it[2] or 0)))
    labels = [words(it) for it in names]
    trace: Doc = {"type": "heatmap", "x": labels, "y": labels, "z": packed(grid)}
    trace |= {"coloraxis": "coloraxis", "hoverongaps": False, "zhoverformat": ".3f"}
    order = {"categoryorder": "array", "categoryarray": labels, "type": "category"}
    layout = {
        "xaxis": order,
        "yaxis": {**order, "autorange": "reversed"},
        "coloraxis": {"cmin": -1, "cmax": 1, "colorbar": {"title": {"text": ""}}},
        "meta": {"scale": "diverging"},
    }
    columns = ["column", "other column", "value", "measure", "n"]
    figure = {"data": [trace], "layout": layout}
    title = f"Correlation of {len(names)} columns"
    code = _code(names, spec, sides)
    return Chart(figure, columns, table, len(table), len(frame), title, facts, code)


def _usable(table: Any, name: str) -> bool:
    column = table.column(name).slice(0, _LOOK)
    if column.null_count == len(column):
        return False
    if column.type == pa.string():
        return 1 < len(column.unique()) <= _MANY
    return column.type in (pa.int64(), pa.float64(), pa.bool_())


def _side(frame: Frame, name: str) -> Side:
    if frame.types[name] == pa.string():
        return Side(name, None, frame.categories(name, len(frame)).codes)
    return Side(name, frame.finite(name, "A correlation", told=False), None)


def _code(names: list[str], spec: ChartSpec, sides: list[Side]) -> str:
    show = (
        "fig = px.imshow(grid, zmin=-1, zmax=1, color_continuous_scale='RdBu_r', text_auto='.2f')"
    )
    if all(it.numbers is not None for it in sides):
        return f"grid = df[{names!r}].astype(float).corr(method={spec.method!r})\n{show}"
    return f"{_MIXED.format(method=spec.method, names=names)}\n{show}"


_MIXED = dedent("""
    import numpy as np


    def association(one, other):
        both = pd.concat([one, other], axis=1).dropna()
        one, other = both.iloc[:, 0], both.iloc[:, 1]
        numbers = [pd.api.types.is_numeric_dtype(it) for it in (one, other)]
        if all(numbers):
            return one.astype(float).corr(other.astype(float), method={method!r})
        if any(numbers):  # correlation ratio
            values, groups = (one, other) if numbers[0] else (other, one)
            means = values.groupby(groups).transform("mean")
            between, whole = means - values.mean(), values - values.mean()
            return np.sqrt((between**2).sum() / (whole**2).sum())
        counts = pd.crosstab(one, other).to_numpy()  # Cramer's V, bias corrected
        n, (rows, columns) = counts.sum(), counts.shape
        expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / n
        phi2 = ((counts - expected) ** 2 / expected).sum() / n
        phi2 = max(phi2 - (rows - 1) * (columns - 1) / (n - 1), 0)
        size = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
        return np.sqrt(phi2 / size) if size > 0 else np.nan


    names = {names!r}
    grid = pd.DataFrame(
        [[association(df[one], df[other]) for one in names] for other in names], names, names
    )
""").strip()
