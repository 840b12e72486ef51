"""The part of DB-API 2.0 that SQLAlchemy's SQLite dialect uses, over apsw.

apsw carries its own, current SQLite; the interpreter's may have the WAL-reset bug that SQLite
fixed in 3.51.3 (https://sqlite.org/wal.html). Transactions are never opened implicitly: the
engine says BEGIN.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apsw

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"
Binary = bytes
sqlite_version = apsw.sqlite_lib_version()
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))


class Error(Exception):
    """Base of the errors below (PEP 249)."""


class Warning(Exception):
    """Unused, required by PEP 249."""


class InterfaceError(Error):
    """Misuse of this module."""


class DatabaseError(Error):
    """An error of the database."""


class DataError(DatabaseError):
    """Unused, required by PEP 249."""


class OperationalError(DatabaseError):
    """Busy, full, unreadable, or SQL that does not run; `code` is SQLite's extended one."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class IntegrityError(DatabaseError):
    """A constraint was violated."""


class InternalError(DatabaseError):
    """Unused, required by PEP 249."""


class ProgrammingError(DatabaseError):
    """Unused, required by PEP 249."""


class NotSupportedError(DatabaseError):
    """Unused, required by PEP 249."""


def connect(database: str, **_ignored: Any) -> "Connection":
    """Open `database`, a path or `:memory:`."""
    return Connection(database)


class Connection:
    """One apsw connection; usable from any thread, by one at a time."""

    isolation_level: str | None = None

    def __init__(self, database: str) -> None:
        try:
            self._apsw = apsw.Connection(database)
        except apsw.Error as error:
            raise _translated(error) from error
        self._apsw.set_busy_timeout(5000)

    def cursor(self) -> "Cursor":
        return Cursor(self._apsw)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Cursor":
        return self.cursor().execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All that a statement yields, for whoever knows its columns: a third of the time."""
        try:
            rows: list[tuple[Any, ...]] = self._apsw.execute(sql, parameters).fetchall()
        except apsw.Error as error:
            raise _translated(error) from error
        return rows

    def commit(self) -> None:
        # Not only when a transaction is open: one that SQLite gave up by itself is no success.
        self.rows("COMMIT")

    def rollback(self) -> None:
        if self._apsw.in_transaction:
            self.rows("ROLLBACK")

    def close(self) -> None:
        self._apsw.close()

    def create_function(
        self, name: str, narg: int, func: Callable[..., Any], deterministic: bool = False
    ) -> None:
        self._apsw.create_scalar_function(name, func, narg, deterministic=deterministic)


class Cursor:
    """Rows are fetched as SQLite yields them."""

    arraysize = 1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.exec_trace = self._remember_columns
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "Cursor":
        self.description = None
        before = self._connection.total_changes()
        try:
            self._cursor.execute(sql, tuple(parameters))
        except apsw.Error as error:
            raise _translated(error) from error
        changed = self._connection.total_changes() - before
        self.rowcount = changed if changed or self.description is None else -1
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> "Cursor":
        self.description = None
        before = self._connection.total_changes()
        try:
            self._cursor.executemany(sql, [tuple(row) for row in rows])
        except apsw.Error as error:
            raise _translated(error) from error
        self.rowcount = self._connection.total_changes() - before
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows(), None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        rows = self._rows()
        wanted = self.arraysize if size is None else size
        # The range first: zip must not take a row that it then drops.
        return [row for _, row in zip(range(wanted), rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        try:
            rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        except apsw.Error as error:
            raise _translated(error) from error
        return rows

    def close(self) -> None:
        self._cursor.close(force=True)

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        try:
            # Not `yield from`: that would close the cursor with the generator.
            for row in self._cursor:  # noqa: UP028
                yield row
        except apsw.Error as error:
            raise _translated(error) from error

    def _remember_columns(self, cursor: apsw.Cursor, _sql: str, _bindings: Any) -> bool:
        # Only here are the columns of a statement without rows known.
        columns = cursor.get_description()
        self.description = (
            tuple((name, kind, None, None, None, None, None) for name, kind in columns)
            if columns
            else None
        )
        return True


def _translated(error: apsw.Error) -> Error:
    if isinstance(error, apsw.ConstraintError):
        return IntegrityError(str(error))
    return OperationalError(str(error), getattr(error, "extendedresult", apsw.SQLITE_ERROR))
