"""CSV text as arrays of numbers, block by block.

It finds the fault in a text that cannot be read and names line and column.
"""

import csv
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from studio.algorithms.base import UserError

Floats = npt.NDArray[np.float32]

MOST_COLUMNS = 1_000_000
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Dialect:
    """How the lines of one text look. `missing`: whether a cell may be empty (NaN)."""

    name: str
    delimiter: str
    columns: int
    missing: bool


def without_mark(data: bytes) -> bytes:
    """The first block of a text without the byte order mark that some editors write."""
    return data.removeprefix(_BOM)


def dialect(data: bytes, name: str, delimiters: str, missing: bool) -> Dialect:
    """The dialect of a text that begins with `data`. Raises UserError when its first line is a
    header."""
    first = next((line for line in io.BytesIO(data) if line.strip()), b"")
    line = first.decode("utf-8", "replace").rstrip("\r\n")
    # The delimiter is the one that is there; a text of one column has none.
    delimiter = max(delimiters, key=line.count)
    if line.count(delimiter) >= MOST_COLUMNS:
        raise UserError(f"The first line of {name} has more than {MOST_COLUMNS} columns.")
    return Dialect(name, delimiter, _header_check(line, delimiter, name), missing)


@np.errstate(over="ignore")
def parse(data: bytes, form: Dialect, first_line: int = 1) -> Floats:
    """float32 [n, columns] of whole lines, the first of which has the number `first_line`; a number
    beyond float32 is infinite.

    What Arrow refuses is read, or its fault found, line by line. Raises UserError.
    """
    import pyarrow
    from pyarrow import csv as arrow_csv

    types = {f"f{number}": pyarrow.float32() for number in range(form.columns)}
    try:
        table = arrow_csv.read_csv(
            pyarrow.BufferReader(data),
            read_options=arrow_csv.ReadOptions(autogenerate_column_names=True),
            parse_options=arrow_csv.ParseOptions(delimiter=form.delimiter),
            convert_options=arrow_csv.ConvertOptions(column_types=types, null_values=_MISSING),
        )
    except pyarrow.ArrowException:
        return _by_line(data, form, first_line)
    other_width = table.num_columns != form.columns
    if other_width or (not form.missing and any(column.null_count for column in table.columns)):
        return _by_line(data, form, first_line)
    return from_arrow(table)


@np.errstate(over="ignore")
def from_arrow(table: Any) -> Floats:
    """A pyarrow table of numbers as float32 [n, columns], row by row; null is NaN."""
    array = np.empty((table.num_rows, table.num_columns), np.float32)
    for number, column in enumerate(table.columns):
        array[:, number] = column.to_numpy(zero_copy_only=False)
    return array


def _header_check(line: str, delimiter: str, name: str) -> int:
    """Number of columns. Raises UserError when the first line is a header."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise UserError(f"The first line of {name} cannot be read as CSV: {error}.") from error
    for cell in cells:
        if _number(cell) is None:
            raise UserError(
                f"Non-numeric value '{cell[:40]}' found in the header line '{line[:50]}...' of "
                f"{name}. CSV format require no header line in it. If header line is "
                "already removed, the algorithm does not accept non-numeric value in the data."
            )
    return len(cells)


def _by_line(data: bytes, form: Dialect, first_line: int) -> Floats:
    """Raises UserError for the first line of another width and the first cell that is no
    number."""
    reader = csv.reader(
        io.StringIO(data.decode("utf-8", "replace"), newline=""), delimiter=form.delimiter
    )
    rows = []
    try:
        for cells in filter(None, reader):
            number = first_line + reader.line_num - 1
            if len(cells) != form.columns:
                raise UserError(
                    f"Line {number} of {form.name} has {len(cells)} columns where "
                    f"the first line has {form.columns}."
                )
            rows.append([_cell(cell, form, (number, n + 1)) for n, cell in enumerate(cells)])
    except csv.Error as error:
        raise UserError(
            f"Line {first_line + reader.line_num - 1} of {form.name} cannot be read as CSV: "
            f"{error}."
        ) from error
    return np.asarray(rows, np.float32).reshape(len(rows), form.columns)


def _cell(text: str, form: Dialect, position: tuple[int, int]) -> float:
    value = _number(text)
    place = "line {}, column {}".format(*position)
    if value is None:
        raise UserError(
            f"Non-numeric value '{text[:40]}' found in {place} of {form.name}. "
            "Every column must hold numbers."
        )
    if math.isnan(value) and not form.missing:
        raise UserError(
            f"Missing value in {place} of {form.name}: "
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
