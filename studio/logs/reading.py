"""Pages of events in the order of their times, of one stream or of many, forwards and backwards.

Events of a chunk lie in the order in which they came, and chunks may overlap in time. A page is
the best of what was looked at so far; it is done once no other chunk can hold anything better.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from studio.db.tables import LOG_CHUNK
from studio.logs.chunks import EVENT_BYTES, unpack

_PAGE_BYTES = 2**20
_SCAN_BYTES = 32 * 2**20
"""A search answers with what it has after that much log."""


class Place(NamedTuple):
    """A place between events: behind it are those whose place is not smaller."""

    at: int
    stream: str
    number: int


class Found(NamedTuple):
    """An event of a stream; its first three fields are its place."""

    at: int
    stream: str
    number: int
    ingested: int
    message: str

    @property
    def place(self) -> Place:
        return Place(*self[:3])

    @property
    def behind(self) -> Place:
        return Place(self.at, self.stream, self.number + 1)


@dataclass(frozen=True)
class Wanted:
    """Which events: `streams` selects their ids, `start` <= time < `end`, `matches` the message."""

    streams: Select[Any]
    start: int
    end: int
    limit: int
    matches: Callable[[str], bool] = lambda _: True


@dataclass(frozen=True)
class Page:
    """Events in order. `next` is where a search goes on; None when there is no more."""

    events: list[Found]
    next: Place | None


def forwards(connection: Connection, wanted: Wanted, begin: Place) -> Page:
    """The first events that are not before `begin`."""
    page: list[Found] = []
    full, scanned = False, 0
    start = max(wanted.start, begin.at)
    chunk = LOG_CHUNK.c
    for each in connection.execute(_chunks(wanted, start).order_by(chunk.start_at)).all():
        if full and each.start_at > page[-1].at:
            break
        if not full and scanned >= _SCAN_BYTES and each.start_at > start:
            before = [it for it in page if it.at < each.start_at]
            return Page(before, Place(each.start_at, "", 0))
        last = page[-1] if full else None
        found = [it for it in _events(connection, each, wanted) if it[:3] >= begin]
        # Behind the last of a full page lies what was cut off: that comes before it.
        more = [it for it in found if last is None or it < last]
        page, cut = _cut(sorted([*page, *more]), wanted.limit)
        full |= cut
        scanned += each.bytes
    return Page(page, page[-1].behind if full else None)


def backwards(connection: Connection, wanted: Wanted, end: Place) -> Page:
    """The last events that are before `end`."""
    page: list[Found] = []
    full = False
    chunk = LOG_CHUNK.c
    query = _chunks(wanted, wanted.start).order_by(chunk.end_at.desc())
    for each in connection.execute(query).all():
        if full and each.end_at < page[-1].at:
            break
        last = page[-1] if full else None
        found = [it for it in _events(connection, each, wanted) if it[:3] < end]
        more = [it for it in found if last is None or it > last]
        page, cut = _cut(sorted([*page, *more], reverse=True), wanted.limit)
        full |= cut
    return Page(page[::-1], None)


def _chunks(wanted: Wanted, start: int) -> Select[Any]:
    """Where events may be; without their data, which may be large."""
    chunk = LOG_CHUNK.c
    names = (chunk.stream_id, chunk.sequence, chunk.start_at, chunk.end_at, chunk.bytes)
    return select(*names).where(
        chunk.stream_id.in_(wanted.streams), chunk.end_at >= start, chunk.start_at < wanted.end
    )


def _events(connection: Connection, chunk: Row[Any], wanted: Wanted) -> list[Found]:
    """The events of a chunk that are wanted."""
    table = LOG_CHUNK.c
    data = connection.execute(
        select(table.data).where(
            table.stream_id == chunk.stream_id, table.sequence == chunk.sequence
        )
    ).scalar_one()
    return [
        Found(at, chunk.stream_id, number, ingested, message)
        for number, (at, ingested, message) in enumerate(unpack(data), chunk.sequence)
        if wanted.start <= at < wanted.end and wanted.matches(message)
    ]


def _cut(events: list[Found], limit: int) -> tuple[list[Found], bool]:
    """As many as an answer holds, one at least; whether that was not all."""
    size = 0
    for number, each in enumerate(events):
        size += len(each.message.encode()) + EVENT_BYTES
        if number == limit or (size > _PAGE_BYTES and number):
            return events[:number], True
    return events, False
