"""How much two columns have to do with each other, whatever their types."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LEAST = 3  # rows that have both

WORDS = {
    "pearson": "Pearson's r of two numbers, -1 to 1: how close to a straight line.",
    "spearman": "Spearman's rho of two numbers, -1 to 1: Pearson's r of their ranks, ties shared; "
    "how close to always rising or falling.",
    "cramer": "Cramer's V of two categories, 0 to 1, with the bias correction of Bergsma (2013).",
    "ratio": "Correlation ratio eta of a category and a number, 0 to 1: the square root of the "
    "share of the variance that lies between the categories.",
}


@dataclass(frozen=True)
class Side:
    """A column: numbers with NaN where missing, or codes with -1."""

    name: str
    numbers: Array | None
    codes: Array | None

    @cached_property
    def there(self) -> Array:
        if self.numbers is not None:
            return ~np.isnan(self.numbers)
        return np.zeros(0, bool) if self.codes is None else self.codes >= 0

    @cached_property
    def whole(self) -> bool:
        return bool(self.there.all())

    @cached_property
    def unit(self) -> Array | None:
        """The numbers with mean 0 and length 1."""
        return None if self.numbers is None else _unit(self.numbers)

    @cached_property
    def unit_ranks(self) -> Array | None:
        return None if self.numbers is None else _unit(ranks(self.numbers))


@dataclass(frozen=True)
class Association:
    """None: fewer than three rows have both, or one of the two never changes."""

    value: float | None
    measure: Literal["pearson", "spearman", "cramer", "ratio"]
    n: int


def association(one: Side, other: Side, method: Literal["pearson", "spearman"]) -> Association:
    """Of the rows that have both."""
    if one.numbers is not None and other.numbers is not None:
        return _of_numbers(one, other, method)
    if one.codes is not None and other.codes is not None:
        return _of_codes(one.codes, other.codes)
    if one.numbers is None:
        one, other = other, one
    assert one.numbers is not None
    assert other.codes is not None  # a side is one of both
    return _of_both(one.numbers, other.codes)


def _of_numbers(one: Side, other: Side, method: Literal["pearson", "spearman"]) -> Association:
    """Pearson's r of numbers or ranks; what both sides have whole is not made twice."""
    if one.whole and other.whole:
        rank = method == "spearman"
        sides = (one.unit_ranks, other.unit_ranks) if rank else (one.unit, other.unit)
        return Association(_product(*sides), method, len(one.there))
    assert one.numbers is not None
    assert other.numbers is not None
    there = one.there & other.there
    xs, ys = one.numbers[there], other.numbers[there]
    if method == "spearman":
        xs, ys = ranks(xs), ranks(ys)
    return Association(_product(_unit(xs), _unit(ys)), method, len(xs))


def _unit(values: Array) -> Array | None:
    if len(values) < _LEAST:
        return None
    with np.errstate(all="ignore"):
        apart = values - values.mean()
        apart = apart / np.abs(apart).max()  # no square is too great or too small
        found: Array = apart / np.sqrt(apart @ apart)
    return found if np.isfinite(found[0]) else None


def _product(one: Array | None, other: Array | None) -> float | None:
    if one is None or other is None:
        return None
    return max(-1.0, min(1.0, float(one @ other)))


def ranks(values: Array) -> Array:
    """1 to n; equal values share the mean of theirs."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: Array = (ends - (counts - 1) / 2)[codes]
    return shared


def _of_codes(one: Array, other: Array) -> Association:
    there = (one >= 0) & (other >= 0)
    one, other = one[there], other[there]
    n = len(one)
    table = crosstab(one, other)
    rows, columns = table.shape
    if n < _LEAST or min(rows, columns) < 2:
        return Association(None, "cramer", n)
    phi2 = max(chi2(table) / n - (rows - 1) * (columns - 1) / (n - 1), 0.0)
    height = rows - (rows - 1) ** 2 / (n - 1)
    width = columns - (columns - 1) ** 2 / (n - 1)
    most = min(height, width) - 1
    value = float(np.sqrt(phi2 / most)) if most > 0 else None
    return Association(None if value is None else min(value, 1.0), "cramer", n)


def crosstab(one: Array, other: Array) -> Array:
    """How often each pair is there; only values that are."""
    _, one = np.unique(one, return_inverse=True)
    _, other = np.unique(other, return_inverse=True)
    shape = (int(one.max(initial=-1)) + 1, int(other.max(initial=-1)) + 1)
    flat = np.bincount(one * max(shape[1], 1) + other, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)


def chi2(table: Array) -> float:
    """Pearson's statistic of a table without empty rows and columns."""
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    return float((np.square(table - expected) / expected).sum())


def _of_both(numbers: Array, codes: Array) -> Association:
    there = (codes >= 0) & ~np.isnan(numbers)
    values, groups = numbers[there], codes[there]
    n = len(values)
    if n < _LEAST or (groups == groups[0]).all() or values.min() == values.max():
        return Association(None, "ratio", n)
    counts = np.bincount(groups)
    with np.errstate(all="ignore"):
        means = np.bincount(groups, values) / counts
        between = float((counts * np.square(means - values.mean()))[counts > 0].sum())
        whole = float(np.square(values - values.mean()).sum())
        found = float(np.sqrt(between / whole))
    return Association(min(found, 1.0) if np.isfinite(found) else None, "ratio", n)
