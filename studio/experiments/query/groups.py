"""Trial components in groups, nested as one likes, with statistics of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Double, Select, Subquery, func, literal, select
from sqlalchemy.sql.elements import UnaryExpression

from studio.db.experiment_tables import COMPONENT
from studio.experiments.query import windows
from studio.experiments.query.scope import Scope
from studio.experiments.query.sql import Sql
from studio.experiments.query.student import half_width
from studio.experiments.query.syntax import Condition, Field, Value
from studio.experiments.query.values import Columns, Rows
from studio.experiments.query.vocabulary import type_of

COUNT = "count"

Key = tuple[float | None, str | None]
"""A number, a text, or neither."""


@dataclass(frozen=True)
class Statistics:
    """Of the numbers that a group has of a value; NaN where there are too few."""

    count: int
    mean: float
    deviation: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Of the 95 % confidence interval of the mean."""
        return half_width(self.count, self.deviation)


@dataclass(frozen=True)
class Group:
    """`keys`: one for each value that is grouped by. `statistics`: one for each that is asked."""

    keys: tuple[Key, ...]
    count: int
    statistics: tuple[Statistics, ...]


@dataclass(frozen=True)
class Groups:
    """`total` groups of `matched` trial components, and the window of them."""

    total: int
    matched: int
    found: list[Group]


@dataclass(frozen=True)
class Asked:
    """What groups are of, by what, with statistics of what, in which order (`COUNT`, or one of the
    values; the greatest first); of these names only, or of all (None)."""

    condition: Condition
    by: tuple[Value, ...]
    of: tuple[Value, ...]
    orders: tuple[tuple[Value | str, bool], ...] = ()
    names: Sequence[str] | None = None


_TOGETHER = 20
"""Values that one statement measures: it joins as many tables."""

_PRECISE = 1e-9
"""Least variance, by the squared distance of the mean, that a single look tells well enough."""

_NONE = Statistics(0, math.nan, math.nan, math.nan, math.nan)


def grouped(connection: Connection, scope: Scope, asked: Asked, place: tuple[int, int]) -> Groups:
    """The groups `place` (offset, limit). Raises QueryError for too many fields."""
    sorts = [value for value in asked.of if any(value == by for by, _ in asked.orders)]
    rest = [value for value in asked.of if value not in sorts]
    parts = [rest[n : n + _TOGETHER] for n in range(0, len(rest), _TOGETHER)] or [[]]
    # All parts have what is sorted by, so all have the same groups in the same order.
    measured = [replace(asked, of=(*sorts, *part)) for part in parts]
    totals, found = zip(*(_part(connection, scope, it, place) for it in measured), strict=True)
    several = [
        _joined(asked.of, [it.of for it in measured], same) for same in zip(*found, strict=True)
    ]
    count = windows.matched(connection, scope, asked.condition, asked.names)
    return Groups(totals[0], count, several)


def _joined(of: Sequence[Value], parts: Sequence[Sequence[Value]], same: Sequence[Group]) -> Group:
    """A group with the statistics of all parts, in the order of `of`."""
    known = {
        value: each
        for values, group in zip(parts, same, strict=True)
        for value, each in zip(values, group.statistics, strict=True)
    }
    return replace(same[0], statistics=tuple(known[value] for value in of))


def _part(
    connection: Connection, scope: Scope, asked: Asked, place: tuple[int, int]
) -> tuple[int, list[Group]]:
    """How many groups there are, and those of the window."""
    rows = windows.rows_of(connection, scope, asked.condition, [*asked.by, *asked.of])
    cells = _Cells.of(rows, asked)
    shifts = [_some(connection, cells, value) for value in cells.values]
    keys = [part for key in cells.keys for part in key.all()]
    measured = [_measures(*each) for each in zip(cells.values, shifts, strict=True)]
    selected = [*keys, func.count(), *(part for parts in measured for part in parts)]
    groups = select(*selected).select_from(cells.table).group_by(*keys).having(func.count() > 0)
    # In one pass with the groups: each more costs as much as they do.
    whole = groups.add_columns(func.count().over()).order_by(*_order(asked, cells))
    found = connection.execute(whole.offset(place[0]).limit(place[1])).all()
    total = found[0][-1] if found else _number(connection, groups)
    return total, _exact(connection, cells, [_group(cells, shifts, list(row)) for row in found])


def _number(connection: Connection, groups: Select[Any]) -> int:
    count = select(func.count()).select_from(groups.with_only_columns(literal(1)).subquery())
    return connection.execute(count).scalar_one()


