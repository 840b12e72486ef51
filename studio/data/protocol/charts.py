"""The verb `chart`: a figure of some columns."""

from dataclasses import dataclass, field
from typing import Any, Literal

from studio.data.protocol.data import Cell, Condition, DataFacts, Source

Kind = Literal[
    "scatter",  # x, y numbers or times; color, facet
    "line",  # x, y; aggregate joins rows of one x; color, facet
    "timeseries",  # x a time, y; aggregate by steps of time that fit the width; color, facet
    "bar",  # x a category, y with aggregate, or no y: counts; color, facet
    "count",  # x a category: how many rows of each; color, facet
    "histogram",  # x a number or time; bins; color, facet
    "box",  # y a number, x a category (may be absent); color, facet
    "violin",  # as box
    "heatmap",  # x, y; bins when numbers; count, or aggregate of `value`
    "correlation",  # columns (absent: the first 20); method
    "pair",  # columns, at most 6 numbers (absent: the first 4); color
    "regression",  # x, y numbers: straight line with a 95 % band; color, facet
]

Aggregate = Literal["count", "sum", "mean", "median", "min", "max", "std"]


@dataclass(frozen=True)
class ChartSpec:
    """What a chart shows. Which fields a kind needs is said beside the kind; others are ignored."""

    kind: Kind
    x: str | None = None
    y: str | None = None
    value: str | None = None  # heatmap: what is aggregated
    color: str | None = None  # a category (the 10 commonest, then "other"); scatter: or a number
    facet: str | None = None  # a category: small multiples of the 9 commonest
    aggregate: Aggregate | None = None
    bins: int | None = None  # 1 to 500; None: by Freedman and Diaconis
    columns: list[str] = field(default_factory=list)  # correlation, pair
    method: Literal["pearson", "spearman"] = "pearson"  # correlation of two numbers
    filters: list[Condition] = field(default_factory=list)
    sample: int | None = None  # at most that many rows go in, spread evenly; None: all


@dataclass(frozen=True)
class ChartRequest:
    source: Source
    spec: ChartSpec


@dataclass(frozen=True)
class Table:
    """The chart's numbers to read: the first rows of `total`."""

    columns: list[str]
    rows: list[list[Cell]]  # at most 1,000
    total: int


@dataclass(frozen=True)
class Fact:
    """A figure with its name, for a list beside the chart."""

    name: str
    value: Cell
    words: str  # how it was found: formula and source


@dataclass(frozen=True)
class ChartAnswer:
    """`figure` is a Plotly figure without colours: traces have `meta.color`, a place in the
    theme's colorway (also `meta.dash` and `meta.symbol`, to tell apart without colour), and
    arrays as {dtype, bdata, shape?}. `meta.scale` is "sequential" or "diverging"."""

    figure: dict[str, Any]
    table: Table
    code: str  # makes the same chart in a notebook with pandas and plotly
    title: str
    summary: str  # for those who cannot see the chart
    shown: int  # rows that are in the figure, as points or in aggregates ...
    total: int  # ... of those that match the filters
    rows: int  # ... of all rows
    notes: list[str]  # "2,000 of 1,000,000 points are drawn, spread evenly"
    facts: list["Fact"]  # regression, correlation: n, slope, R2, ...
    data: DataFacts
