"""Figures of a column of numbers, or of times as microseconds: exact, from its sorted values."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data.protocol.profiles import QUANTILES

MOST_BINS, DEFAULT_BINS = 60, 20
MOST_TOP = 20
_SPAN = 1 << 22  # whole numbers this close together are counted, not sorted
_HUGE = 1e300
_FAR = 3.0  # interquartile ranges beyond the quartiles

Array = NDArray[Any]


@dataclass(frozen=True)
class Numbers:
    """`values` are the distinct ones, ascending, `counts` how often each is there."""

    values: Array
    counts: Array
    infinite: int

    @property
    def count(self) -> int:
        return int(self.counts.sum())


@dataclass(frozen=True)
class Moments:
    mean: float
    std: float | None  # None: fewer than two
    skew: float | None  # None: fewer than three, or constant


def counted(array: Array) -> Numbers:
    """Of int64, or float64 without NaN."""
    if array.dtype.kind == "i":
        return _whole(array)
    finite = np.isfinite(array)
    infinite = len(array) - int(np.count_nonzero(finite))
    ordered = np.sort(array[finite] if infinite else array)
    return Numbers(*_runs(ordered), infinite)


def _whole(array: Array) -> Numbers:
    if len(array):
        low, high = int(array.min()), int(array.max())
        if high - low < min(_SPAN, 8 * len(array) + 1024):
            counts = np.bincount(array - low)
            there = np.flatnonzero(counts)
            return Numbers(there + low, counts[there], 0)
    return Numbers(*_runs(np.sort(array)), 0)


def _runs(ordered: Array) -> tuple[Array, Array]:
    """Distinct values and their counts."""
    another = ordered[1:] != ordered[:-1]
    if another.all():  # as it is with most measurements
        return ordered, np.ones(len(ordered), np.int64)
    ends = np.append(np.flatnonzero(another), len(ordered) - 1)
    return ordered[ends], np.diff(ends, prepend=-1)


@dataclass(frozen=True)
class Merged:
    """The distinct values of two together, and how many of each side are at most that."""

    values: Array
    one: Array
    other: Array

    @property
    def both(self) -> Numbers:
        return Numbers(self.values, np.diff(self.one + self.other, prepend=0), 0)


def merged(one: Numbers, other: Numbers) -> Merged:
    """Both are in order, so that sorting them again takes one pass."""
    values = np.concatenate([one.values, other.values])
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    nothing = np.zeros_like(one.counts), np.zeros_like(other.counts)
    ours = np.cumsum(np.concatenate([one.counts, nothing[1]])[order])
    theirs = np.cumsum(np.concatenate([nothing[0], other.counts])[order])
    return Merged(ordered[last], ours[last], theirs[last])


def moments(it: Numbers) -> Moments:
    """Mean, standard deviation (n - 1) and skewness adjusted for n, as pandas has them."""
    n, counts = it.count, None if it.count == len(it.values) else it.counts.astype(np.float64)

    def total(values: Array) -> float:
        return float(values.sum() if counts is None else values @ counts)

    with np.errstate(all="ignore"):
        values = it.values.astype(np.float64, copy=False)
        mean = total(values) / n
        apart = values - mean
        squares = apart * apart
        second, third = total(squares), total(squares * apart)
        std = float(np.sqrt(second / (n - 1))) if n > 1 else None
        skew = None
        if n > 2 and second > n * (1e-12 * max(abs(mean), 1e-300)) ** 2:
            adjust = n * np.sqrt(n - 1) / (n - 2)
            skew = float(adjust * third / second**1.5)
    return Moments(mean, std, skew)


def quantiles(it: Numbers, at: tuple[float, ...] = QUANTILES) -> list[Any]:
    """Between the two nearest values linearly, as pandas has it."""
    ends = np.cumsum(it.counts)
    places = np.asarray(at) * (ends[-1] - 1)
    low = it.values[np.searchsorted(ends, np.floor(places), side="right")]
    high = it.values[np.searchsorted(ends, np.ceil(places), side="right")]
    with np.errstate(all="ignore"):
        share = places - np.floor(places)
        found = low * (1 - share) + high * share
    found = np.where(low == high, low, found)
    return [float(each) for each in found]


def bin_edges(it: Numbers, quartiles: tuple[float, float], bins: int | None = None) -> Array:
    """Edges by Freedman and Diaconis, at most MOST_BINS bins; whole numbers that are few get a
    bin each, which their value is in the middle of."""
    low, high = float(it.values[0]), float(it.values[-1])
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    if bins is None and it.values.dtype.kind == "i" and high - low < MOST_BINS:
        return np.arange(low - 0.5, high + 1)
    with np.errstate(all="ignore"):
        edges = _even(low, high, bins or _freedman_diaconis(it.count, high - low, quartiles))
    return edges if np.all(np.diff(edges) > 0) else np.array([low, high])


def _freedman_diaconis(count: int, span: float, quartiles: tuple[float, float]) -> int:
    """How many bins, 1 to MOST_BINS."""
    width = 2 * (quartiles[1] - quartiles[0]) / np.cbrt(count)
    if not np.isfinite(span) or not width > 0:
        return DEFAULT_BINS
    return int(min(max(np.ceil(span / width), 1), MOST_BINS))


def _even(low: float, high: float, bins: int) -> Array:
    """Edges of bins of one width, also where the span is no number any more."""
    if max(abs(low), abs(high)) < _HUGE:
        return np.linspace(low, high, bins + 1)
    edges = np.linspace(low / 2, high / 2, bins + 1) * 2
    edges[0], edges[-1] = low, high
    return edges


def bin_counts(it: Numbers, edges: Array) -> Array:
    """How many cells are in each bin; the last one has its upper edge, too."""
    ends = np.concatenate(([0], np.cumsum(it.counts)))
    places = np.searchsorted(it.values, edges, side="left")
    places[-1] = np.searchsorted(it.values, edges[-1], side="right")
    return np.diff(ends[places])


def top(it: Numbers, most: int = MOST_TOP) -> list[tuple[Any, int]]:
    """The commonest values, commonest first, lower ones first among equals. Values that are all
    different have none, unless they are few."""
    if len(it.values) > most and int(it.counts.max()) == 1:
        return []
    places = commonest(it.counts, most)
    return [(it.values[place].item(), int(it.counts[place])) for place in places]


def commonest(counts: Array, most: int) -> Array:
    """Places of the greatest counts, greatest first, the first of those that are equal."""
    if len(counts) <= most:
        return np.argsort(-counts, kind="stable")
    at_least = np.cumsum(np.bincount(counts)[::-1])  # how many have the greatest count, or less
    least = int(counts.max()) - int(np.searchsorted(at_least, most))
    above, same = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
    above = above[np.argsort(-counts[above], kind="stable")]
    return np.concatenate([above, same[: most - len(above)]])


def outliers(it: Numbers, quartiles: tuple[float, float]) -> tuple[int, float, float]:
    """How many lie far out, and the borders: three interquartile ranges beyond the quartiles."""
    with np.errstate(all="ignore"):
        far = _FAR * (quartiles[1] - quartiles[0])
        low, high = quartiles[0] - far, quartiles[1] + far
    if not far or not np.isfinite(far):
        return 0, low, high
    outside = (it.values < low) | (it.values > high)
    return int(it.counts[outside].sum()), low, high
