"""The verbs that answer with rows or write them: `rows`, `prepare`, `export`."""

from dataclasses import dataclass, field
from typing import Literal

from studio.data.protocol.data import Cell, Condition, DataFacts, Sort, Source


@dataclass(frozen=True)
class RowsRequest:
    source: Source
    offset: int = 0  # among the rows that match
    limit: int = 100  # at most 1,000
    columns: list[str] | None = None  # None: the first 200; more only by name
    filters: list[Condition] = field(default_factory=list)
    sort: list[Sort] = field(default_factory=list)


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
class ExportRequest:
    """Trial components as a table in a file of Parquet."""

    query: str  # of the query language; "" for all of them
    fields: list[str]  # or expressions of them: the columns, behind the names
    to: str  # a path below the folder that Jupyter shows
    replace: bool = False
    names: list[str] | None = None  # only the components of these names


@dataclass(frozen=True)
class ExportAnswer:
    to: str
    rows: int
    bytes: int


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
