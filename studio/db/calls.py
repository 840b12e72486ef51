"""Which calls were carried out: a client that repeats one is told what came of it, once more.

A call is recorded in the transaction of its change. Its mark is made of who calls what with which
body and of the id that SDKs give to all attempts of one call (`amz-sdk-invocation-id`).
"""

from sqlalchemy import Connection, bindparam, select

from studio.db.prepared import Prepared
from studio.db.tables import CALL

_KEPT_MS = 3_600_000
"""No client that is known repeats a call after an hour."""

# Made once: to make a statement costs more than to run it.
_FIND = Prepared(select(CALL.c.resource_id).where(CALL.c.mark == bindparam("mark")))
_FORGET = Prepared(CALL.delete().where(CALL.c.at < bindparam("before")))
_INSERT = Prepared(CALL.insert())


def earlier(connection: Connection, mark: str) -> str | None:
    """Id of the resource that the call with this mark changed; None when it changed nothing."""
    found = _FIND.first(connection, {"mark": mark})
    return found[0] if found else None


def record(connection: Connection, mark: str, resource_id: str, now: int) -> None:
    """Remember the call, and forget those that nobody repeats any more."""
    _FORGET.all(connection, {"before": now - _KEPT_MS})
    if earlier(connection, mark) is None:
        _INSERT.all(connection, {"mark": mark, "resource_id": resource_id, "at": now})
