"""From arrivals to series: points into their chunks and their summaries, in one transaction."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import structlog
from sqlalchemy import BindParameter, Connection, Row, bindparam, select

from studio.db import changes
from studio.db.experiment_tables import ARRIVAL, CHUNK, COMPONENT, SUMMARY
from studio.db.session import Database
from studio.errors import ApiError
from studio.experiments import fields
from studio.experiments.fields import Field, value_id
from studio.experiments.series import arrivals, chunks, summaries
from studio.experiments.series.arrivals import Arrival, Arrived
from studio.experiments.series.points import Points, joined, split

log = structlog.get_logger()

PACE_SECONDS = 0.2
"""Between the beginnings of two settlings; while much comes, as much longer as `_SHARE` says."""
_SHARE, _LONGEST_PAUSE = 0.2, 0.4
"""Of the time that settling may take: of more points at once it costs less."""

_MOST_BYTES = 2**20
_PAGE = 500
_AGAIN_SECONDS = 1.0
_COMPONENTS = select(
    *(COMPONENT.c[name] for name in ("number", "account", "region", "name", "owner"))
).where(COMPONENT.c.number.in_(bindparam("numbers", expanding=True)))


class Settled(NamedTuple):
    """A note: these components, each by name and owner, have more values of metrics now."""

    components: tuple[tuple[str, str], ...]


class Settler:
    """Settles what arrives in a database, from construction until `close`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stop = False
        self._wake = threading.Event()
        self._wake.set()  # there may be something of an earlier process
        self._thread = threading.Thread(target=self._run, name="settler", daemon=True)
        db.watch(self._look)
        self._thread.start()

    def close(self) -> None:
        self._stop = True
        self._wake.set()
        self._thread.join()

    def _look(self, notes: list[object]) -> None:
        if any(isinstance(note, Arrived) for note in notes):
            self._wake.set()

    def _run(self) -> None:
        while self._wake.wait() and not self._stop:
            self._wake.clear()
            began = time.monotonic()
            try:
                while not self._stop and self._db.write(settle):
                    pass
            except ApiError as error:  # a full disk, say; the points wait where they are
                log.warning("metrics not settled", reason=error.message)
                self._wake.set()
                began += _AGAIN_SECONDS
            except Exception:
                log.exception("metrics not settled")
                self._wake.set()
                began += _AGAIN_SECONDS
            ended = time.monotonic()
            pause = min((ended - began) / _SHARE, _LONGEST_PAUSE)
            time.sleep(max(0.0, began + max(PACE_SECONDS, pause) - ended))


def settled(db: Database, components: Sequence[int]) -> None:
    """Returns when all points that came of these components are in their series."""
    with db.read() as connection:
        waiting = arrivals.waiting(connection, components)
    more = bool(waiting)
    while more:
        more = db.write(partial(settle, components=waiting))


def settle(connection: Connection, components: Sequence[int] = ()) -> bool:
    """Move what arrived first, of these components or of all, to where it belongs; whether there
    may be more. Inside a write."""
    found = arrivals.oldest(connection, components, _MOST_BYTES)
    if not found:
        return False
    owners = _components(connection, {it.component for it in found})
    _grow(connection, _series(connection, found, owners))
    arrivals.done(connection, found)
    told = tuple((row.name, row.owner) for row in owners.values())
    changes.note(connection, Settled(told))
    return True


_THESE: BindParameter[Any] = bindparam("components", expanding=True)
_OF = SUMMARY.c.component.in_(_THESE)
_FORGET = (
    ARRIVAL.delete().where(ARRIVAL.c.component.in_(_THESE)),
    CHUNK.delete().where(CHUNK.c.series.in_(select(SUMMARY.c.id).where(_OF))),
    SUMMARY.delete().where(_OF),
)


def forget(connection: Connection, components: Sequence[int]) -> None:
    """Drop all metrics of components that are being deleted, a few hundred at most. Inside a
    write."""
    for delete in _FORGET:
        connection.execute(delete, {"components": components})


def _grow(connection: Connection, fresh: dict[int, Points]) -> None:
    if not fresh:
        return
    known = summaries.of_series(connection, fresh)
    had = {series: known[series].chunks if series in known else 0 for series in fresh}
    growth = chunks.grown(connection, {it: (had[it], fresh[it]) for it in fresh})
    counts = chunks.write(connection, growth, had)
    changed = {}
    for series, points in fresh.items():
        summary = summaries.of_points(points)
        if series in known:
            summary = summaries.merged(known[series], summary)
        changed[series] = replace(summary, chunks=counts[series])
    summaries.store(connection, changed, known)


def _components(connection: Connection, numbers: set[int]) -> dict[int, Row[Any]]:
    """Those that are still there: of others nobody wants to know."""
    wanted, found = sorted(numbers), dict[int, Row[Any]]()
    for first in range(0, len(wanted), _PAGE):
        some = {"numbers": wanted[first : first + _PAGE]}
        found |= {row.number: row for row in connection.execute(_COMPONENTS, some)}
    return found


def _series(
    connection: Connection, found: list[Arrival], owners: dict[int, Row[Any]]
) -> dict[int, Points]:
    """The points by their series, ordered."""
    places: dict[tuple[int, str], int] = {}
    codes, counts, parts = list[int](), list[int](), list[Points]()
    for arrival in found:
        if arrival.component in owners:
            metrics, points = arrivals.contents(arrival)
            parts.append(points)
            counts += [count for _, count in metrics]
            named = ((arrival.component, fields.text(name)) for name, _ in metrics)
            codes += [places.setdefault(it, len(places)) for it in named]
    if not parts:
        return {}
    ids = _ids(connection, list(places), owners)
    return dict(zip(ids, split(joined(parts), np.repeat(codes, counts)), strict=True))


def _ids(
    connection: Connection, named: list[tuple[int, str]], owners: dict[int, Row[Any]]
) -> list[int]:
    """Of the series of components and metrics."""
    wanted = [
        Field(owners[component].account, owners[component].region, "metric", name)
        for component, name in named
    ]
    numbers = fields.made(connection, set(wanted))
    return [
        value_id(numbers[field], component)
        for field, (component, _) in zip(wanted, named, strict=True)
    ]
