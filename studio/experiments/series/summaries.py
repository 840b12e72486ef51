"""A metric in short: kept up to date with every point, so that tables need not read series."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, bindparam, select

from studio.db.experiment_tables import FIELD, SUMMARY
from studio.experiments.series.points import NO_STEP, Points

_PAGE = 500


@dataclass(frozen=True)
class Spread:
    """Of the finite values of a metric."""

    finite: int
    """How many there are, one at least."""
    low: float
    low_step: int | None
    """Where the lowest value was first seen."""
    high: float
    high_step: int | None
    mean: float
    squares: float
    """Sum of the squared deviations from the mean."""

    @property
    def deviation(self) -> float:
        """The standard deviation, as of a sample; 0 of a single value."""
        return math.sqrt(self.squares / max(self.finite - 1, 1))


@dataclass(frozen=True)
class Summary:
    """Of all values of a metric of a component."""

    count: int
    last: float
    """Of the highest step; of several the latest; of several of one time that which came last."""
    last_step: int | None
    last_at: int
    """UTC milliseconds."""
    chunks: int
    """How many pieces its series has."""
    spread: Spread | None
    """None when no value is finite."""


def of_points(points: Points) -> Summary:
    """`points`, of which there is one at least, are ordered."""
    at = len(points) - 1
    last = float(points.values[at]), _step(points, at), int(points.times[at])
    return Summary(len(points), *last, 0, _spread_of(points))


def merged(before: Summary, after: Summary) -> Summary:
    """Of both; `after` came later."""
    latest = after if _place(after) >= _place(before) else before
    spread = before.spread or after.spread
    if before.spread and after.spread:
        spread = _together(before.spread, after.spread)
    count = before.count + after.count
    return replace(latest, count=count, chunks=before.chunks, spread=spread)


def of_component(connection: Connection, component: int) -> dict[str, Summary]:
    """What is known of every metric of a component, by its name; see `settling.settle`."""
    return of_components(connection, [component]).get(component, {})


def of_components(
    connection: Connection, components: Iterable[int]
) -> dict[int, dict[str, Summary]]:
    """The same of several components, by their numbers; of those that have any metric."""
    wanted, found = list(components), dict[int, dict[str, Summary]]()
    for first in range(0, len(wanted), _PAGE):
        page = {"components": wanted[first : first + _PAGE]}
        for row in connection.execute(_OF_COMPONENTS, page):
            found.setdefault(row.component, {})[row.name] = _summary(row)
    return found


def of_series(connection: Connection, series: Iterable[int]) -> dict[int, Summary]:
    """Of those of these series that have any point."""
    wanted, found = list(series), dict[int, Summary]()
    for first in range(0, len(wanted), _PAGE):
        page = {"ids": wanted[first : first + _PAGE]}
        found |= {row.id: _summary(row) for row in connection.execute(_OF_SERIES, page).all()}
    return found


def store(connection: Connection, changed: dict[int, Summary], known: Iterable[int]) -> None:
    """Write summaries by their series; those of `known` have a row."""
    old = set(known) & changed.keys()
    if old:
        connection.execute(_UPDATE, [{"series": it, **_row(changed[it])} for it in old])
    if len(old) < len(changed):
        fresh = [it for it in changed if it not in old]
        rows = [{"id": it, "component": it & 0xFFFFFFFF, **_row(changed[it])} for it in fresh]
        connection.execute(SUMMARY.insert(), rows)


_PLAIN = [it.name for it in fields(Summary) if it.name != "spread"]
_FINITE = [it.name for it in fields(Spread)]
_COLUMNS = [*_PLAIN, *_FINITE]
_NO_SPREAD = {**dict.fromkeys(_FINITE), "finite": 0}
_SUMMARIES = select(SUMMARY.c.id, *(SUMMARY.c[name] for name in _COLUMNS))
_OF_COMPONENTS = (
    _SUMMARIES.add_columns(SUMMARY.c.component, FIELD.c.name)
    .join(FIELD, FIELD.c.id == SUMMARY.c.id // 2**32)
    .where(SUMMARY.c.component.in_(bindparam("components", expanding=True)))
    .order_by(FIELD.c.name)
)
_OF_SERIES = _SUMMARIES.where(SUMMARY.c.id.in_(bindparam("ids", expanding=True)))
_UPDATE = (
    SUMMARY.update()
    .where(SUMMARY.c.id == bindparam("series"))
    .values({name: bindparam(name) for name in _COLUMNS})
)


def _spread_of(points: Points) -> Spread | None:
    which = np.isfinite(points.values).nonzero()[0]
    if not len(which):
        return None
    values = points.values[which]
    if len(values) == 1:
        value, step = float(values[0]), _step(points, int(which[0]))
        return Spread(1, value, step, value, step, value, 0.0)
    low, high = int(values.argmin()), int(values.argmax())
    # Divided before it is added up, for the sum of great values would be infinite.
    mean = float((values / len(values)).sum())
    mean = min(max(mean, float(values[low])), float(values[high]))
    with np.errstate(over="ignore"):
        squares = float(np.square(values - mean).sum())
    steps = _step(points, int(which[low])), _step(points, int(which[high]))
    return Spread(
        len(which), float(values[low]), steps[0], float(values[high]), steps[1], mean, squares
    )


def _together(one: Spread, other: Spread) -> Spread:
    """Welford's way, in which nothing grows beyond what is summed up."""
    lower = other if other.low < one.low else one
    higher = other if other.high > one.high else one
    finite = one.finite + other.finite
    share, apart = other.finite / finite, other.mean - one.mean
    return Spread(
        finite,
        lower.low,
        lower.low_step,
        higher.high,
        higher.high_step,
        one.mean * (1 - share) + other.mean * share,
        one.squares + other.squares + apart * apart * one.finite * share,
    )


def _place(summary: Summary) -> tuple[int, int]:
    return NO_STEP if summary.last_step is None else summary.last_step, summary.last_at


def _step(points: Points, at: int) -> int | None:
    step = int(points.steps[at])
    return None if step == NO_STEP else step


def _row(summary: Summary) -> dict[str, Any]:
    """SQLite has no NaN, and PostgreSQL sorts it among the numbers: here it is NULL."""
    row = {**vars(summary), **(vars(summary.spread) if summary.spread else _NO_SPREAD)}
    del row["spread"]
    if math.isnan(summary.last):
        row["last"] = None
    return row


def _summary(row: Row[Any]) -> Summary:
    values = tuple(row)[1 : 1 + len(_COLUMNS)]
    plain = dict(zip(_PLAIN, values[: len(_PLAIN)], strict=True))
    spread = Spread(*values[len(_PLAIN) :]) if row.finite else None
    last = math.nan if row.last is None else row.last
    return Summary(**{**plain, "last": last, "spread": spread})
