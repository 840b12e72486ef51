"""Statistics of rows over periods: Average, Sum, Minimum, Maximum, SampleCount, p0 to p100."""

import re
from collections.abc import Callable, Iterable

from studio.metrics.rows import Row, mean, narrow

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100(?:\.0{1,10})?)")


def known(statistic: str) -> bool:
    """Whether `value` can give it."""
    return statistic in _SIMPLE or is_percentile(statistic)


def is_percentile(statistic: str) -> bool:
    """p50, p99.9 and the like."""
    return _PERCENTILE.fullmatch(statistic) is not None


def periods(rows: Iterable[Row], start: int, length: int) -> dict[int, list[Row]]:
    """Rows by the beginning of their period; periods of `length` ms are counted from `start`."""
    found: dict[int, list[Row]] = {}
    for each in rows:
        found.setdefault(each.at - (each.at - start) % length, []).append(each)
    return dict(sorted(found.items()))


def value(statistic: str, rows: list[Row]) -> float | None:
    """The statistic of some rows; None for a percentile of sets whose values are not known."""
    match = _PERCENTILE.fullmatch(statistic)
    if match is None:
        return _SIMPLE[statistic](rows)
    if not all(map(narrow, rows)):
        return None
    return _percentile(float(match[1]) / 100.0, rows)


def _percentile(share: float, rows: list[Row]) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    wanted = share * _count(rows)
    below = 0.0
    ordered = sorted(rows, key=mean)
    for each in ordered:
        below += each.weight
        if below >= wanted:
            return mean(each)
    return mean(ordered[-1])


def _count(rows: list[Row]) -> float:
    return sum(each.weight for each in rows)


def _total(rows: list[Row]) -> float:
    return sum(each.total for each in rows)


_SIMPLE: dict[str, Callable[[list[Row]], float]] = {
    "SampleCount": _count,
    "Sum": _total,
    "Average": lambda rows: _total(rows) / _count(rows),
    "Minimum": lambda rows: min(each.low for each in rows),
    "Maximum": lambda rows: max(each.high for each in rows),
}
