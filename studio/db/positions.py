"""How far sources of values were read: stored with what was read, so that nothing counts twice."""

from sqlalchemy import Connection, bindparam, select

from studio.db.tables import METRIC_SOURCE

_NAMED = METRIC_SOURCE.c.name == bindparam("source")
_FIND = select(METRIC_SOURCE.c.position).where(_NAMED)
_MOVE = METRIC_SOURCE.update().where(_NAMED).values(position=bindparam("to"))


def position(connection: Connection, source: str) -> int:
    """How far a source was read; -1 before the first time."""
    found = connection.execute(_FIND, {"source": source}).scalar_one_or_none()
    return -1 if found is None else int(found)


def advance(connection: Connection, source: str, to: int) -> bool:
    """A source is read up to `to` now; False when it was before."""
    before = position(connection, source)
    if before >= to:
        return False
    if before < 0:
        connection.execute(METRIC_SOURCE.insert().values(name=source, position=to))
    else:
        connection.execute(_MOVE, {"source": source, "to": to})
    return True


def forget(connection: Connection, source: str) -> None:
    """A source is gone, and will never be read again."""
    connection.execute(METRIC_SOURCE.delete().where(_NAMED), {"source": source})
