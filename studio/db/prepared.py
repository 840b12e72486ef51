"""Statements that requests wait for: put together once, run on SQLite without SQLAlchemy's part.

SQLite finds a row in a few microseconds; to compile, to bind and to wrap what it found takes
SQLAlchemy ten times as long. What PostgreSQL takes itself is more than that: there it runs them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from studio.db import apsw_dbapi
from studio.db.documents import document

_Read = Callable[[Any], Any] | None

_DIALECT = sqlite.dialect(json_deserializer=document)


class Prepared:
    """A statement whose parameters are stored as they are; those that expand may be lists."""

    def __init__(self, statement: Executable) -> None:
        self._statement: Any = statement

    def all(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows, none of a statement that gives none. Raises as `connection.execute` does."""
        if connection.dialect.name != "sqlite":
            result = connection.execute(self._statement, values)
            return result.all() if result.returns_rows else []
        rows = self._run(connection, values)
        readers = self._readers
        return [_read(row, readers) for row in rows] if rows and readers else rows

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row, if there is any."""
        return next(iter(self.all(connection, values)), None)

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        if not connection.in_transaction():
            connection.begin()
        text, given = self._bound(values)
        raw: Any = connection.connection.dbapi_connection
        try:
            rows: list[tuple[Any, ...]] = raw.rows(text, given)
        except apsw_dbapi.Error as error:
            known = DBAPIError.instance(text, given, error, apsw_dbapi.Error, hide_parameters=True)
            raise known from error
        return rows

    def _bound(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        text, order, lists, constants = self._compiled
        values = {**constants, **values}
        if not lists:
            return text, [values[name] for name in order]
        for name in lists:
            marks = ", ".join("?" * len(values[name]))
            text = text.replace(f"__[POSTCOMPILE_{name}]", marks)
        given = [values[name] if name in lists else (values[name],) for name in order]
        return text, [each for several in given for each in several]

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...], frozenset[str], dict[str, Any]]:
        """The text, the names of its parameters in order, those that expand, and those given."""
        compiled: Any = self._statement.compile(dialect=_DIALECT)
        lists = frozenset(name for name, it in compiled.binds.items() if it.expanding)
        constants = {name: it for name, it in compiled.params.items() if it is not None}
        return str(compiled), tuple(compiled.positiontup or ()), lists, constants

    @cached_property
    def _readers(self) -> tuple[tuple[int, _Read], ...]:
        """Where in a row there is what is not as SQLite gives it, and how that is read."""
        if not self._statement.is_select:
            return ()
        types = [it.type.dialect_impl(_DIALECT) for it in self._statement.selected_columns]
        every = [it.result_processor(_DIALECT, None) for it in types]
        return tuple((at, read) for at, read in enumerate(every) if read is not None)


def _read(row: tuple[Any, ...], readers: tuple[tuple[int, _Read], ...]) -> Sequence[Any]:
    values = list(row)
    for at, read in readers:
        values[at] = read(values[at])  # type: ignore[misc]
    return values
