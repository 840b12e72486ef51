"""Many numbers to one: by group, vectorised."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.data.protocol.charts import Aggregate

Array = NDArray[Any]

PANDAS: dict[Aggregate, str] = {
    "count": "count()",
    "sum": "sum(min_count=1)",
    "mean": "mean()",
    "median": "median()",
    "min": "min()",
    "max": "max()",
    "std": "std()",
}


def named(how: Aggregate, column: str) -> str:
    """What an aggregate of a column is called."""
    return f"{how} of {column}"


def grouped(how: Aggregate, codes: Array, values: Array, groups: int) -> Array:
    """Of each group 0 .. groups - 1; NaN where it has no values. `values` are without NaN."""
    counts = np.bincount(codes, minlength=groups).astype(np.float64)
    if how == "count":
        return counts
    with np.errstate(all="ignore"):
        if how in ("sum", "mean", "std"):
            return _moment(how, codes, values, counts)
        return _ordered(how, codes, values, counts)


def _moment(how: Aggregate, codes: Array, values: Array, counts: Array) -> Array:
    sums = np.bincount(codes, values, minlength=len(counts))
    if how == "sum":
        return np.where(counts > 0, sums, np.nan)
    means: Array = sums / counts
    if how == "mean":
        return means
    squares = np.bincount(codes, np.square(values - means[codes]), minlength=len(counts))
    return np.where(counts > 1, np.sqrt(squares / (counts - 1)), np.nan)


def _ordered(how: Aggregate, codes: Array, values: Array, counts: Array) -> Array:
    order = np.lexsort((values, codes))
    ordered = np.append(values[order], np.nan)
    ends = np.cumsum(counts).astype(np.int64)
    starts = ends - counts.astype(np.int64)
    if how == "min":
        places = starts, starts
    elif how == "max":
        places = ends - 1, ends - 1
    else:
        middle = (starts + ends - 1) / 2
        places = np.floor(middle).astype(np.int64), np.ceil(middle).astype(np.int64)
    found = (ordered[places[0]] + ordered[places[1]]) / 2
    return np.where(counts > 0, found, np.nan)
