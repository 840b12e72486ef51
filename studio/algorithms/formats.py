"""Training channels as arrays: CSV, libsvm, Parquet and RecordIO-protobuf files.

It finds the fault in a file that cannot be read and names file, line and column. It knows no
algorithm; what an algorithm accepts it says in `Accepted`.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.algorithms import libsvm, recordio
from studio.algorithms.base import Channel, UserError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"

ALIASES = {
    "csv": CSV,
    "text/csv": CSV,
    "libsvm": LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "application/x-recordio-protobuf": RECORDIO,
}
"""Content type without parameters, lower case -> format."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Accepted:
    """What an algorithm reads from a channel."""

    formats: tuple[str, ...]
    default: str
    """Format of a channel without content type."""
    label_size: int = 1
    """Leading CSV columns that are the label, unless the content type says `label_size`."""
    label_sizes: tuple[int, ...] = (1,)
    """The values of `label_size` that make sense."""
    missing: bool = False
    """Whether an empty CSV cell is a missing value (NaN); otherwise it is an error."""
    delimiters: str = ","
    weights: bool = False
    """Whether the CSV column behind the label is the weight of the row."""


@dataclass(frozen=True)
class Data:
    """A table: `features` float32 [n, d], dense or CSR; `labels` and `weights` float32 [n] or None.

    `groups` int64 [n] (libsvm's `qid:`) or None. `base` is the number of the first libsvm column.
    """

    features: Any
    labels: Floats | None
    weights: Floats | None = None
    groups: npt.NDArray[np.int64] | None = None
    base: int = 0

    @property
    def rows(self) -> int:
        return int(self.features.shape[0])

    @property
    def columns(self) -> int:
        return int(self.features.shape[1])


def read_channel(channel: Channel, accepted: Accepted) -> Data:
    """All files of a channel as one table.

    Raises UserError for an empty channel, a content type that is not accepted, and a file that
    cannot be read.
    """
    if channel.input_mode == "Pipe":
        raise UserError(
            f"Channel '{channel.name}' has the input mode Pipe, which is not supported here: "
            "use File or FastFile."
        )
    kind, label_size = negotiate(channel.content_type, accepted)
    files = channel_files(channel)
    if kind == CSV:
        return _read_csv(files, replace(accepted, label_size=label_size))
    if kind == LIBSVM:
        return _read_libsvm(files)
    if kind == PARQUET:
        return _read_parquet(files)
    records = recordio.concatenate([recordio.read_file(path) for path in files])
    return Data(records.features, records.labels)


def negotiate(content_type: str, accepted: Accepted) -> tuple[str, int]:
    """(format, label size) of a channel's content type. Raises UserError."""
    name, *parameters = (part.strip() for part in content_type.lower().split(";"))
    kind = ALIASES.get(name) if name else accepted.default
    if kind not in accepted.formats:
        names = ", ".join(alias for alias, kind in ALIASES.items() if kind in accepted.formats)
        raise UserError(f"{content_type} is not an accepted ContentType: {names}.")
    label_size = accepted.label_size
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "label_size" and kind == CSV:
            label_size = int(value) if value.strip().isdecimal() else -1
            if label_size not in accepted.label_sizes:
                sizes = " or ".join(str(size) for size in accepted.label_sizes)
                raise UserError(
                    f"{content_type} is not an accepted csv ContentType. "
                    f"Optional parameter label_size must be equal to {sizes}"
                )
    return kind, label_size


def channel_files(channel: Channel) -> list[Path]:
    """The data files of a channel, sorted: names that begin with `.` or `_` are none."""
    files = sorted(
        path
        for path in channel.folder.rglob("*")
        if path.is_file() and not path.name.startswith((".", "_")) and path.stat().st_size > 0
    )
    if not files:
        raise UserError(
            f"Channel '{channel.name}' is empty: there is no data file under "
            f"{channel.folder}. Check the S3 URI of the channel."
        )
    return files


# CSV


def _read_csv(files: Sequence[Path], accepted: Accepted) -> Data:
    try:
        tables = [_read_csv_file(path, accepted) for path in files]
    except csv.Error as error:
        raise UserError(f"A file cannot be read as CSV: {error}.") from error
    widths = {table.shape[1] for table in tables}
    if len(widths) > 1:
        raise UserError(f"The CSV files have different numbers of columns: {sorted(widths)}.")
    table = tables[0] if len(tables) == 1 else np.concatenate(tables)
    skip = accepted.label_size + accepted.weights
    if table.shape[1] <= skip:
        raise UserError(
            f"File '{files[0].name}' has {table.shape[1]} columns: "
            f"{skip + 1} or more are needed, the label first."
        )
    labels = table[:, 0] if accepted.label_size else None
    weights = table[:, accepted.label_size] if accepted.weights else None
    return Data(table[:, skip:], labels, weights)


