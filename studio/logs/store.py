"""Groups and streams as rows, and how they go: by hand, or when their time is over."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, tuple_

from studio.db.tables import LOG_CHUNK, LOG_GROUP, LOG_STREAM

DAY = 86_400_000
_CHUNKS_AT_ONCE = 200
_PAGE = 200


@dataclass(frozen=True)
class Group:
    """`settings` are what CreateLogGroup was told beside; tags are a map."""

    account: str
    region: str
    name: str
    owner: str
    created_at: int
    settings: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    retention_days: int | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def oldest(self, now: int) -> int:
        """Time of the oldest events that are kept."""
        return 0 if self.retention_days is None else max(0, now - self.retention_days * DAY)


@dataclass(frozen=True)
class Stream:
    """`events` and `bytes` count what came; the times are of events, None without any."""

    group_id: str
    name: str
    created_at: int
    first_at: int | None = None
    last_at: int | None = None
    ingested_at: int | None = None
    events: int = 0
    bytes: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


_GROUPS = select(*(LOG_GROUP.c[it.name] for it in fields(Group)))
_STREAMS = select(*(LOG_STREAM.c[it.name] for it in fields(Stream)))


def find_group(connection: Connection, account: str, region: str, name: str) -> Group | None:
    group = LOG_GROUP.c
    named = (group.account == account, group.region == region, group.name == name)
    row = connection.execute(_GROUPS.where(*named)).first()
    return Group(*row) if row else None


def find_stream(connection: Connection, group_id: str, name: str) -> Stream | None:
    stream = LOG_STREAM.c
    row = connection.execute(_STREAMS.where(stream.group_id == group_id, stream.name == name))
    found = row.first()
    return Stream(*found) if found else None


def groups(
    connection: Connection, place: tuple[str, str], owner: str | None, after: str
) -> Iterator[Group]:
    """Groups behind the name `after`, by name; `owner` None: everybody's. `place` is account and
    region."""
    group = LOG_GROUP.c
    fixed = [group.account == place[0], group.region == place[1]]
    fixed += [] if owner is None else [group.owner == owner]
    while True:
        query = _GROUPS.where(*fixed, group.name > after).order_by(group.name).limit(_PAGE)
        found = [Group(*row) for row in connection.execute(query)]
        yield from found
        if len(found) < _PAGE:
            return
        after = found[-1].name


def stream_ids(group_id: str, prefix: str, names: list[str] | None) -> Select[Any]:
    """Selects the streams of a group: with a prefix, or of these names."""
    stream = LOG_STREAM.c
    query = select(stream.id).where(stream.group_id == group_id)
    query = query.where(_begins(prefix)) if prefix else query
    return query if names is None else query.where(stream.name.in_(names))


def stream_names(connection: Connection, ids: set[str]) -> dict[str, str]:
    """Id -> name."""
    query = select(LOG_STREAM.c.id, LOG_STREAM.c.name).where(LOG_STREAM.c.id.in_(ids))
    return {row.id: row.name for row in connection.execute(query)}


@dataclass(frozen=True)
class Order:
    """How streams are listed; `after` is the place behind which a page begins."""

    by_time: bool
    descending: bool
    after: tuple[int, str] | None


def streams(
    connection: Connection, group_id: str, prefix: str, order: Order, limit: int
) -> list[Stream]:
    """Streams of a group; those without events are the oldest."""
    stream = LOG_STREAM.c
    time = func.coalesce(stream.last_at, 0)
    key: list[ColumnElement[Any]] = [time, stream.name] if order.by_time else [stream.name]
    query = _STREAMS.where(stream.group_id == group_id)
    query = query.where(_begins(prefix)) if prefix else query
    if order.after is not None:
        mark = tuple_(*(order.after if order.by_time else order.after[1:]))
        query = query.where(tuple_(*key) < mark if order.descending else tuple_(*key) > mark)
    sorted_ = [each.desc() if order.descending else each.asc() for each in key]
    return [Stream(*row) for row in connection.execute(query.order_by(*sorted_).limit(limit))]


def stored_bytes(connection: Connection, group_ids: list[str]) -> dict[str, int]:
    """Id of a group -> bytes of its events; groups without streams are missing."""
    stream = LOG_STREAM.c
    query = select(stream.group_id, func.sum(stream.bytes)).where(stream.group_id.in_(group_ids))
    return {name: int(size) for name, size in connection.execute(query.group_by(stream.group_id))}


def insert_group(connection: Connection, group: Group) -> None:
    connection.execute(LOG_GROUP.insert().values(vars(group)))


def insert_stream(connection: Connection, stream: Stream) -> None:
    connection.execute(LOG_STREAM.insert().values(vars(stream)))


def save_group(connection: Connection, group: Group) -> None:
    """Store a group that exists as it is now."""
    connection.execute(LOG_GROUP.update().where(LOG_GROUP.c.id == group.id).values(vars(group)))


def remove_group(connection: Connection, group_id: str) -> None:
    """Its streams are nobody's then: `sweep` takes them."""
    orphaned = LOG_STREAM.update().where(LOG_STREAM.c.group_id == group_id)
    connection.execute(orphaned.values(group_id=None))
    connection.execute(delete(LOG_GROUP).where(LOG_GROUP.c.id == group_id))