@dataclass(frozen=True)
class _Cells:
    """A row for each component and group: columns of keys, and of what is measured."""

    table: Subquery
    keys: list[Columns]
    values: list[Sql | None]

    @classmethod
    def of(cls, rows: Rows, asked: Asked) -> "_Cells":
        wanted = windows.selected(rows, asked.condition, asked.names)
        keys = [_key(rows, value) for value in asked.by]
        values = [rows.columns(value).number for value in asked.of]
        selected = [
            part.label(f"key{number}_{kind}")
            for number, key in enumerate(keys)
            for kind, part in (("number", key.number), ("text", key.text))
            if part is not None
        ]
        selected += [it.label(f"value{n}") for n, it in enumerate(values) if it is not None]
        selected.append(COMPONENT.c.number.label("component"))
        table = select(*selected).select_from(rows.source()).where(*wanted).subquery("cells")
        get = table.c.get
        return cls(
            table,
            [Columns(get(f"key{n}_number"), get(f"key{n}_text")) for n in range(len(keys))],
            [get(f"value{number}") for number in range(len(values))],
        )


def _key(rows: Rows, value: Value) -> Columns:
    if isinstance(value, Field) and type_of(value) == "texts":
        return Columns(text=rows.member(value.name))
    return rows.columns(value)


def _some(connection: Connection, cells: _Cells, value: Sql | None) -> float:
    """One of the values: squares of what is far from it are all that cost precision."""
    if value is None:
        return 0.0
    query = select(value).select_from(cells.table).where(value.is_not(None)).limit(1)
    found = connection.execute(query).scalar()
    return found if found is not None and math.isfinite(found) else 0.0


def _measures(value: Sql | None, shift: float) -> list[Sql]:
    """Count, mean and mean square of the distance from `shift`, least and greatest."""
    if value is None:
        return []
    away = value - literal(shift, Double)
    return [
        func.count(value),
        func.avg(away),
        func.avg(away * away),
        func.min(value),
        func.max(value),
    ]


def _order(asked: Asked, cells: _Cells) -> list[UnaryExpression[Any]]:
    order: list[UnaryExpression[Any]] = []
    for value, down in asked.orders:
        if isinstance(value, str):
            order += windows.sorted_by(Columns(func.count()), down)
        elif value in asked.by:
            order += windows.sorted_by(cells.keys[asked.by.index(value)], down)
        elif (column := cells.values[asked.of.index(value)]) is not None:
            order += windows.sorted_by(Columns(func.avg(column)), down)
    return order + [each for key in cells.keys for each in windows.sorted_by(key, False)]


def _group(cells: _Cells, shifts: list[float], row: list[Any]) -> Group:
    parts = iter(row)
    keys = tuple(
        (
            None if key.number is None else next(parts),
            None if key.text is None else next(parts),
        )
        for key in cells.keys
    )
    count = next(parts)
    statistics = tuple(
        _NONE if value is None else _statistics(shift, *(next(parts) for _ in range(5)))
        for value, shift in zip(cells.values, shifts, strict=True)
    )
    return Group(keys, count, statistics)


def _statistics(
    shift: float, count: int, mean: float, square: float, low: float, high: float
) -> Statistics:
    if not count:
        return _NONE
    if low == high:
        return Statistics(count, low, 0.0 if count > 1 else math.nan, low, high)
    variance = (square - mean * mean) * count / (count - 1)
    if not variance > mean * mean * _PRECISE:
        variance = math.nan  # what is left of it is rounding
    return Statistics(count, shift + mean, math.sqrt(variance), low, high)


def _exact(connection: Connection, cells: _Cells, found: list[Group]) -> list[Group]:
    """The groups, with deviations from their own means where the first look was too rough."""
    for place, value in enumerate(cells.values):
        rough = [it for it in found if _is_rough(it.statistics[place])]
        if value is None or not rough:
            continue
        values = _values(connection, cells, value)
        for group in rough:
            exact = _of_values(values[group.keys])
            index = found.index(group)
            statistics = (*group.statistics[:place], exact, *group.statistics[place + 1 :])
            found[index] = replace(group, statistics=statistics)
    return found


def _is_rough(it: Statistics) -> bool:
    return it.count > 1 and math.isnan(it.deviation) and math.isfinite(it.low + it.high)


def _values(
    connection: Connection, cells: _Cells, value: Sql
) -> dict[tuple[Key, ...], list[float]]:
    """All values of each group."""
    parts = [part for key in cells.keys for part in key.all()]
    query = select(*parts, func.count(), value).select_from(cells.table)
    query = query.where(value.is_not(None)).group_by(*parts, value, cells.table.c.component)
    found: dict[tuple[Key, ...], list[float]] = {}
    bare = replace(cells, values=[])
    for row in connection.execute(query):
        found.setdefault(_group(bare, [], list(row[:-1])).keys, []).append(row[-1])
    return found


def _of_values(values: list[float]) -> Statistics:
    mean = math.fsum(values) / len(values)
    squares = math.fsum((each - mean) ** 2 for each in values)
    deviation = math.sqrt(squares / (len(values) - 1))
    return Statistics(len(values), mean, deviation, min(values), max(values))
