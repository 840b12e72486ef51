"""The pieces of a series: ordered points in packed columns, with an envelope of what is in them.

New points take the small pieces before them along, as a binary counter carries: a series has few
pieces, and a point is rewritten a dozen times at most.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, select, tuple_

from studio.db.experiment_tables import CHUNK
from studio.experiments.series import buckets
from studio.experiments.series.packing import Unpacking, pack_floats, pack_integers
from studio.experiments.series.points import NO_STEP, Points, joined, ordered, picked

MOST = 16_384
"""Points of a chunk."""
ENVELOPED = 4_096
"""Of fewer points there is no envelope: they are read as fast."""

_PAGE = 400

Place = tuple[int, int]
"""The series of a chunk, and its number there, from 1 on."""


class Growth(NamedTuple):
    """What becomes of a series: from chunk `first` on it has these points instead."""

    first: int
    points: Points


def grown(connection: Connection, fresh: dict[int, tuple[int, Points]]) -> dict[int, Growth]:
    """By series, of how many chunks it has and which points come: what to write."""
    growth = {series: Growth(had + 1, points) for series, (had, points) in fresh.items()}
    open_ = list(growth)
    while open_:
        places = [(it, growth[it].first - 1) for it in open_ if growth[it].first > 1]
        sizes = _sizes(connection, places)
        carried = [it for it in sizes if _carries(sizes[it], len(growth[it[0]].points))]
        before = _points(connection, carried)
        for series, number in carried:
            points = joined([before[series, number], growth[series].points])
            growth[series] = Growth(number, points)
        open_ = [series for series, _ in carried]
    return growth


def write(connection: Connection, growth: dict[int, Growth], had: dict[int, int]) -> dict[int, int]:
    """Store the chunks; how many each series has now. `had`: how many it had."""
    gone = [
        (series, number)
        for series, each in growth.items()
        for number in range(each.first, had[series] + 1)
    ]
    if gone:
        connection.execute(_DELETE, [{"of": series, "number": number} for series, number in gone])
    counts, rows = dict[int, int](), list[dict[str, Any]]()
    for series, each in growth.items():
        mine = list(_rows(series, each))
        counts[series] = mine[-1]["sequence"]
        rows += mine
    connection.execute(CHUNK.insert(), rows)
    return counts


def unpacked(data: bytes, count: int) -> Points:
    """The points of a chunk of `count`."""
    columns = Unpacking(data, count)
    return Points(columns.integers(), columns.integers(), columns.floats())


# Made once: to make a statement costs more than to run it.
_DELETE = CHUNK.delete().where(
    CHUNK.c.series == bindparam("of"), CHUNK.c.sequence == bindparam("number")
)
_SOME = tuple_(CHUNK.c.series, CHUNK.c.sequence).in_(bindparam("places", expanding=True))
_COUNTS = select(CHUNK.c.series, CHUNK.c.sequence, CHUNK.c.count).where(_SOME)
_POINTS = _COUNTS.add_columns(CHUNK.c.points)


def _carries(before: int, size: int) -> bool:
    return before <= size and before + size <= MOST


def _sizes(connection: Connection, places: Sequence[Place]) -> dict[Place, int]:
    found = _found(connection, _COUNTS, places)
    return {(series, number): count for series, number, count in found}


def _points(connection: Connection, places: Sequence[Place]) -> dict[Place, Points]:
    found = _found(connection, _POINTS, places)
    return {(series, number): unpacked(data, count) for series, number, count, data in found}


def _found(connection: Connection, query: Select[Any], places: Sequence[Place]) -> Iterator[Any]:
    """The rows of these chunks."""
    for first in range(0, len(places), _PAGE):
        yield from connection.execute(query, {"places": places[first : first + _PAGE]}).all()


def _rows(series: int, growth: Growth) -> Iterator[dict[str, Any]]:
    points = ordered(growth.points)
    for number, first in enumerate(range(0, len(points), MOST), growth.first):
        part = picked(points, slice(first, first + MOST))
        first_step, last_step = int(part.steps[0]), int(part.steps[-1])
        yield {
            "series": series,
            "sequence": number,
            "count": len(part),
            "first_step": None if first_step == NO_STEP else first_step,
            "last_step": None if last_step == NO_STEP else last_step,
            "start_at": int(part.times.min()),
            "end_at": int(part.times.max()),
            "envelope": buckets.envelope(part) if len(part) >= ENVELOPED else b"",
            "points": _packed(part),
        }


def _packed(points: Points) -> bytes:
    return b"".join(
        (pack_integers(points.steps), pack_integers(points.times), pack_floats(points.values))
    )
