"""Edges of lineage: what was made from, or with, what, and walks along them.

Either end is an ARN, of whatever kind; who owns an edge sees it. `scope` gives values of columns:
account, region, and owner for who sees only what is theirs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, delete, or_, select

from studio.db.experiment_tables import EDGE

Direction = Literal["Ascendants", "Descendants", "Both"]

_PAGE = 500
"""ARNs in one statement."""


_FORGET = [
    delete(EDGE).where(end.in_(bindparam("arns", expanding=True)))
    for end in (EDGE.c.source, EDGE.c.destination)
]


class Edge(NamedTuple):
    """`source` contributed to, produced, or belongs to `destination`; `type` says which."""

    source: str
    destination: str
    type: str
    created_at: int


class Walk(NamedTuple):
    """What was reached: ARNs with their distance from the start, nearest first, and the edges
    between them."""

    depths: dict[str, int]
    edges: list[Edge]


def add(connection: Connection, scope: Mapping[str, str], edge: Edge) -> bool:
    """Store an edge of the owner in `scope`; False when there is one between the two already,
    whoever's. Inside a write."""
    if connection.execute(select(EDGE.c.type).where(*_between(*edge[:2]))).first():
        return False
    connection.execute(EDGE.insert().values(**scope, **edge._asdict()))
    return True


def remove(connection: Connection, scope: Mapping[str, str], source: str, destination: str) -> bool:
    """False when there is no such edge."""
    gone = delete(EDGE).where(*_of(scope), *_between(source, destination))
    return connection.execute(gone).rowcount > 0


def forget(connection: Connection, arns: Sequence[str]) -> None:
    """Remove all edges of what is gone, a few hundred things at most."""
    for gone in _FORGET:
        connection.execute(gone, {"arns": arns})


def touched(connection: Connection, arn: str) -> bool:
    """Whether there are edges of it."""
    query = select(EDGE.c.source).where(or_(EDGE.c.source == arn, EDGE.c.destination == arn))
    return connection.execute(query.limit(1)).first() is not None


def edges(
    connection: Connection,
    scope: Mapping[str, str],
    *wanted: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = (EDGE.c.created_at, EDGE.c.source, EDGE.c.destination),
) -> Iterator[Edge]:
    """The edges of the scope for which the conditions on `EDGE` hold, oldest first."""
    query = select(*(EDGE.c[name] for name in Edge._fields)).where(*_of(scope), *wanted)
    return (Edge(*row) for row in connection.execute(query.order_by(*order)))


def walk(
    connection: Connection,
    scope: Mapping[str, str],
    starts: Iterable[str],
    direction: Direction,
    depth: int,
    most: int,
) -> Walk:
    """What is at most `depth` edges away from the starts, up to about `most` things.

    Both: from everything that is reached it goes on in both directions.
    """
    depths = dict.fromkeys(starts, 0)
    found: dict[tuple[str, str], Edge] = {}
    fresh = list(depths)
    for level in range(1, depth + 1):
        if not fresh or len(depths) >= most:
            break
        steps = list(_steps(connection, scope, fresh, direction))
        fresh = []
        for edge in steps:
            found[edge[:2]] = edge
            for arn in edge[:2]:
                if arn not in depths:
                    depths[arn] = level
                    fresh.append(arn)
    return Walk(depths, list(found.values()))


def _steps(
    connection: Connection, scope: Mapping[str, str], arns: list[str], direction: Direction
) -> Iterator[Edge]:
    columns = {
        "Ascendants": [EDGE.c.destination],
        "Descendants": [EDGE.c.source],
        "Both": [EDGE.c.source, EDGE.c.destination],
    }[direction]
    for first in range(0, len(arns), _PAGE):
        page = arns[first : first + _PAGE]
        for column in columns:
            yield from edges(connection, scope, column.in_(page))


def _of(scope: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [EDGE.c[name] == value for name, value in scope.items()]


def _between(source: str, destination: str) -> tuple[ColumnElement[bool], ...]:
    return EDGE.c.source == source, EDGE.c.destination == destination
