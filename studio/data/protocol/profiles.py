"""The verb `profile`: what is in each column, and what is odd about it."""

from dataclasses import dataclass, field
from typing import Literal

from studio.data.protocol.data import Cell, Condition, DataFacts, Source


@dataclass(frozen=True)
class ProfileRequest:
    source: Source
    target: str | None = None  # the column to predict: adds power, leakage, imbalance, drift


Semantic = Literal["number", "boolean", "category", "text", "datetime", "id", "empty"]


@dataclass(frozen=True)
class Histogram:
    """Numbers: `counts[i]` cells are in edges[i] <= v < edges[i + 1], the last one included."""

    edges: list[float]  # len(counts) + 1; of times: milliseconds since 1970
    counts: list[int]


@dataclass(frozen=True)
class Top:
    value: Cell
    count: int


@dataclass(frozen=True)
class Lengths:
    """Characters of text."""

    min: int
    mean: float
    max: int


@dataclass(frozen=True)
class ColumnProfile:
    """One column. Numbers only: mean to infinite; numbers and times: min, max, quantiles,
    histogram; text: lengths."""

    name: str
    index: int
    type: Literal["integer", "float", "boolean", "datetime", "text"]
    semantic: Semantic
    exact: bool  # False: of a sample
    rows: int  # looked at; count + missing
    count: int  # cells that are there
    missing: int
    missing_share: float  # 0 to 1, of rows
    distinct: int
    distinct_exact: bool  # False: only known to be about that many
    min: Cell = None
    max: Cell = None
    quantiles: list[Cell] = field(default_factory=list)  # at QUANTILES
    mean: float | None = None
    std: float | None = None  # of a sample: n - 1
    skew: float | None = None  # adjusted for n, as pandas
    zeros: int | None = None
    negative: int | None = None
    infinite: int | None = None  # left out of all other figures
    outliers: int | None = None  # beyond 3 interquartile ranges of the quartiles
    histogram: Histogram | None = None
    top: list[Top] = field(default_factory=list)  # at most 20, commonest first
    other: int = 0  # cells whose value is not in `top`
    examples: list[Cell] = field(default_factory=list)  # at most 5, spread over the rows
    lengths: Lengths | None = None
    power: float | None = None  # of the target: 0 none, 1 perfect; see definitions


QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)

Severity = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Finding:
    """Something to look at, worst first."""

    kind: str  # a key of definitions
    severity: Severity
    title: str  # "Duplicate rows"
    words: str  # "1,204 of 41,188 rows (2.9 %) are exact copies of an earlier row."
    columns: list[str]  # empty: the whole data set
    count: int | None  # rows or cells concerned
    share: float | None  # of all rows, 0 to 1
    fix: str | None  # pandas for a notebook cell, on `df`
    filters: list[Condition] | None  # shows the rows concerned
    exact: bool  # False: of a sample


@dataclass(frozen=True)
class ClassShare:
    value: Cell
    count: int
    share: float


@dataclass(frozen=True)
class TargetReport:
    """What can be said with a target. `powers` is also in the columns."""

    column: str
    task: Literal["binary", "multiclass", "regression"]
    classes: list[ClassShare]  # commonest first, at most 20; regression: empty
    powers: list[tuple[str, float]]  # strongest first
    rows: int  # how many rows the powers were found on
    words: str


@dataclass(frozen=True)
class ProfilePart:
    """The sample's part has every column; later ones have those that are exact now, which take
    the place of what was known. `findings` and `target` replace the former ones unless None."""

    phase: Literal["sample", "full"]
    progress: float  # 1: complete
    doing: str
    data: DataFacts
    columns: list[ColumnProfile]
    findings: list[Finding] | None
    target: TargetReport | None
    definitions: dict[str, str]  # of kinds of findings and of the figures: in the sample's part
