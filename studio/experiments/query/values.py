"""Values as SQL: each is a number, a text, or, where there is none, neither."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from studio.db.experiment_tables import COMPONENT, MEMBERSHIP, SUMMARY, VALUE
from studio.db.tables import RESOURCE
from studio.experiments.query.scope import Scope, plain
from studio.experiments.query.sql import Dialect, Sql
from studio.experiments.query.syntax import Ago, Arithmetic, Call, Field, Number, Text, Value
from studio.experiments.query.tokens import QueryError
from studio.experiments.query.vocabulary import written

_MOST_JOINS = 40
_MOST = 2**32 - 1
"""Components that there may be, less one: the ids of a field are so many."""
_NAMES = {"trial": MEMBERSHIP.c.trial_id, "experiment": MEMBERSHIP.c.experiment_id}
_TIMES = ("created_at", "modified_at", "started_at", "ended_at")
_STORED = {
    "min": "low",
    "max": "high",
    "mean": "mean",
    "count": "count",
    "step": "last_step",
    "min_step": "low_step",
    "max_step": "high_step",
}
_RUNNING = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Columns:
    """A value as SQL; None for what it never is. Where it is not a number, `number` is NULL."""

    number: Sql | None = None
    text: Sql | None = None

    def all(self) -> list[Sql]:
        return [each for each in (self.number, self.text) if each is not None]


@dataclass
class Rows:
    """The trial components that are asked for, with what is joined to them for their values."""

    scope: Scope
    dialect: Dialect
    numbers: Mapping[Field, int]
    needed: Collection[Field] = ()
    """Fields that all of them have."""
    _joined: dict[Field, FromClause] = field(default_factory=dict)
    _members: dict[str, FromClause] = field(default_factory=dict)

    def source(self) -> FromClause:
        """What SELECT is from, once all values have been asked for."""
        needed = self._needed()
        found = self._having(needed) if needed else COMPONENT
        for asked, table in self._joined.items():
            if asked not in needed:
                number = literal(self._start(asked), BigInteger) + COMPONENT.c.number
                found = found.outerjoin(table, self._with(asked, number))
        for table in self._members.values():
            found = found.outerjoin(table, table.c.component == COMPONENT.c.number)
        return found

    def conditions(self) -> list[ColumnElement[bool]]:
        """What makes them those of the scope; fields are of one account and region anyway."""
        return self.scope.owned if self._needed() else self.scope.conditions

    def _needed(self) -> list[Field]:
        """Narrow rows first: the fewer are left, the fewer of the wide ones are read."""
        needed = [it for it in self._joined if it in self.needed]
        return sorted(needed, key=lambda it: it.kind == "metric")

    def _having(self, needed: Sequence[Field]) -> FromClause:
        """The components that have all of these: one's values are gone through, and by them the
        next one's are found."""
        first, *others = needed
        found, last = self._joined[first], first
        for asked in others:
            apart = literal(self._start(asked) - self._start(last), BigInteger)
            on = self._with(asked, self._joined[last].c.id + apart)
            found, last = found.join(self._joined[asked], on), asked
        number = self._joined[last].c.id - literal(self._start(last), BigInteger)
        start = self._start(first)
        those = self._joined[first].c.id.between(start, start + _MOST)
        return found.join(COMPONENT, and_(COMPONENT.c.number == number, those))

    def _with(self, asked: Field, identity: Sql) -> ColumnElement[bool]:
        table = self._joined[asked]
        on = table.c.id == identity
        if self.dialect.name == "sqlite":
            return on
        start = self._start(asked)
        return and_(on, table.c.id.between(start, start + _MOST))  # it may read it as a piece

    def _start(self, asked: Field) -> int:
        return self.numbers[asked] << 32

    def columns(self, value: Value) -> Columns:
        """The value as SQL. Raises QueryError for too many fields."""
        match value:
            case Number():
                return Columns(number=literal(value.value, Double))
            case Text():
                return Columns(text=literal(value.value))
            case Ago():
                return Columns(number=literal(self.scope.now / 1000 - value.seconds, Double))
            case Arithmetic():
                return self._reckoned(value)
            case Call():
                return self._called(value)
            case Field(kind="attribute"):
                return self._attribute(value.name)
            case Field(kind="metric"):
                return self._metric(value)
        table = self._table(value)
        if table is None:
            return Columns()
        return Columns(self.dialect.stored(table.c.number), table.c.text)

    def member(self, name: str) -> Sql:
        """The name of each trial, or experiment, that a component is in: a row for each."""
        if name not in self._members:
            self._members[name] = _memberships(name).alias(f"of_{name}")
        return self._members[name].c.name

    def named(self, name: str, test: Any) -> Sql:
        """Whether a component is in a trial, or an experiment, whose name passes the test."""
        those = select(RESOURCE.c.id).where(
            RESOURCE.c.account == self.scope.account,
            RESOURCE.c.region == self.scope.region,
            RESOURCE.c.kind == f"experiment{'-trial' if name == 'trial' else ''}",
            RESOURCE.c.deleted_at.is_(None),
            test(RESOURCE.c.name),
        )
        return COMPONENT.c.number.in_(select(MEMBERSHIP.c.component).where(_NAMES[name].in_(those)))

    def _reckoned(self, value: Arithmetic) -> Columns:
        left, right = self.columns(value.left).number, self.columns(value.right).number
        if left is None or right is None:
            return Columns()
        return Columns(self.dialect.arithmetic(value.operator, left, right))

    def _called(self, value: Call) -> Columns:
        if value.function in ("lower", "upper", "len"):
            return self._of_text(value)
        numbers = [self.columns(each).number for each in value.arguments]
        known = [each for each in numbers if each is not None]
        if len(known) < len(numbers):
            return Columns()
        return Columns(self.dialect.call(value.function, known))

    def _of_text(self, value: Call) -> Columns:
        text = self.columns(value.arguments[0]).text
        if text is None:
            return Columns()
        if value.function == "len":
            return Columns(number=cast(func.length(text), Double))
        return Columns(text=func.lower(text) if value.function == "lower" else func.upper(text))

    def _attribute(self, name: str) -> Columns:
        column = COMPONENT.c.get(name)
        if name in _TIMES:
            return Columns(cast(column, Double) / 1000.0)
        if name == "starred":
            return Columns(case((COMPONENT.c.starred, 1.0), else_=0.0))
        if name == "duration":
            running = case((COMPONENT.c.status.in_(_RUNNING), self.scope.now))
            end = func.coalesce(COMPONENT.c.ended_at, running)
            return Columns(cast(end - COMPONENT.c.started_at, Double) / 1000.0)
        if name in ("trial", "experiment"):
            return Columns(text=_first_of(name))
        return Columns(text=func.nullif(column, ""))

    def _metric(self, value: Field) -> Columns:
        table = self._table(value)
        return Columns() if table is None else Columns(aspect(self.dialect, table, value.aspect))

    def _table(self, value: Field) -> FromClause | None:
        """What holds its values; None when there is none."""
        of = plain(value)
        if of not in self.numbers:
            return None
        if of not in self._joined:
            if len(self._joined) >= _MOST_JOINS:
                text = f"A query asks for at most {_MOST_JOINS} fields; {written(of)} is too many."
                raise QueryError(text, *value.place)
            table = SUMMARY if value.kind == "metric" else VALUE
            self._joined[of] = table.alias(f"f{len(self._joined)}")
        return self._joined[of]