def _read_csv_file(path: Path, accepted: Accepted) -> Floats:
    """float32 [n, columns]. What Arrow refuses is read, or its fault found, line by line."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        line = next((line.rstrip("\r\n") for line in file if line.strip()), "")
    # The delimiter is the one that is there; a file of one column has none.
    delimiter = max(accepted.delimiters, key=line.count)
    columns = _header_check(path, line, delimiter)
    types = {f"f{number}": pyarrow.float32() for number in range(columns)}
    try:
        table = arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter),
            convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=_MISSING),
        )
    except pyarrow.ArrowInvalid:
        return _read_csv_lines(path, delimiter, columns, accepted.missing)
    if not accepted.missing and any(column.null_count for column in table.columns):
        return _read_csv_lines(path, delimiter, columns, accepted.missing)
    return _table_array(table)


_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]


def _table_array(table: Any) -> Floats:
    """A pyarrow table of numbers as float32 [n, columns], row by row; null is NaN."""
    array = np.empty((table.num_rows, table.num_columns), np.float32)
    for number, column in enumerate(table.columns):
        array[:, number] = column.to_numpy(zero_copy_only=False)
    return array


def _header_check(path: Path, line: str, delimiter: str) -> int:
    """Number of columns. Raises UserError when the first line is a header."""
    cells = next(csv.reader([line], delimiter=delimiter), [])
    for cell in cells:
        if _number(cell) is None:
            raise UserError(
                f"Non-numeric value '{cell[:40]}' found in the header line '{line[:50]}...' of "
                f"file '{path.name}'. CSV format require no header line in it. If header line is "
                "already removed, the algorithm does not accept non-numeric value in the data."
            )
    return len(cells)


def _read_csv_lines(path: Path, delimiter: str, columns: int, missing: bool) -> Floats:
    """float32 [n, columns]. Raises UserError for the first line of another width and the first
    cell that is no number."""
    rows = []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        for cells in filter(None, reader):
            if len(cells) != columns:
                raise UserError(
                    f"Line {reader.line_num} of file '{path.name}' has {len(cells)} columns where "
                    f"the first line has {columns}."
                )
            line = reader.line_num
            rows.append([_cell(cell, missing, path, (line, n + 1)) for n, cell in enumerate(cells)])
    return np.asarray(rows, np.float32)


def _cell(text: str, missing: bool, path: Path, position: tuple[int, int]) -> float:
    value = _number(text)
    place = "line {}, column {}".format(*position)
    if value is None:
        raise UserError(
            f"Non-numeric value '{text[:40]}' found in {place} of file '{path.name}'. "
            "Every column must hold numbers."
        )
    if math.isnan(value) and not missing:
        raise UserError(
            f"Missing value in {place} of file '{path.name}': "
            "this algorithm needs a number in every column."
        )
    return value


def _number(cell: str) -> float | None:
    """The number in a cell, NaN for a missing one, None for text."""
    cell = cell.strip()
    if cell in _MISSING:
        return math.nan
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _read_libsvm(files: Sequence[Path]) -> Data:
    parts = [
        libsvm.parse(path.read_text(encoding="utf-8", errors="replace"), f"file '{path.name}'")
        for path in files
    ]
    rows, base, width = libsvm.join(parts)
    return Data(rows.matrix(base, width), rows.labels, rows.weights, rows.groups, base)


# Parquet


def _read_parquet(files: Sequence[Path]) -> Data:
    tables = [_read_parquet_file(path) for path in files]
    widths = {table.shape[1] for table in tables}
    if len(widths) > 1:
        raise UserError(f"The Parquet files have different numbers of columns: {sorted(widths)}.")
    if widths == {1}:
        raise UserError("The Parquet files have only one column: the label comes first, then data.")
    table = np.concatenate(tables)
    return Data(table[:, 1:], table[:, 0])


def _read_parquet_file(path: Path) -> Floats:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path).read()
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"File '{path.name}' cannot be read as Parquet: {error}") from error
    for name, column_type in zip(table.column_names, table.schema.types, strict=True):
        is_number = pyarrow.types.is_integer(column_type) or pyarrow.types.is_floating(column_type)
        if not is_number and not pyarrow.types.is_boolean(column_type):
            raise UserError(
                f"Column '{name}' of file '{path.name}' holds {column_type}: "
                "every column must hold numbers."
            )
    return _table_array(table)
