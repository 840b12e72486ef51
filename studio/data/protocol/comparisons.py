"""The verb `compare`: how two data sets differ."""

from dataclasses import dataclass
from typing import Literal

from studio.data.protocol.data import Cell, DataFacts, Source
from studio.data.protocol.profiles import Semantic


@dataclass(frozen=True)
class CompareRequest:
    source: Source  # the one to compare with: training data
    other: Source  # the one looked at: today's data


@dataclass(frozen=True)
class TwoSampleTest:
    """A test of "both come from one distribution". `adjusted`: for the number of columns, by
    Benjamini and Hochberg. Great n makes every p small: go by the effect."""

    name: str
    statistic: float
    p: float
    adjusted: float | None  # None until every column is known
    n: int
    other_n: int


@dataclass(frozen=True)
class Overlay:
    """Shares of both data sets in the same bins (`edges`) or of the same values (`labels`)."""

    edges: list[float] | None
    labels: list[Cell] | None
    shares: list[float]
    other_shares: list[float]


@dataclass(frozen=True)
class Drift:
    """How one column differs between the two data sets."""

    name: str
    type: str
    other_type: str
    semantic: Semantic
    effect: float  # 0 to 1: Kolmogorov-Smirnov's D, or Cramer's V; what the list is ordered by
    level: Literal["none", "small", "moderate", "large"]
    psi: float | None
    test: TwoSampleTest | None  # None: fewer than 5 cells on one side
    missing_share: float
    other_missing_share: float
    overlay: Overlay | None
    words: str


@dataclass(frozen=True)
class ComparePart:
    """`drifts` has the columns known so far, all of them, the strongest effect first."""

    progress: float
    doing: str
    data: DataFacts
    other: DataFacts
    missing: list[str]  # in `source` only
    added: list[str]  # in `other` only
    retyped: list[str]  # in both, of another type
    drifts: list[Drift]
    code: str