def aspect(dialect: Dialect, summary: FromClause, name: str) -> Sql:
    """What is known of a metric, from its row in the table of summaries."""
    if name == "":
        return dialect.stored(summary.c.last)
    if name == "std":  # of the sample: of fewer than two values there is none
        freedom = case((summary.c.finite > 1, cast(summary.c.finite - 1, Double)))
        return func.sqrt(summary.c.squares / freedom)
    if name == "time":
        return cast(summary.c.last_at, Double) / 1000.0
    return cast(summary.c[_STORED[name]], Double)


def _memberships(name: str) -> Any:
    """Components with the names of what they are in, each once."""
    return (
        select(MEMBERSHIP.c.component, RESOURCE.c.name)
        .join(RESOURCE, RESOURCE.c.id == _NAMES[name])
        .where(RESOURCE.c.deleted_at.is_(None))
        .distinct()
    )


def _first_of(name: str) -> ColumnElement[Any]:
    """The first name, by letters, of what a component is in."""
    return (
        select(func.min(RESOURCE.c.name))
        .join(MEMBERSHIP, RESOURCE.c.id == _NAMES[name])
        .where(RESOURCE.c.deleted_at.is_(None), MEMBERSHIP.c.component == COMPONENT.c.number)
        .scalar_subquery()
    )
