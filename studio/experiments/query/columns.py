"""Values of many fields of many trial components, as columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Connection, Select, cast, literal, null, select

from studio.db.experiment_tables import COMPONENT, SUMMARY, VALUE
from studio.experiments.query import syntax, values
from studio.experiments.query.scope import Scope, plain
from studio.experiments.query.sql import Dialect, listed
from studio.experiments.query.syntax import Field, Value
from studio.experiments.query.windows import rows_of

_JOINED = 30
_HALF = 2**32
_ALL = syntax.Truth(True)

Floats = NDArray[np.float64]
_Places = NDArray[np.int64]


@dataclass(frozen=True)
class Column:
    """Numbers and texts of one value, in the order of the components that were asked for."""

    numbers: Floats
    """NaN where there is none."""
    texts: dict[int, str] = field(default_factory=dict)
    """By their places."""

    def packed_numbers(self) -> bytes | None:
        """Little-endian float64s; None when there is no number."""
        if np.isnan(self.numbers).all():
            return None
        return self.numbers.astype("<f8", copy=False).tobytes()

    def packed_texts(self) -> tuple[list[str], bytes] | None:
        """The different texts, and for each component the place of its own, -1 without one, as
        little-endian int32s; None when there is no text."""
        if not self.texts:
            return None
        places = {text: at for at, text in enumerate(dict.fromkeys(self.texts.values()))}
        codes = np.full(len(self.numbers), -1, "<i4")
        codes[list(self.texts)] = [places[text] for text in self.texts.values()]
        return list(places), codes.tobytes()


def columns(
    connection: Connection, scope: Scope, numbers: Sequence[int], asked: Sequence[Value]
) -> list[Column]:
    """A column for each value. Raises QueryError for a value of too many fields."""
    these = _These(numbers)
    read = _plain(connection, scope, these, asked)
    rest = [value for value in dict.fromkeys(asked) if value not in read]
    for some in _in_parts(rest):
        read |= _reckoned(connection, scope, these, some)
    empty = Column(np.full(len(numbers), np.nan))
    return [read.get(value, empty) for value in asked]


class _These:
    """The components that are asked for, by their numbers."""

    def __init__(self, numbers: Sequence[int]) -> None:
        given = np.array(numbers, np.int64)
        self._order = np.argsort(given)
        self._sorted = given[self._order]
        self.numbers: list[int] = self._sorted.tolist()

    def places(self, numbers: _Places) -> _Places:
        """Where they were asked for."""
        return self._order[np.searchsorted(self._sorted, numbers)]


def _plain(
    connection: Connection, scope: Scope, these: _These, asked: Iterable[Value]
) -> dict[Value, Column]:
    """Parameters, tags and metrics: they are found by their ids, whatever their number."""
    fields = [it for it in asked if isinstance(it, Field) and it.kind != "attribute"]
    known = scope.numbers(connection, fields)
    dialect = Dialect(connection.dialect.name)
    found: dict[Value, Column] = {}
    for aspect in {(it.kind == "metric", it.aspect) for it in fields} if these.numbers else ():
        same = [it for it in fields if (it.kind == "metric", it.aspect) == aspect]
        of = {known[plain(it)]: it for it in same if plain(it) in known}
        if of:
            wanted = sorted(of)
            query = _by_id(dialect, aspect)
            several = _several(connection, query, wanted, these)
            found |= dict(zip((of[number] for number in wanted), several, strict=True))
    return found


def _several(
    connection: Connection, query: Select[Any], fields: list[int], these: _These
) -> Iterator[Column]:
    """The column of each of the fields, of the rows (id, number, text) of a query."""
    table = np.full((len(fields), len(these.numbers)), np.nan)
    texts: list[dict[int, str]] = [{} for _ in fields]
    asked = {"wanted": listed(fields), "these": listed(these.numbers)}
    if rows := connection.execute(query, asked).all():
        ids, numbers, written = zip(*rows, strict=True)
        given = np.array(ids, np.int64)
        of, places = np.searchsorted(fields, given >> 32), these.places(given & (_HALF - 1))
        table[of, places] = np.array(numbers, np.float64)  # None is NaN
        for row, place, text in zip(of.tolist(), places.tolist(), written, strict=True):
            if text is not None:
                texts[row][place] = text
    return map(Column, table, texts)


@lru_cache  # putting it together takes longer than what it is for, of a few components
def _by_id(dialect: Dialect, aspect: tuple[bool, str]) -> Select[Any]:
    """Ids, numbers and texts of the fields `wanted` of the components `these`."""
    wanted, these = dialect.numbers("wanted"), dialect.numbers("these")
    ids = cast(wanted.c.number, BigInteger) * literal(_HALF, BigInteger) + these.c.number
    table = SUMMARY if aspect[0] else VALUE
    number = values.aspect(dialect, SUMMARY, aspect[1]) if aspect[0] else VALUE.c.number
    text = null() if aspect[0] else VALUE.c.text
    pairs = wanted.join(these, literal(True)).join(table, table.c.id == ids)
    return select(table.c.id, dialect.stored(number), text).select_from(pairs)


def _in_parts(asked: Sequence[Value]) -> Iterable[list[Value]]:
    """So many at a time as one statement can join."""
    part: list[Value] = []
    joined: set[tuple[str, str]] = set()
    for value in asked:
        needed = {(it.kind, it.name) for it in syntax.fields(value) if it.kind != "attribute"}
        if part and len(joined | needed) > _JOINED:
            yield part
            part, joined = [], set()
        part.append(value)
        joined |= needed
    if part:
        yield part


def _reckoned(
    connection: Connection, scope: Scope, these: _These, asked: Sequence[Value]
) -> dict[Value, Column]:
    rows = rows_of(connection, scope, _ALL, asked)
    shown = [rows.columns(value) for value in asked]
    wanted = rows.dialect.numbers("these")
    selected = [COMPONENT.c.number, *(part for each in shown for part in each.all())]
    query = select(*selected).select_from(rows.source())
    query = query.where(COMPONENT.c.number.in_(select(wanted.c.number)))
    found = {value: Column(np.full(len(these.numbers), np.nan)) for value in asked}
    if answer := connection.execute(query, {"these": listed(these.numbers)}).all():
        numbers, *parts = zip(*answer, strict=True)
        places, rest = these.places(np.array(numbers, np.int64)), iter(parts)
        for column, columns in zip(found.values(), shown, strict=True):
            if columns.number is not None:
                column.numbers[places] = np.array(next(rest), np.float64)
            if columns.text is not None:
                told = zip(places.tolist(), next(rest), strict=True)
                column.texts.update((at, text) for at, text in told if text is not None)
    return found
