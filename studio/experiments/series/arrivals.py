"""Points as they come: a row for each request, durable before anybody looks at what is in it."""

import json
import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import BindParameter, Connection, bindparam, func, select

from studio.db import changes, positions
from studio.db.experiment_tables import ARRIVAL
from studio.db.prepared import Prepared
from studio.experiments.series.points import Points, joined

MOST_METRICS = 1_000
"""Of an arrival, and series that are settled in one transaction: others have to wait for it."""

_HEAD = struct.Struct("<I")
_PAGE = 500

# Made once: to make a statement costs more than to run it.
_INSERT = Prepared(
    ARRIVAL.insert().values(component=bindparam("component"), data=bindparam("data"))
)
_COMPONENTS: BindParameter[Any] = bindparam("components", expanding=True)
_WAITING = Prepared(
    select(ARRIVAL.c.component).where(ARRIVAL.c.component.in_(_COMPONENTS)).distinct()
)
_SIZES = select(ARRIVAL.c.id, func.length(ARRIVAL.c.data)).order_by(ARRIVAL.c.id).limit(_PAGE)
_SIZES_OF = _SIZES.where(ARRIVAL.c.component.in_(_COMPONENTS))
_THESE = ARRIVAL.c.id.in_(bindparam("ids", expanding=True))
_FOUND = select(ARRIVAL).where(_THESE).order_by(ARRIVAL.c.id)
_DELETE = ARRIVAL.delete().where(_THESE)


class Batch(NamedTuple):
    """Points of a metric, in the order in which they came."""

    metric: str
    points: Points


class Arrived(NamedTuple):
    """A note: there is something to settle."""


class Arrival(NamedTuple):
    """Points of a component that are not in their series yet."""

    id: int
    component: int
    data: bytes


def arrive(
    connection: Connection,
    component: int,
    batches: Sequence[Batch],
    source: str = "",
    position: int = 0,
) -> bool:
    """Keep points of a component; they are part of their series after `settle`. Inside a write.

    With a `source`, only what it says beyond the `position` that was read of it: False for what
    was put before. Whoever calls this has seen the component in the same transaction.
    """
    if source and not positions.advance(connection, source, position):
        return False
    batches = [it for it in batches if len(it.points)]
    for first in range(0, len(batches), MOST_METRICS):
        data = _packed(batches[first : first + MOST_METRICS])
        _INSERT.all(connection, {"component": component, "data": data})
    changes.note(connection, Arrived())
    return True


def waiting(connection: Connection, components: Iterable[int]) -> list[int]:
    """Those of the components that have points which are not settled."""
    wanted, found = sorted(components), list[int]()
    for first in range(0, len(wanted), _PAGE):
        some = {"components": wanted[first : first + _PAGE]}
        found += [row[0] for row in _WAITING.all(connection, some)]
    return found


def oldest(connection: Connection, components: Sequence[int], most: int) -> list[Arrival]:
    """The first arrivals, of all components when none is named: of so many bytes and metrics as
    one transaction may settle, or one that is larger. `most`: bytes."""
    sizes = (_SIZES_OF, {"components": components}) if components else (_SIZES,)
    taken, total = list[int](), 0
    for number, length in connection.execute(*sizes):
        total += length
        if taken and total > most:
            break
        taken.append(number)
    found, metrics = list[Arrival](), set[tuple[int, str]]()
    for row in connection.execute(_FOUND, {"ids": taken}):
        arrival = Arrival(*row)
        metrics |= {(arrival.component, name) for name, _ in _head(arrival.data)[0]}
        if found and len(metrics) > MOST_METRICS:
            break
        found.append(arrival)
    return found


def contents(arrival: Arrival) -> tuple[list[tuple[str, int]], Points]:
    """Each metric and how many points it has, and the points of all, one metric's after the
    other's."""
    metrics, at = _head(arrival.data)
    count = (len(arrival.data) - at) // 24
    steps, times = (np.frombuffer(arrival.data, "<i8", count, at + it * count) for it in (0, 8))
    return metrics, Points(steps, times, np.frombuffer(arrival.data, "<f8", count, at + 16 * count))


def _head(data: bytes) -> tuple[list[tuple[str, int]], int]:
    """Each metric and how many points it has, and where the columns begin."""
    (size,) = _HEAD.unpack_from(data)
    return json.loads(data[_HEAD.size : _HEAD.size + size]), _HEAD.size + size


def done(connection: Connection, arrivals: Sequence[Arrival]) -> None:
    """They are in their series, in the same transaction."""
    connection.execute(_DELETE, {"ids": [it.id for it in arrivals]})


def _packed(batches: Sequence[Batch]) -> bytes:
    head = json.dumps([[it.metric, len(it.points)] for it in batches]).encode()
    points = joined([it.points for it in batches])
    return b"".join(
        (
            _HEAD.pack(len(head)),
            head,
            points.steps.astype("<i8", copy=False).tobytes(),
            points.times.astype("<i8", copy=False).tobytes(),
            points.values.astype("<f8", copy=False).tobytes(),
        )
    )
