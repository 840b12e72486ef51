"""Fingerprints: numbers that look random, the same for the same cells, rows, columns."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.data import texts

Marks = NDArray[np.uint64]


def of_rows(table: Any) -> Marks:
    """Of each row; rows that are the same have the same."""
    total = np.zeros(len(table), np.uint64)
    for index, column in enumerate(table.columns):
        total += of_cells(column) * factor(np.uint64(index))
    return total


def of_cells(column: Any) -> Marks:
    """Of each cell of a column of a plain type."""
    if column.type == pa.string():
        return of_codes(texts.counted(column).codes)
    return of_numbers(column if column.type == pa.float64() else column.cast(pa.int64()))


def of_codes(codes: NDArray[Any]) -> Marks:
    """Of texts by their place among the distinct ones; missing is -1."""
    return _mixed(codes.astype(np.int64).view(np.uint64))


def of_numbers(column: Any) -> Marks:
    """Of int64 or float64, where 0.0 and -0.0 are the same."""
    array = column.combine_chunks()
    values = as_numpy(array.fill_null(0) if array.null_count else array)
    floats = values.dtype.kind == "f"
    marks = _mixed(((values + 0.0) if floats else values).view(np.uint64))
    if array.null_count:
        marks[as_numpy(array.is_null())] = 0
    return marks


def factor(place: Any) -> Any:
    """An odd factor: the same cell counts differently in each row, and in each column."""
    return _mixed(np.atleast_1d(place)) | np.uint64(1)


def as_numpy(column: Any) -> NDArray[Any]:
    """An array or chunked array without missing cells."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return found


def _mixed(bits: Marks) -> Marks:
    """The finalizer of SplitMix64."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits
