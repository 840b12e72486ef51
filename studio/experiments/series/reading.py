"""Series from the disk: any range of them, at the cost of what is shown.

Where little is shown the points are read, where much is, the envelopes of the chunks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from studio.db.experiment_tables import CHUNK, SUMMARY
from studio.experiments.series import buckets, chunks, drawing
from studio.experiments.series.buckets import WIDTH, Buckets
from studio.experiments.series.drawing import Line, View
from studio.experiments.series.points import NOTHING, Points, joined, ordered

_PAGE = 400


class _Piece(NamedTuple):
    """A chunk, of which `before` other points come first."""

    series: int
    number: int
    size: int
    first_step: int | None
    last_step: int | None
    start_at: int
    end_at: int
    before: int


@dataclass(frozen=True)
class _Part:
    """What is read of a series. Values are `numbered` on the axis of steps when none of their
    series has a step; when some have, the others are not on it."""

    pieces: list[_Piece]
    zero: float = 0.0
    numbered: bool = False


def lines(connection: Connection, wanted: dict[int, float], view: View) -> dict[int, Line]:
    """The lines of those series that have points; to each its zero of the axis RelativeTime."""
    found, many, few = dict[int, Line](), dict[int, _Part](), dict[int, _Part]()
    for series, part in _parts(connection, wanted).items():
        numbered = view.axis == "Step" and all(it.last_step is None for it in part.pieces)
        zero = wanted[series] if view.axis == "RelativeTime" else 0.0
        part = _narrowed(_Part(part.pieces, zero, numbered), view)
        size = sum(it.size for it in part.pieces)
        (many if size > view.most * WIDTH else few)[series] = part
    for series, line in _enveloped(connection, many, view):
        if line is None:
            few[series] = many[series]
        else:
            found[series] = line
    for series, points in _points(connection, few):
        found[series] = drawing.of_points(points, few[series].zero, view)
    return found


def lines_over(connection: Connection, wanted: dict[int, int], view: View) -> dict[int, Line]:
    """Each series over the values of another, see `drawing.over`; the view is of those."""
    points = read(connection, {*wanted, *wanted.values()})
    return {
        series: drawing.over(points[axis], points[series], view)
        for series, axis in wanted.items()
        if series in points and axis in points
    }


def read(connection: Connection, wanted: Iterable[int]) -> dict[int, Points]:
    """Every point of those series that have any, ordered."""
    return {series: ordered(it) for series, it in _points(connection, _parts(connection, wanted))}


def first_at(connection: Connection, component: int) -> int | None:
    """When the first of all values of a component was measured."""
    mine = select(SUMMARY.c.id).where(SUMMARY.c.component == component)
    query = select(func.min(CHUNK.c.start_at)).where(CHUNK.c.series.in_(mine))
    at: int | None = connection.execute(query).scalar()
    return at


_PLACE = (CHUNK.c.series, CHUNK.c.sequence)
_PIECES = select(
    *_PLACE,
    *(CHUNK.c[name] for name in ("count", "first_step", "last_step", "start_at", "end_at")),
).order_by(*_PLACE)


def _parts(connection: Connection, wanted: Iterable[int]) -> dict[int, _Part]:
    """All of each of those series that have points."""
    ids, found = list(wanted), dict[int, _Part]()
    for first in range(0, len(ids), _PAGE):
        some = CHUNK.c.series.in_(ids[first : first + _PAGE])
        row: Any
        for row in connection.execute(_PIECES.where(some)):
            pieces = found.setdefault(row.series, _Part([])).pieces
            before = pieces[-1].before + pieces[-1].size if pieces else 0
            pieces.append(_Piece._make((*row, before)))
    return found


def _narrowed(part: _Part, view: View) -> _Part:
    """The pieces that may have something in the view."""

    def holds(it: _Piece) -> bool:
        first: float | None = it.start_at - part.zero
        last: float | None = it.end_at - part.zero
        if part.numbered:
            first, last = it.before, it.before + it.size - 1
        elif view.axis == "Step":
            first, last = it.first_step, it.last_step
        begins = view.end is None or first is None or first <= view.end
        return begins and last is not None and (view.start is None or last >= view.start)

    return replace(part, pieces=[it for it in part.pieces if holds(it)])


def _enveloped(
    connection: Connection, wanted: dict[int, _Part], view: View
) -> Iterator[tuple[int, Line | None]]:
    """The line of each series by its envelopes; None where they are too coarse."""
    for some in _groups(wanted):
        parts = [wanted[series] for series in some]
        found = _envelopes(connection, [it for part in parts for it in part.pieces], view)
        whole = [
            buckets.joined([_placed(found[it], it, part) for it in part.pieces]) for part in parts
        ]
        lines = drawing.of_buckets(whole, [part.zero for part in parts], view)
        yield from zip(some, lines, strict=True)


def _envelopes(connection: Connection, pieces: list[_Piece], view: View) -> dict[_Piece, Buckets]:
    by_step = view.axis == "Step"
    large = [it for it in pieces if it.size >= chunks.ENVELOPED]
    small = [it for it in pieces if it.size < chunks.ENVELOPED]
    found = {
        it: buckets.unpacked(data, it.size, by_step)
        for it, data in _columns(connection, large, CHUNK.c.envelope).items()
    }
    for it, data in _columns(connection, small, CHUNK.c.points).items():
        found[it] = buckets.short(chunks.unpacked(data, it.size), by_step)
    return found


def _placed(found: Buckets, piece: _Piece, part: _Part) -> Buckets:
    return buckets.numbered(found, piece.before) if part.numbered else found


def _points(connection: Connection, wanted: dict[int, _Part]) -> Iterator[tuple[int, Points]]:
    for some in _groups(wanted):
        pieces = [it for series in some for it in wanted[series].pieces]
        data = _columns(connection, pieces, CHUNK.c.points)
        for series in some:
            part = wanted[series]
            found = [chunks.unpacked(data[it], it.size) for it in part.pieces]
            if part.numbered:
                found = [_numbered(*it) for it in zip(found, part.pieces, strict=True)]
            yield series, joined(found) if found else NOTHING


def _groups(wanted: dict[int, _Part]) -> Iterator[list[int]]:
    """Series that are read together: one statement each would cost more than the reading."""
    group, size = list[int](), 0
    for series, part in wanted.items():
        if group and size + len(part.pieces) > _PAGE:
            yield group
            group, size = [], 0
        group.append(series)
        size += len(part.pieces)
    if group:
        yield group


def _numbered(points: Points, piece: _Piece) -> Points:
    numbers = np.arange(piece.before, piece.before + piece.size, dtype=np.int64)
    return Points(numbers, points.times, points.values)


def _columns(
    connection: Connection, pieces: Sequence[_Piece], column: ColumnElement[bytes]
) -> dict[_Piece, bytes]:
    """That column of each of these chunks."""
    known, found = {(it.series, it.number): it for it in pieces}, dict[_Piece, bytes]()
    places = list(known)
    query = select(*_PLACE, column)
    for first in range(0, len(places), _PAGE):
        some = tuple_(*_PLACE).in_(places[first : first + _PAGE])
        for series, number, data in connection.execute(query.where(some)):
            found[known[series, number]] = data
    return found
