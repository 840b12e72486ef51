"""Rows: sets of values of a metric at a time. They can be folded without losing what is asked.

A row says how many values there were, their sum, the smallest and the greatest. Sums, counts and
extremes of folded rows are exact. Percentiles come from narrow rows, whose values are alike within
a hundredth; only such are folded into one, so a percentile is off by a hundredth at most.
"""

import math
import struct
import zlib
from collections.abc import Iterable
from typing import NamedTuple

LARGEST = 2.0**360
"""CloudWatch takes no value beyond; sums of such values stay finite."""

_CELLS_OF_A_FOLD = 100.0
_BELOW_EVERY_LOG = 100_000
_NARROW = 0.02


class Row(NamedTuple):
    at: int
    """UTC milliseconds."""
    weight: float
    """How many values there were."""
    total: float
    low: float
    high: float


def row(at: int, value: float, weight: float = 1.0) -> Row:
    """`weight` times the same value."""
    return Row(at, weight, value * weight, value, value)


def cell(value: float) -> int:
    """Values of the same cell differ by a hundredth at most."""
    if value == 0.0:
        return 0
    number = math.floor(math.log(abs(value)) * _CELLS_OF_A_FOLD) + _BELOW_EVERY_LOG
    return number if value > 0 else -number


def narrow(each: Row) -> bool:
    """The row stands for values that are alike."""
    return each.high - each.low <= _NARROW * max(abs(each.low), abs(each.high))


def mean(each: Row) -> float:
    """The average of a row's values."""
    return min(max(each.total / each.weight, each.low), each.high)


def fold(rows: Iterable[Row], period: int) -> list[Row]:
    """The same values on times that are multiples of `period` milliseconds, in order of time."""
    cells: dict[tuple[int, int | None], Row] = {}
    for each in rows:
        at = each.at - each.at % period
        key = (at, cell(mean(each)) if narrow(each) else None)
        known = cells.get(key)
        cells[key] = _sum(at, known, each) if known else Row(at, *each[1:])
    return sorted(cells.values())


def pack(rows: list[Row]) -> bytes:
    """The rows as compressed columns; times as differences."""
    ats, *columns = zip(*rows, strict=True)
    steps = [after - before for before, after in zip((0, *ats), ats, strict=False)]
    count = len(rows)
    parts = [struct.pack(f"<{count}q", *steps)]
    parts += [struct.pack(f"<{count}d", *column) for column in columns]
    return zlib.compress(b"".join(parts), 3)


def unpack(data: bytes, count: int) -> list[Row]:
    """What `pack` packed; `count` is the number of rows."""
    raw = zlib.decompress(data)
    steps = struct.unpack_from(f"<{count}q", raw)
    columns = [struct.unpack_from(f"<{count}d", raw, 8 * count * (1 + n)) for n in range(4)]
    rows, at = [], 0
    for step, *values in zip(steps, *columns, strict=True):
        at += step
        rows.append(Row(at, *values))
    return rows


def _sum(at: int, one: Row, other: Row) -> Row:
    return Row(
        at,
        one.weight + other.weight,
        one.total + other.total,
        min(one.low, other.low),
        max(one.high, other.high),
    )
