"""What a chart draws of points: all of them when they are few, else their extremes and means.

What is cut to less shows the extremes of all: a chart of it looks like one of every point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.experiments.series import buckets
from studio.experiments.series.buckets import Buckets
from studio.experiments.series.points import NO_STEP, Float64s, Int64s, Points, picked

Axis = Literal["Step", "Time", "RelativeTime"]


@dataclass(frozen=True)
class View:
    """What of a series is shown: `start` to `end` of an axis, both included, and None for all."""

    axis: Axis
    start: float | None
    end: float | None
    most: int
    """Points."""

    def holds(self, first: Float64s, last: Float64s) -> NDArray[np.bool_]:
        """Which of those from `first` to `last` have a part in it."""
        start = -np.inf if self.start is None else self.start
        end = np.inf if self.end is None else self.end
        return (last >= start) & (first <= end)


@dataclass(frozen=True, eq=False)
class Line:
    """Columns of one length. Where `complete`, each is one value, and the three are the same."""

    x: Float64s
    low: Float64s
    mean: Float64s
    high: Float64s
    total: int
    """Values that it stands for."""
    complete: bool


def of_points(points: Points, zero: float, view: View) -> Line:
    """`zero` of the axis RelativeTime is a UTC time in milliseconds, of the others 0."""
    column = points.steps if view.axis == "Step" else points.times
    x = column.astype(np.float64) - zero
    keep = view.holds(x, x)
    if view.axis == "Step":
        keep &= column != NO_STEP
    if not keep.all():
        x, points = x[keep], picked(points, keep)
    if (x[1:] < x[:-1]).any():
        order = np.argsort(x, kind="stable")
        x, points = x[order], picked(points, order)
    return of_values(x, points.values, view.most)


def of_values(x: Float64s, values: Float64s, most: int) -> Line:
    """Values in the order in which they are drawn."""
    count = len(values)
    if count <= most:
        return Line(x, values, values, values, count, True)
    first = np.arange(most) * count // most
    last = np.append(first[1:], count) - 1
    finite = np.isfinite(values)
    if finite.all():
        low, high = np.minimum.reduceat(values, first), np.maximum.reduceat(values, first)
        shares = np.repeat(last - first + 1, last - first + 1)
        mean = np.clip(np.add.reduceat(values / shares, first), low, high)
        return Line((x[first] + x[last]) / 2, low, mean, high, count, False)
    found = buckets.grouped(buckets.of_values(np.arange(count), values), first)
    return Line((x[first] + x[last]) / 2, found.low, found.mean, found.high, count, False)


def of_buckets(parts: Sequence[Buckets], zeros: Sequence[float], view: View) -> list[Line | None]:
    """Of each series what is in the view, in groups of neighbours of as many values each as can be;
    None where there are fewer buckets than points may be drawn.

    All series at once: most of what numpy takes for a short one, it takes to begin.
    """
    found = buckets.joined(parts)
    series = np.repeat(np.arange(len(parts)), [len(it) for it in parts])
    zero = np.asarray(zeros)[series]
    first, last = _extent(found, view)
    keep = view.holds(first - zero, last - zero)
    if view.axis == "Step":
        keep &= found.last != NO_STEP
    keep &= (np.bincount(series[keep], minlength=len(parts)) >= view.most)[series]
    if not keep.all():
        found, series = buckets.picked(found, keep), series[keep]
        first, zero = first[keep], zero[keep]
    if ((first[1:] < first[:-1]) & (series[1:] == series[:-1])).any():
        found = buckets.picked(found, np.lexsort((first, series)))
    return _grouped(found, series, zero, view, len(parts))


def _grouped(
    found: Buckets, series: Int64s, zero: Float64s, view: View, size: int
) -> list[Line | None]:
    """The lines of `size` series, whose buckets come one series after the other."""
    totals = np.bincount(series, found.count, size).astype(np.int64)
    before = np.cumsum(found.count) - found.count - (np.cumsum(totals) - totals)[series]
    group = series * view.most + before * view.most // totals[series]
    begin = np.flatnonzero(np.diff(group, prepend=-1))
    groups = buckets.grouped(found, begin)
    first, last = _extent(groups, view)
    x = (first + last) / 2 - zero[begin]
    ends = np.searchsorted(series[begin], np.arange(size + 1)).tolist()
    return [
        Line(x[a:b], groups.low[a:b], groups.mean[a:b], groups.high[a:b], int(total), False)
        if a < b
        else None
        for a, b, total in zip(ends, ends[1:], totals, strict=False)
    ]


def over(axis: Points, points: Points, view: View) -> Line:
    """Values over those of `axis` at the same steps, in the order of the steps; without steps, at
    the same times. Of several at one step the axis' last counts."""
    by_step = bool((points.steps != NO_STEP).any())
    keys, mine = (axis.steps, points.steps) if by_step else (axis.times, points.times)
    if not by_step:
        order = np.argsort(keys, kind="stable")
        keys, axis = keys[order], picked(axis, order)
    place = np.maximum(np.searchsorted(keys, mine, side="right") - 1, 0)
    x = axis.values[place]
    keep = (keys[place] == mine) & (mine != NO_STEP) & np.isfinite(x) & view.holds(x, x)
    return of_values(x[keep], points.values[keep], view.most)


def _extent(found: Buckets, view: View) -> tuple[Float64s, Float64s]:
    first = found.first
    if view.axis == "Step":
        # A bucket that begins with values without a step is where the others are.
        first = np.where(first == NO_STEP, found.last, first)
    return first.astype(np.float64), found.last.astype(np.float64)
