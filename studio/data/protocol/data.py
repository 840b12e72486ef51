"""Data sets: where they lie, what is known of them, which of their rows are meant; and errors."""

from dataclasses import dataclass
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
