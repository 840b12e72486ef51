"""Any window of the trial components that a query selects, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    nulls_last,
    or_,
    select,
)
from sqlalchemy.sql.elements import UnaryExpression

from studio.db.experiment_tables import COMPONENT
from studio.db.tables import RESOURCE
from studio.experiments.query import conditions
from studio.experiments.query.needs import needed
from studio.experiments.query.scope import Scope
from studio.experiments.query.sql import Dialect, Sql, listed
from studio.experiments.query.syntax import Condition, Truth, Value, fields
from studio.experiments.query.values import Columns, Rows

_ALL = Truth(True)

Order = tuple[Value, bool]
"""What is sorted by, and whether the greatest comes first."""


@dataclass(frozen=True)
class Found:
    """A trial component; `number` is that of its values."""

    number: int
    name: str
    arn: str
    display_name: str
    status: str


@dataclass(frozen=True)
class Window:
    """`total` are in the scope, `matched` of them are selected; `found` is the window of those."""

    total: int
    matched: int
    found: list[Found]


def window(
    connection: Connection,
    scope: Scope,
    asked: Condition,
    orders: Sequence[Order],
    place: tuple[int, int],
    names: Sequence[str] | None = None,
) -> Window:
    """The components `place` (offset, limit) of those that are asked for, or of these names.

    Raises QueryError for too many fields.
    """
    values = [value for value, _ in orders]
    rows = rows_of(connection, scope, asked, values)
    wanted = selected(rows, asked, names)
    order = [each for value, down in orders for each in sorted_by(rows.columns(value), down)]
    order += [COMPONENT.c.created_at.desc(), COMPONENT.c.number.desc()]
    total = _total(connection, scope)
    every = asked == _ALL and names is None
    # Counted in one pass with what is found, which is nearly the work of finding it.
    count = literal(total) if every else func.count().over()
    query = select(COMPONENT.c.number, count).select_from(rows.source()).where(*wanted)
    query = query.order_by(*order).offset(place[0]).limit(place[1])
    found = connection.execute(query).all() if place[1] else []
    several = found[0][1] if found else matched(connection, scope, asked, names)
    return Window(total, several, _described(connection, [number for number, _ in found]))


def matched(
    connection: Connection, scope: Scope, asked: Condition, names: Sequence[str] | None = None
) -> int:
    """How many are asked for."""
    rows = rows_of(connection, scope, asked)
    wanted = selected(rows, asked, names)
    query = select(func.count()).select_from(rows.source()).where(*wanted)
    return connection.execute(query).scalar_one()


def numbers(
    connection: Connection,
    scope: Scope,
    asked: Condition,
    names: Sequence[str] | None,
    most: int,
) -> list[int]:
    """The numbers of those that are asked for, of the newest so many of them; ascending."""
    rows = rows_of(connection, scope, asked)
    wanted = selected(rows, asked, names)
    query = select(COMPONENT.c.number).select_from(rows.source()).where(*wanted)
    query = query.order_by(COMPONENT.c.created_at.desc(), COMPONENT.c.number.desc()).limit(most)
    return sorted(connection.execute(query).scalars())


def selected(
    rows: Rows, asked: Condition, names: Sequence[str] | None
) -> list[ColumnElement[bool]]:
    """What WHERE says, of a query and of names."""
    satisfied = conditions.satisfied(rows, asked)
    found = [*rows.conditions(), satisfied]
    return found if names is None else [*found, COMPONENT.c.name.in_(names)]


def rows_of(
    connection: Connection, scope: Scope, asked: Condition, values: Sequence[Value] = ()
) -> Rows:
    """The components that may satisfy a condition, ready to be asked for it and for the values."""
    named = [field for node in (asked, *values) for field in fields(node)]
    numbers = scope.numbers(connection, named)
    return Rows(scope, Dialect(connection.dialect.name), numbers, needed(asked))


def sorted_by(columns: Columns, down: bool) -> list[UnaryExpression[Sql]]:
    """Numbers first, then texts; at the end what is missing."""
    return [nulls_last(each.desc() if down else each.asc()) for each in columns.all()]


def _total(connection: Connection, scope: Scope) -> int:
    """How many are in the scope."""
    if scope.owner is not None:
        return matched(connection, scope, _ALL)
    # All less those of others, of whom there are few: SQLite counts all without reading a row.
    place = {"account": scope.account, "region": scope.region}
    every = connection.execute(_COUNT).scalar_one()
    return int(every - connection.execute(_OF_OTHERS, place).scalar_one())


def _described(connection: Connection, numbers: list[int]) -> list[Found]:
    """In the order of the numbers."""
    query = _description(Dialect(connection.dialect.name))
    found = connection.execute(query, {"these": listed(numbers)}) if numbers else ()
    known = {row.number: Found(*row) for row in found}
    return [known[each] for each in numbers if each in known]


# Statements are put together once: it takes longer than to run them.
_COUNT = select(func.count()).select_from(COMPONENT)
_ACCOUNT, _REGION = bindparam("account", type_=String), bindparam("region", type_=String)
_OF_OTHERS = _COUNT.where(
    or_(
        COMPONENT.c.account < _ACCOUNT,
        COMPONENT.c.account > _ACCOUNT,
        and_(COMPONENT.c.account == _ACCOUNT, COMPONENT.c.region < _REGION),
        and_(COMPONENT.c.account == _ACCOUNT, COMPONENT.c.region > _REGION),
    )
)


@lru_cache
def _description(dialect: Dialect) -> Select[Any]:
    these = dialect.numbers("these")
    return (
        select(
            COMPONENT.c.number,
            COMPONENT.c.name,
            RESOURCE.c.arn,
            COMPONENT.c.display_name,
            COMPONENT.c.status,
        )
        .select_from(these)
        .join(COMPONENT, COMPONENT.c.number == these.c.number)
        .join(RESOURCE, RESOURCE.c.id == COMPONENT.c.resource_id)
    )
