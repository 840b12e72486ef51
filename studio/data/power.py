"""What one column alone says about a target, 0 to 1: on rows that it was not learned from."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.data import texts
from studio.data.plain import TIME

MOST_ROWS = 100_000
_BINS, _VALUES = 32, 100  # of numbers; of texts, the others are one
_CLASSES = 20  # more whole numbers are a quantity
_LEAST = 20  # rows: fewer say nothing

Array = NDArray[Any]
Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Target:
    """`values` of the rows that have one: classes as places in `classes`, or numbers."""

    task: Task
    rows: Array  # which rows of the table
    values: Array
    classes: list[Any]


def target(column: Any) -> Target | None:
    """The target of a column's rows, at most MOST_ROWS, spread evenly; None: there is nothing to
    predict."""
    there = np.flatnonzero(~_missing(column))
    if len(there) > MOST_ROWS:
        there = there[np.linspace(0, len(there) - 1, MOST_ROWS).astype(np.int64)]
    taken = column.take(pa.array(there))
    coded = taken.cast(pa.string()) if column.type != pa.float64() else taken
    found = texts.counted(coded) if column.type != pa.float64() else None
    few = found is not None and len(found.values) <= _CLASSES
    quantity = column.type in (pa.int64(), pa.float64(), TIME) and not few
    if quantity:
        values = _number(taken)
        finite = np.isfinite(values)
        return Target("regression", there[finite], values[finite], []) if len(values) else None
    if found is None or len(found.values) < 2 or len(found.values) > len(there) // 2:
        return None
    task: Task = "binary" if len(found.values) == 2 else "multiclass"
    return Target(task, there, found.codes.astype(np.int64), found.values.to_pylist())


def power(column: Any, of: Target) -> float | None:
    """The share of what is not known about the target that this column tells: half of the rows
    teach each bin of the column its classes' shares (its mean), the other half is asked. For
    classes 1 - log loss / log loss without the column, for numbers R2. None: too few rows."""
    if len(of.rows) < _LEAST:
        return None
    bins = _binned(column.take(pa.array(of.rows)))
    order = np.random.default_rng(0).permutation(len(bins))
    learn, ask = order[: len(bins) // 2], order[len(bins) // 2 :]
    if of.task == "regression":
        found = _variance_told(bins, of.values, learn, ask)
    else:
        found = _classes_told(bins, of.values, len(of.classes), learn, ask)
    return min(max(found, 0.0), 1.0)


def _classes_told(bins: Array, values: Array, classes: int, learn: Array, ask: Array) -> float:
    width = int(bins.max()) + 1
    flat = np.bincount(bins[learn] * classes + values[learn], minlength=width * classes)
    table = flat.reshape(width, classes).astype(np.float64)
    prior = (table.sum(0) + 1) / (table.sum() + classes)
    shares = (table + prior) / (table.sum(1, keepdims=True) + 1)
    loss = -np.log(shares[bins[ask], values[ask]]).mean()
    without = -np.log(prior[values[ask]]).mean()
    return float(1 - loss / without) if without > 0 else 0.0


def _variance_told(bins: Array, values: Array, learn: Array, ask: Array) -> float:
    width = int(bins.max()) + 1
    mean = values[learn].mean()
    counts = np.bincount(bins[learn], minlength=width)
    sums = np.bincount(bins[learn], values[learn], minlength=width)
    means = (sums + mean) / (counts + 1)
    with np.errstate(all="ignore"):
        left = np.square(values[ask] - means[bins[ask]]).sum()
        all_of_it = np.square(values[ask] - mean).sum()
        return float(1 - left / all_of_it) if all_of_it > 0 and np.isfinite(left) else 0.0


def _binned(column: Any) -> Array:
    """Of each row a small whole number: 0 where the column is missing."""
    if column.type in (pa.string(), pa.bool_()):
        found = texts.counted(column.cast(pa.string()))
        ranks = np.empty(len(found.counts) + 1, np.int64)
        ranks[1:][np.argsort(-found.counts, kind="stable")] = np.arange(1, len(found.counts) + 1)
        ranks[0] = 0
        return np.minimum(ranks[found.codes.astype(np.int64) + 1], _VALUES)
    values = _number(column)
    there = np.isfinite(values)
    if not there.any():
        return np.zeros(len(values), np.int64)
    edges = np.unique(np.quantile(values[there], np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.where(there, np.searchsorted(edges, values, side="right") + 1, 0)


def _number(column: Any) -> Array:
    """As float64, NaN where missing."""
    if column.type == TIME:
        column = column.cast(pa.int64())
    array: Array = (
        column.combine_chunks().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    )
    return array


def _missing(column: Any) -> Array:
    found: Array = column.is_null().combine_chunks().to_numpy(zero_copy_only=False)
    return found
