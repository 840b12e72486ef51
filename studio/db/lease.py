"""The lease of the control plane that leads on a PostgreSQL database: a row that it renews.

The lock of the writer's connection keeps everybody else from writing (see `engines`). The lease
adds what a lock cannot tell: that its holder has stopped without letting go, and, by a token that
grows with each holder, that somebody else has led while a connection was lost.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from studio.db import engines, failures
from studio.db.tables import RESOURCE

_ID, _KIND = "control-plane-lease", "control-plane"
_ROW = RESOURCE.c.id == _ID
_END_SESSIONS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
    "AND objid = :lock AND database = (SELECT oid FROM pg_database WHERE datname = "
    "current_database())"
)


@dataclass(frozen=True)
class Lease:
    """`token` is the fencing token of the holder, `beat` changes with each renewal; `holder` is
    its identity (see studio.processes) and host."""

    token: int
    beat: int
    holder: dict[str, Any]


def take(connection: Connection, holder: dict[str, Any]) -> int:
    """Note that `holder` leads from now on; its token."""
    found = _read(connection)
    token = found.token + 1 if found else 1
    values = {"state": holder, "generation": token, "modified_at": _now()}
    if found is None:
        empty = dict.fromkeys(("account", "region", "arn", "status", "desired"), "")
        more = {"id": _ID, "kind": _KIND, "name": _ID, "spec": {}, "tags": [], "created_at": 0}
        connection.execute(RESOURCE.insert().values(**empty, **more, **values))
    else:
        connection.execute(RESOURCE.update().where(_ROW).values(**values))
    return token


def renew(connection: Connection, token: int) -> bool:
    """False when somebody else has led since."""
    mine = RESOURCE.update().where(_ROW, RESOURCE.c.generation == token)
    # Never the same twice, whatever is done to the clock: who looks only asks if it changed.
    later = RESOURCE.c.modified_at + 1
    return connection.execute(mine.values(modified_at=later)).rowcount == 1


def read(engine: Engine) -> Lease | None:
    """The lease as of now; None when nobody has ever led. Raises StorageError."""
    with failures.told(), engine.connect() as connection:
        return _read(connection)


def fence(token: int, deposed: Callable[[], object]) -> Callable[[Any], None]:
    """For each new connection of the writer, given its cursor, behind the lock: calls `deposed`
    when somebody else has led since, and raises Unavailable."""

    def look(cursor: Any) -> None:
        cursor.execute("SELECT generation FROM resource WHERE id = %s", (_ID,))
        found = cursor.fetchone()
        if found is not None and found[0] != token:
            deposed()
            raise failures.Unavailable("another control plane leads meanwhile")

    return look


def end_sessions(url: str) -> None:
    """End the connection through which somebody else may still write. To be called by whom the
    lock of the home was given, for then that one is gone. Raises StorageError."""
    engine = engines.reader(url)
    try:
        with failures.told(), engine.connect() as connection:
            connection.execute(_END_SESSIONS, {"lock": engines.LEADER})
    finally:
        engine.dispose()


def _read(connection: Connection) -> Lease | None:
    columns = RESOURCE.c.generation, RESOURCE.c.modified_at, RESOURCE.c.state
    row = connection.execute(select(*columns).where(_ROW)).first()
    return Lease(*row) if row else None


def _now() -> int:
    return time.time_ns() // 1_000_000