def remove_stream(connection: Connection, stream_id: str) -> None:
    """It is nobody's then: `sweep` takes it."""
    connection.execute(
        LOG_STREAM.update().where(LOG_STREAM.c.id == stream_id).values(group_id=None)
    )


def sweep(connection: Connection) -> bool:
    """Delete some of what lies in streams that were removed; True when there may be more."""
    stream, chunk = LOG_STREAM.c, LOG_CHUNK.c
    orphans = select(stream.id).where(stream.group_id.is_(None))
    query = select(chunk.stream_id, chunk.sequence).where(chunk.stream_id.in_(orphans))
    if _dropped(connection, query):
        return True
    connection.execute(delete(LOG_STREAM).where(stream.group_id.is_(None)))
    return False


def retain(connection: Connection, now: int) -> bool:
    """Delete some of what is older than its group keeps; True when there may be more to do."""
    stream, chunk = LOG_STREAM.c, LOG_CHUNK.c
    limited = select(LOG_GROUP.c.id, LOG_GROUP.c.retention_days)
    for row in connection.execute(limited.where(LOG_GROUP.c.retention_days.is_not(None))).all():
        mine = select(stream.id).where(stream.group_id == row.id)
        expired = chunk.end_at < now - row.retention_days * DAY
        query = select(chunk.stream_id, chunk.sequence).where(chunk.stream_id.in_(mine), expired)
        if _dropped(connection, query):
            return True
    return sweep(connection)


def _dropped(connection: Connection, query: Select[Any]) -> bool:
    """Drop some of the chunks; whether there were any."""
    chunk = LOG_CHUNK.c
    found = [tuple(row) for row in connection.execute(query.limit(_CHUNKS_AT_ONCE))]
    if not found:
        return False
    connection.execute(delete(LOG_CHUNK).where(tuple_(chunk.stream_id, chunk.sequence).in_(found)))
    left = chunk.stream_id == LOG_STREAM.c.id
    first = select(func.min(chunk.start_at)).where(left).scalar_subquery()
    size = select(func.coalesce(func.sum(chunk.bytes), 0)).where(left).scalar_subquery()
    changed = LOG_STREAM.update().where(LOG_STREAM.c.id.in_({stream for stream, _ in found}))
    connection.execute(changed.values(first_at=first, bytes=size))
    return True


def _begins(prefix: str) -> ColumnElement[bool]:
    return LOG_STREAM.c.name.between(prefix, prefix + "\U0010ffff")
