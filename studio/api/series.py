"""Series of values over time, thinned for a chart without losing what a chart shows of them."""

import math
import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.db.resources import Doc


@dataclass(frozen=True)
class Series:
    """A line of a chart. `times` (UTC milliseconds) never fall; all columns are of one length."""

    name: str
    group: str
    """`job`: what the program printed; `system`: what a host used; `endpoint`: what the router
    counted."""
    unit: str
    times: Sequence[float]
    values: Sequence[float]
    """NaN where an endpoint has no value."""
    steps: Sequence[float] = ()
    """Of each value the step, epoch or round that the program gave it; empty when it gave none."""
    step_name: str = ""
    host: str = ""
    statistic: str = ""
    count: int = 0
    """How many values it stands for, where it has not all of them."""


def between(series: Series, start: float, end: float) -> Series:
    """The part with `start` <= time < `end`."""
    part = slice(bisect_left(series.times, start), bisect_left(series.times, end))
    whole = part == slice(0, len(series.times))
    return replace(
        series,
        count=series.count if whole else 0,
        times=series.times[part],
        values=series.values[part],
        steps=series.steps[part],
    )


def extremes(values: Sequence[float], most: int) -> Sequence[int]:
    """Places of the least and the greatest value of each of `most` / 2 buckets, in order."""
    count = len(values)
    if count <= most:
        return range(count)
    buckets, kept = most // 2, list[int]()
    for bucket in range(buckets):
        start, end = bucket * count // buckets, (bucket + 1) * count // buckets
        part = values[start:end]
        pair = {start + part.index(min(part)), start + part.index(max(part))}
        kept += sorted(pair)
    # The last point tells where things stand now.
    return kept if kept[-1] == count - 1 else [*kept, count - 1]


def described(series: Series, most: int) -> Doc:
    """As GetMetricSeries answers: columns of `most` points at the most."""
    kept = extremes(series.values, most)
    real = _real(series.values) if series.group == "endpoint" else series.values
    steps = [series.steps[at] for at in kept] if series.steps else []
    return {
        "MetricName": series.name,
        "Group": series.group,
        "Unit": series.unit,
        "Host": series.host or None,
        "Statistic": series.statistic or None,
        "StepName": series.step_name or None,
        "Times": _packed([series.times[at] for at in kept]),
        "Values": _packed([series.values[at] for at in kept]),
        "Steps": _packed(steps) if steps else None,
        "Total": max(series.count, len(series.values)),
        **({"Minimum": min(real), "Maximum": max(real), "Last": real[-1]} if real else {}),
    }


def _real(values: Sequence[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def _packed(column: Sequence[float]) -> bytes:
    """Little-endian float64s."""
    return struct.pack(f"<{len(column)}d", *column)
