"""Which calls were carried out: a client that repeats one is told what came of it, once more.

A call is recorded in the transaction of its change. Its mark is made of who calls what with which
body and of the id that SDKs give to all attempts of one call (`amz-sdk-invocation-id`).
"""

from sqlalchemy import Connection, select

from studio.db.tables import CALL

_KEPT_MS = 3_600_000
"""No client that is known repeats a call after an hour."""


def earlier(connection: Connection, mark: str) -> str | None:
    """Id of the resource that the call with this mark changed; None when it changed nothing."""
    found: str | None = connection.scalar(select(CALL.c.resource_id).where(CALL.c.mark == mark))
    return found


def record(connection: Connection, mark: str, resource_id: str, now: int) -> None:
    """Remember the call, and forget those that nobody repeats any more."""
    connection.execute(CALL.delete().where(CALL.c.at < now - _KEPT_MS))
    if earlier(connection, mark) is None:
        connection.execute(CALL.insert().values(mark=mark, resource_id=resource_id, at=now))
