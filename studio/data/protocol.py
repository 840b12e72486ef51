"""What is asked of the data worker, and what it answers.

Transport
    One JSON document a line. Requests on the worker's stdin:

        {"id": "7", "verb": "profile", "args": {...}}      args: one of the *Request classes below
        {"id": "7", "cancel": true}                        nothing more comes of request 7

    Answers on its stdout, those of several requests mixed:

        {"id": "7", "part": {...}}                         more is coming
        {"id": "7", "part": {...}, "final": true}          the last one
        {"id": "7", "error": {"code": ..., "message": ...}, "final": true}

    `POST data/<verb>` takes `args` as its body and answers the same lines as NDJSON. A cancelled
    request gets no further line. The worker is started as

        python -m studio.data.worker --root DIR [--cache DIR] [--memory BYTES]

    reads files below --root only, keeps converted data in --cache (bounded, shared by workers),
    and ends when its stdin does.

Verbs
    profile   ProfileRequest -> ProfilePart ...    a sample first, then column by column, exact
    rows      RowsRequest    -> RowsAnswer         one window
    chart     ChartRequest   -> ChartAnswer        one figure
    compare   CompareRequest -> ComparePart ...    facts first, then column by column
    prepare   PrepareRequest -> PrepareAnswer      training channels, written to S3

    While a file is read for the first time (later requests find it converted) any verb may send
    parts that hold nothing but {"progress": 0..1, "doing": "reading sales.csv"}: see Progress.

Values
    Members are spelled as the fields below; a field with a default may be left out of a request.
    Unknown members are refused. Numbers that JSON has no word for (NaN, infinities) are null, in
    cells of rows the strings "Infinity" and "-Infinity"; integers beyond 2**53 are strings; times
    are ISO 8601 in UTC, without offset. All text is data: nothing in it is HTML, except that
    figures have `&` and `<` escaped where Plotly would read markup.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

Cell = str | int | float | bool | None

Format = Literal["csv", "parquet", "jsonl"]


@dataclass(frozen=True)
class Source:
    """Where the data lies: `uri` or `path`. The rest overrules what is guessed."""

    uri: str | None = None  # s3://bucket/key, or s3://bucket/prefix/ of several files of one format
    path: str | None = None  # a file or folder below the Jupyter server's root, separated by /
    format: Format | None = None
    delimiter: str | None = None  # CSV: one character
    header: bool | None = None  # CSV: whether the first line names the columns
    encoding: str | None = None  # CSV, JSON lines: a Python codec


Op = Literal[
    "equals",  # value
    "differs",  # value; missing cells do not differ
    "less",
    "at_most",
    "greater",
    "at_least",
    "between",  # value: [low, high], both included
    "outside",  # value: [low, high], not between
    "in",  # value: a list
    "contains",  # text, case counts
    "starts_with",
    "ends_with",
    "matches",  # a regular expression (RE2), found anywhere
    "missing",
    "present",
    "infinite",
    "duplicated",  # whole rows that were there before; no column
]


@dataclass(frozen=True)
class Condition:
    """One condition on a row; several hold together. Times are compared as ISO strings."""

    op: Op
    column: str | None = None
    value: Any = None


@dataclass(frozen=True)
class Sort:
    """Missing cells come last, whichever the direction."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class ProfileRequest:
    source: Source
    target: str | None = None  # the column to predict: adds power, leakage, imbalance, drift


@dataclass(frozen=True)
class RowsRequest:
    source: Source
    offset: int = 0  # among the rows that match
    limit: int = 100  # at most 1,000
    columns: list[str] | None = None  # None: the first 200; more only by name
    filters: list[Condition] = field(default_factory=list)
    sort: list[Sort] = field(default_factory=list)


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
class CompareRequest:
    source: Source  # the one to compare with: training data
    other: Source  # the one looked at: today's data


@dataclass(frozen=True)
class Progress:
    progress: float  # 0 to 1
    doing: str


@dataclass(frozen=True)
class File:
    name: str
    bytes: int
    rows: int | None  # None: not known yet


@dataclass(frozen=True)
class DataFacts:
    """What the data is. `rows_seen` of `rows` is the "n of N" of whatever stands beside it."""

    name: str
    format: Format
    bytes: int  # as stored, compressed or not
    files: list[File]
    file_count: int  # `files` names the first 100
    columns: list[str]
    rows: int | None  # None while it is not known
    rows_estimate: int | None  # while `rows` is None
    rows_seen: int
    complete: bool  # every row was looked at
    delimiter: str | None  # CSV
    header: bool | None  # CSV
    encoding: str | None
    notes: list[str]  # lines left out, columns renamed, ...: in words
    code: str  # Python that reads the same into a DataFrame `df`


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


@dataclass(frozen=True)
class ColumnType:
    name: str
    type: Literal["integer", "float", "boolean", "datetime", "text"]


@dataclass(frozen=True)
class RowsAnswer:
    columns: list[ColumnType]
    rows: list[list[Cell]]  # text of more than 1,000 characters is cut and says how long it is
    numbers: list[int]  # of each row in the data, from 0
    offset: int
    matching: int  # rows that match the filters ...
    total: int  # ... of all rows
    column_count: int  # of which `columns` are shown
    data: DataFacts
    code: str


@dataclass(frozen=True)
class Table:
    """The chart's numbers to read: the first rows of `total`."""

    columns: list[str]
    rows: list[list[Cell]]  # at most 1,000
    total: int


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


@dataclass(frozen=True)
class Fact:
    """A figure with its name, for a list beside the chart."""

    name: str
    value: Cell
    words: str  # how it was found: formula and source


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


# The worker's own errors; the message names the thing and the way out.
ErrorCode = Literal[
    "BadRequest",  # args that make no sense: a kind without its columns, an unknown column
    "NotFound",
    "AccessDenied",
    "Unreachable",  # S3 does not answer
    "UnsupportedFormat",
    "Unreadable",  # damaged, a line of more than 16 MiB, a bomb
    "TooLarge",  # over the memory or disk that the worker may take
    "Failed",  # a bug: the request died, others go on
]


@dataclass(frozen=True)
class PrepareRequest:
    """Texts of few values become a column of 0 and 1 for each value, other texts and times are
    left out; texts of the target become the numbers of classes. Rows without a target are dropped.
    """

    source: Source
    to: str  # s3://bucket/folder/: below it train/train.csv, validation/validation.csv
    target: str | None = None  # the label, written first; None: there is none
    features: list[str] | None = None  # None: all but the target
    filters: list[Condition] = field(default_factory=list)
    validation: float = 0.2  # share of rows, 0 to less than 1; 0: no second channel
    seed: int = 0  # of the shuffle
    missing: Literal["keep", "drop", "median"] = "keep"  # cells of features that are missing


@dataclass(frozen=True)
class Channel:
    name: str
    uri: str  # a folder, as a training job takes it
    rows: int
    bytes: int


@dataclass(frozen=True)
class LeftOut:
    column: str
    why: str


@dataclass(frozen=True)
class PrepareAnswer:
    channels: list[Channel]
    features: list[str]  # in the order of the columns, after the label
    classes: list[Cell]  # what the label's 0, 1, ... stand for; empty: it is a number
    left_out: list[LeftOut]
    rows: int
    dropped: int  # rows that are in no channel
    data: DataFacts
    code: str  # the same with pandas
