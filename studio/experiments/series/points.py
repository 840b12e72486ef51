"""Points of a series as columns: a value, when it was measured, and the step that it is of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

NO_STEP = -(2**63)
"""The step of a value that has none; it comes before every other."""


@dataclass(frozen=True, eq=False)
class Points:
    """Columns of one length. Any float is a value: NaN and the infinities too."""

    steps: Int64s
    """`NO_STEP` where there is none."""
    times: Int64s
    """UTC milliseconds."""
    values: Float64s

    def __len__(self) -> int:
        return len(self.values)


NOTHING = Points(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def points(rows: Iterable[tuple[int | None, int, float]]) -> Points:
    """Of rows: step or None, UTC milliseconds, value."""
    steps, times, values = zip(*rows, strict=True)
    return Points(
        np.array([NO_STEP if it is None else it for it in steps], np.int64),
        np.array(times, np.int64),
        np.array(values, np.float64),
    )


def joined(parts: Sequence[Points]) -> Points:
    """The points of all parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Points(
        np.concatenate([it.steps for it in parts]),
        np.concatenate([it.times for it in parts]),
        np.concatenate([it.values for it in parts]),
    )


def picked(of: Points, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Points:
    """Those that `which` names, as numpy indexes."""
    return Points(of.steps[which], of.times[which], of.values[which])


def ordered(of: Points) -> Points:
    """By step, then time; points that are alike in both stay in the order in which they came."""
    if len(of) == 1:
        return of
    rising = of.steps[1:] > of.steps[:-1]
    same = (of.steps[1:] == of.steps[:-1]) & (of.times[1:] >= of.times[:-1])
    if bool(np.all(rising | same)):
        return of
    return picked(of, np.lexsort((of.times, of.steps)))


def split(of: Points, codes: NDArray[np.int64]) -> list[Points]:
    """The points of each code, 0 and those after it, ordered as `ordered` does."""
    if not codes.any():
        return [ordered(of)]
    order = np.lexsort((of.times, of.steps, codes))
    whole, ends = picked(of, order), np.cumsum(np.bincount(codes))
    starts = [0, *ends[:-1].tolist()]
    return [picked(whole, slice(*it)) for it in zip(starts, ends.tolist(), strict=True)]
