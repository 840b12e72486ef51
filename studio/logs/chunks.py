"""Events of a stream in compressed chunks: small ones are taken along as a stream grows.

A chunk holds events in the order in which they came. The next batch takes the chunks before it
that are not much larger along, as a binary counter carries, up to a size that a reader can unpack
at once: a stream has few chunks, and an event is rewritten a dozen times at most.
"""

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, delete, select

from studio.db.tables import LOG_CHUNK, LOG_STREAM

EVENT_BYTES = 26
"""What CloudWatch counts for an event beside its message."""

_CHUNK_BYTES = 256 * 1024
_CHUNK_EVENTS = 4_096
_STREAM_ID: Any = bindparam("stream_id")
_LAST = (
    select(LOG_CHUNK)
    .where(LOG_CHUNK.c.stream_id == _STREAM_ID)
    .order_by(LOG_CHUNK.c.sequence.desc())
    .limit(1)
)
_DROP = delete(LOG_CHUNK).where(
    LOG_CHUNK.c.stream_id == _STREAM_ID, LOG_CHUNK.c.sequence == bindparam("sequence")
)


class Event(NamedTuple):
    """Times are UTC milliseconds."""

    at: int
    ingested: int
    message: str

    @property
    def size(self) -> int:
        """Bytes as CloudWatch counts them."""
        return len(self.message.encode()) + EVENT_BYTES


def append(connection: Connection, stream_id: str, events: list[Event]) -> None:
    """Add events, of which there is one at least, to a stream that exists."""
    stream = LOG_STREAM.c
    row = connection.execute(select(LOG_STREAM).where(stream.id == stream_id)).one()
    size, times = sum(each.size for each in events), _times(events)
    values = {
        "events": row.events + len(events),
        "bytes": row.bytes + size,
        "first_at": min(times if row.first_at is None else [row.first_at, *times]),
        "last_at": max(row.last_at or 0, *times),
        "ingested_at": events[-1].ingested,
    }
    connection.execute(LOG_STREAM.update().where(stream.id == stream_id).values(values))
    first, events = _taken_along(connection, stream_id, row.events, events, size)
    chunks = []
    for part in _parts(events):
        chunks.append(_chunk(stream_id, first, part))
        first += len(part)
    connection.execute(LOG_CHUNK.insert(), chunks)


def unpack(data: bytes) -> list[Event]:
    """The events of a chunk, in the order in which they came."""
    return [Event(*each) for each in orjson.loads(zlib.decompress(data))]


def _taken_along(
    connection: Connection, stream_id: str, first: int, events: list[Event], size: int
) -> tuple[int, list[Event]]:
    """Number of the first event, and the events, with those of the last small chunks before."""
    mine = {"stream_id": stream_id}
    while last := connection.execute(_LAST, mine).first():
        together = last.rows + len(events)
        if last.rows > 2 * len(events) or together > _CHUNK_EVENTS:
            break
        if last.bytes + size > _CHUNK_BYTES:
            break
        connection.execute(_DROP, {**mine, "sequence": last.sequence})
        first, size = last.sequence, size + last.bytes
        events = [*unpack(last.data), *events]
    return first, events


def _parts(events: list[Event]) -> Iterator[list[Event]]:
    """Pieces of a size for one chunk; an event that is larger has a chunk of its own."""
    part: list[Event] = []
    size = 0
    for each in events:
        if part and (size + each.size > _CHUNK_BYTES or len(part) == _CHUNK_EVENTS):
            yield part
            part, size = [], 0
        part.append(each)
        size += each.size
    yield part


def _chunk(stream_id: str, sequence: int, events: list[Event]) -> dict[str, Any]:
    return {
        "stream_id": stream_id,
        "sequence": sequence,
        "start_at": min(_times(events)),
        "end_at": max(_times(events)),
        "rows": len(events),
        "bytes": sum(each.size for each in events),
        "data": zlib.compress(orjson.dumps(list(map(tuple, events))), 3),
    }


def _times(events: list[Event]) -> list[int]:
    return [each.at for each in events]
