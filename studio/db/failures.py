"""What the database could not do, as the error that a client receives.

Errors of the caller's own statements (a constraint, a mistake of ours) pass as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DataError, DBAPIError, TimeoutError

from studio.db import apsw_dbapi
from studio.errors import ApiError, ValidationException

# https://sqlite.org/rescode.html
_BUSY, _LOCKED, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 10, 11, 13, 14, 26
_PROTOCOL = 15  # a reader that was starved while it began
# The index of the log, a file in memory's shape, could not grow.
_NO_ROOM = frozenset({_IOERR | 19 << 8, _IOERR | 21 << 8})
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PG_FULL = "53100"
_PG_BROKEN = ("58", "XX001", "XX002")
_PG_AWAY = ("08", "53", "57", "25006", "40")


class StorageError(ApiError):
    """The database could not store or read: nothing of the transaction remains."""


class Full(StorageError):
    """The disk is full, or what its owner may take of it."""

    def __init__(self) -> None:
        text = "The disk that Studio stores on is full: free some space, then try again."
        super().__init__("InsufficientStorage", text, 507)


class Broken(StorageError):
    """The disk did not do as it was told. What it holds can be trusted no more than its word."""

    def __init__(self, what: str) -> None:
        text = (
            f"The disk that Studio stores on failed ({what}). Nothing more is written until "
            "Studio is started anew; have the disk examined first."
        )
        super().__init__("InternalFailure", text, 500)


class Unavailable(StorageError):
    """The database does not answer now."""

    def __init__(self, what: str) -> None:
        text = f"The database does not answer now ({what}): try again."
        super().__init__("ServiceUnavailable", text, 503)


@contextmanager
def told() -> Iterator[None]:
    """Raises what `translated` makes of an error."""
    try:
        yield
    except Exception as error:
        known = translated(error)
        if known is error:
            raise
        raise known from error


def translated(error: BaseException) -> BaseException:
    """An ApiError for what is not the statement's fault; else `error` itself."""
    if isinstance(error, TimeoutError):
        return Unavailable("all connections are in use")
    if not isinstance(error, DBAPIError):
        return error
    if isinstance(error.orig, apsw_dbapi.OperationalError):
        return _of_sqlite(error.orig.code, str(error.orig)) or error
    if isinstance(error.orig, apsw_dbapi.Error):
        return error
    return _of_postgresql(error) or error


def _of_sqlite(code: int, text: str) -> ApiError | None:
    primary = code & 0xFF
    if primary == _FULL or code in _NO_ROOM:
        return Full()
    if primary in (_IOERR, _CORRUPT, _NOTADB):
        return Broken(text)
    if primary in (_BUSY, _LOCKED, _CANTOPEN, _PROTOCOL):
        return Unavailable(text)
    return None


def _of_postgresql(error: DBAPIError) -> ApiError | None:
    state: Any = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, DataError):
        text = "A text of the request is too long, or holds a character, for the database."
        return ValidationException(text)
    if state == _PG_FULL:
        return Full()
    if state.startswith(_PG_BROKEN):
        return Broken(f"PostgreSQL says {state}")
    if state.startswith(_PG_AWAY) or error.connection_invalidated or _is_gone(error):
        return Unavailable(f"PostgreSQL, {state or 'no connection'}")
    return None


def _is_gone(error: DBAPIError) -> bool:
    """Whether there is no connection, or none any more: then no server gave the error a state."""
    state = getattr(error.orig, "sqlstate", None)
    names = {kind.__name__ for kind in type(error.orig).__mro__}
    return state is None and not names.isdisjoint(("OperationalError", "InterfaceError"))
