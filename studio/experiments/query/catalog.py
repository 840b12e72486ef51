"""Which fields trial components have, and what of: never more than a page of them is looked at.

`these` are the numbers of the components that are looked at: all of the scope when it is None.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    select,
)

from studio.db.experiment_tables import COMPONENT, FIELD, SUMMARY, VALUE
from studio.experiments.query.scope import Scope
from studio.experiments.query.sql import Dialect
from studio.experiments.query.syntax import Field
from studio.experiments.query.vocabulary import ATTRIBUTES

_VALUES = 20
_ORDER = ("metric", "parameter", "tag")
_TYPES = {"flag": "Boolean", "number": "Number", "time": "Time"}


@dataclass(frozen=True)
class Known:
    """What is known of a field; `low` and `high` are of its numbers."""

    type: str
    components: int
    low: float | None = None
    high: float | None = None


def attributes(contains: str) -> list[Field]:
    """What all trial components have."""
    return [Field("attribute", name) for name in ATTRIBUTES if contains.lower() in name]


def listed(
    connection: Connection,
    scope: Scope,
    kinds: Sequence[str],
    contains: str,
    place: tuple[int, int],
    these: Sequence[int] | None = None,
) -> tuple[int, dict[Field, int]]:
    """How many parameters, metrics and tags there are of these kinds, with a text in their name;
    and the numbers of those in a window, by kind and name."""
    wanted = [
        FIELD.c.account == scope.account,
        FIELD.c.region == scope.region,
        FIELD.c.kind.in_(kinds),
        _is_used(scope) if these is None else _is_of(_table(connection, these)),
    ]
    if contains:
        wanted.append(func.lower(FIELD.c.name).contains(contains.lower(), autoescape=True))
    order = case({kind: n for n, kind in enumerate(_ORDER)}, value=FIELD.c.kind)
    query = select(FIELD.c.kind, FIELD.c.name, FIELD.c.id).where(*wanted)
    # What a job took of the machine is not what somebody looks for first.
    system = case((FIELD.c.name.startswith("system/"), 1), else_=0)
    named = Dialect(connection.dialect.name).natural(FIELD.c.name), FIELD.c.name
    query = query.order_by(order, system, *named).offset(place[0]).limit(place[1])
    found = {Field(kind, name): number for kind, name, number in connection.execute(query)}
    counted = select(func.count()).select_from(FIELD).where(*wanted)
    return connection.execute(counted).scalar_one(), found


def known(
    connection: Connection,
    scope: Scope,
    field: Field,
    number: int,
    these: Sequence[int] | None = None,
) -> Known:
    """Of a parameter, a metric or a tag, which has this number: as much work as it has values."""
    metric = field.kind == "metric"
    table, value = (SUMMARY, SUMMARY.c.last) if metric else (VALUE, VALUE.c.number)
    texts = func.count() * 0 if metric else func.count(VALUE.c.text)
    source, wanted = _of(connection, scope, table, number, these)
    query = select(func.count(), func.count(value), texts, func.min(value), func.max(value))
    row = connection.execute(query.select_from(source).where(*wanted)).one()
    count, numbers, written, low, high = row
    kind = "Mixed" if numbers and written else "Text" if written else "Number"
    return Known(kind, count, low, high)


def known_attribute(
    connection: Connection, scope: Scope, field: Field, these: Sequence[int] | None = None
) -> Known:
    """Of what all trial components have."""
    kind = _TYPES.get(ATTRIBUTES[field.name], "Text")
    if these is not None:
        return Known(kind, len(these))
    count = select(func.count()).select_from(COMPONENT).where(*scope.conditions)
    return Known(kind, connection.execute(count).scalar_one())


def frequent(
    connection: Connection, scope: Scope, number: int, these: Sequence[int] | None = None
) -> list[tuple[str, int]]:
    """The most frequent texts of a parameter or a tag, and how often each is."""
    source, wanted = _of(connection, scope, VALUE, number, these)
    query = select(VALUE.c.text, func.count()).select_from(source)
    query = query.where(*wanted, VALUE.c.text.is_not(None)).group_by(VALUE.c.text)
    query = query.order_by(func.count().desc(), VALUE.c.text).limit(_VALUES)
    return [(text, count) for text, count in connection.execute(query)]


def _of(
    connection: Connection,
    scope: Scope,
    table: FromClause,
    number: int,
    these: Sequence[int] | None,
) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """The values of a field, of the components that are looked at."""
    those = table.c.id.between(number << 32, (number + 1 << 32) - 1)
    if these is not None:
        of = _table(connection, these)
        first = literal(number << 32, BigInteger)
        return of.join(table, table.c.id == first + of.c.number), [those]
    if scope.owner is None:
        return table, [those]
    component = COMPONENT.c.number == table.c.id - literal(number << 32, BigInteger)
    return table.join(COMPONENT, component), [those, *scope.conditions]


def _table(connection: Connection, these: Sequence[int]) -> Subquery:
    return Dialect(connection.dialect.name).numbers("these", these)


def _is_of(these: Subquery) -> ColumnElement[bool]:
    """Whether one of these has a value of the field.

    Metrics are found by their components: of metrics there may be very many.
    """
    of = SUMMARY.c.component.in_(select(these.c.number))
    metrics = FIELD.c.id.in_(select(SUMMARY.c.id.bitwise_rshift(literal(32, Integer))).where(of))
    first = FIELD.c.id * literal(1 << 32, BigInteger)
    values = select(VALUE.c.id).select_from(these.join(VALUE, VALUE.c.id == first + these.c.number))
    is_metric = FIELD.c.kind == "metric"
    return and_(is_metric, metrics) | and_(~is_metric, exists(values.correlate(FIELD)))


def _is_used(scope: Scope) -> ColumnElement[bool]:
    """Whether a component of the scope has a value of the field."""
    first = FIELD.c.id * literal(1 << 32, BigInteger)
    ways = []
    for table, metric in ((SUMMARY, True), (VALUE, False)):
        of = select(table.c.id).where(table.c.id >= first, table.c.id < first + (1 << 32))
        if scope.owner is not None:
            of = of.where(COMPONENT.c.number == table.c.id - first, *scope.conditions)
        kind = FIELD.c.kind == "metric" if metric else FIELD.c.kind != "metric"
        ways.append(and_(kind, exists(of.correlate(FIELD))))
    return ways[0] | ways[1]
