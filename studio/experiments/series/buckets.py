"""Runs of points in short: what a chart draws where there are more points than pixels.

Extremes and means are of finite values, NaN where there are none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from studio.experiments.series.packing import Unpacking, pack_floats, pack_integers
from studio.experiments.series.points import Float64s, Int64s, Points

WIDTH = 32
"""Points of a bucket in the envelope of a chunk."""


@dataclass(frozen=True, eq=False)
class Buckets:
    """Columns of one length: where each begins and ends on an axis, numbers of points, and their
    values."""

    first: Int64s
    last: Int64s
    count: Int64s
    finite: Int64s
    low: Float64s
    mean: Float64s
    high: Float64s

    def __len__(self) -> int:
        return len(self.count)


def of_values(places: Int64s, values: Float64s) -> Buckets:
    """Each value by itself, at its place on an axis."""
    one = np.ones(len(values), np.int64)
    finite = np.isfinite(values)
    value = values if finite.all() else np.where(finite, values, np.nan)
    return Buckets(places, places, one, finite.astype(np.int64), value, value, value)


def grouped(buckets: Buckets, first: NDArray[np.intp]) -> Buckets:
    """Neighbours together: `first` has the rising places at which groups begin, 0 among them."""
    if not len(buckets):
        return buckets
    finite = np.add.reduceat(buckets.finite, first)
    low, high = np.fmin.reduceat(buckets.low, first), np.fmax.reduceat(buckets.high, first)
    return Buckets(
        np.minimum.reduceat(buckets.first, first),
        np.maximum.reduceat(buckets.last, first),
        np.add.reduceat(buckets.count, first),
        finite,
        low,
        np.clip(_means(buckets, first, finite), low, high),
        high,
    )


def picked(buckets: Buckets, which: NDArray[np.bool_] | NDArray[np.intp]) -> Buckets:
    """Those that `which` names, as numpy indexes."""
    return Buckets(*(getattr(buckets, it.name)[which] for it in fields(Buckets)))


def joined(parts: Sequence[Buckets]) -> Buckets:
    """The buckets of all parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    columns = (it.name for it in fields(Buckets))
    return Buckets(*(np.concatenate([getattr(part, it) for part in parts]) for it in columns))


def short(points: Points, by_step: bool) -> Buckets:
    """The points in buckets of `WIDTH`, along their steps or their times."""
    places = points.steps if by_step else points.times
    return grouped(of_values(places, points.values), _begins(points))


def envelope(points: Points) -> bytes:
    """The buckets of the points of a chunk, packed."""
    found, first = short(points, by_step=True), _begins(points)
    times = np.minimum.reduceat(points.times, first), np.maximum.reduceat(points.times, first)
    integers = (found.first, found.last, *times, found.finite)
    floats = (found.low, found.mean, found.high)
    return b"".join((*map(pack_integers, integers), *map(pack_floats, floats)))


def unpacked(data: bytes, count: int, by_step: bool) -> Buckets:
    """What `envelope` made of `count` points, along their steps or their times."""
    size = -(-count // WIDTH)
    columns = Unpacking(data, size)
    if not by_step:
        columns.skip(2)
    places = columns.integers(), columns.integers()
    if by_step:
        columns.skip(2)
    finite = columns.integers()
    counts = np.full(size, WIDTH, np.int64)
    counts[-1] = count - WIDTH * (size - 1)
    values = columns.floats(), columns.floats(), columns.floats()
    return Buckets(*places, counts, finite, *values)


def numbered(buckets: Buckets, begin: int) -> Buckets:
    """At the numbers of the points in place of their steps, from `begin` on."""
    end = begin + np.cumsum(buckets.count)
    return replace(buckets, first=end - buckets.count, last=end - 1)


def _begins(points: Points) -> NDArray[np.intp]:
    return np.arange(0, len(points), WIDTH)


def _means(buckets: Buckets, first: NDArray[np.intp], finite: Int64s) -> Float64s:
    """Divided before it is added up: the sum of great values would be infinite."""
    sizes = np.diff(np.append(first, len(buckets)))
    shares = buckets.finite / np.repeat(np.maximum(finite, 1), sizes)
    parts = np.where(buckets.finite > 0, buckets.mean, 0.0) * shares
    sums: Float64s = np.add.reduceat(parts, first)
    return np.where(finite > 0, sums, np.nan)
