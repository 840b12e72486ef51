"""The metric store: series of rows in compressed chunks, inside the transactions of others.

An append makes one small chunk and takes the small chunks before it along, as a binary counter
carries: a series has few chunks, and a row is rewritten a dozen times at most. Old rows are folded
to longer periods and dropped at last, when CloudWatch does so.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    literal,
    select,
    tuple_,
)

from studio.db import changes, positions
from studio.db.tables import METRIC_CHUNK, METRIC_SERIES
from studio.metrics.rows import Row, fold, pack, unpack

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

LISTED = 14 * DAY
"""A metric is listed that long after its last value."""

_ROWS_OF_A_CHUNK = 2_048
_CHUNKS_OF_A_FOLD = 8
_PAGE = 500
_BEHIND_EVERY_ID = "~"
# Rows older than the first are at least the second apart.
_AGES = ((63 * DAY, HOUR), (15 * DAY, 5 * MINUTE), (3 * HOUR, MINUTE))
_OLDEST = 455 * DAY

# Made once: to make a statement costs more than to run it.
_SERIES_ID: BindParameter[str] = bindparam("series_id")
_LAST_CHUNK = (
    select(METRIC_CHUNK)
    .where(
        METRIC_CHUNK.c.series_id == _SERIES_ID,
        METRIC_CHUNK.c.unit == bindparam("unit"),
        METRIC_CHUNK.c.period == bindparam("period"),
    )
    .order_by(METRIC_CHUNK.c.sequence.desc())
    .limit(1)
)
_HIGHEST = select(func.max(METRIC_CHUNK.c.sequence)).where(METRIC_CHUNK.c.series_id == _SERIES_ID)
_DROP = delete(METRIC_CHUNK).where(
    METRIC_CHUNK.c.series_id == _SERIES_ID, METRIC_CHUNK.c.sequence == bindparam("sequence")
)
_TOUCH = (
    METRIC_SERIES.update()
    .where(METRIC_SERIES.c.id == bindparam("series_id"))
    .values(last_at=bindparam("at"))
)


@dataclass(frozen=True)
class Metric:
    """What CloudWatch calls a metric: each combination of dimensions is one of its own.

    The values that one person put are a series; two people's of the same name do not mix.
    """

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    """Names and values, sorted: their order does not matter."""
    owner: str = ""
    """Whose the values are; "" for the owner of the home."""

    @property
    def id(self) -> str:
        """Of the series of its owner."""
        return self._digest(self.owner) if self.owner else self.key

    @property
    def key(self) -> str:
        """What all owners' series of the metric share."""
        return self._digest()

    def _digest(self, *more: str) -> str:
        named = [self.account, self.region, self.namespace, self.name, self.dimensions, *more]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Batch:
    """Values of a metric. `period` is their resolution in milliseconds."""

    metric: Metric
    unit: str
    rows: tuple[Row, ...]
    period: int = SECOND


@dataclass(frozen=True)
class Reading:
    """What a source of metrics had to say, and how far it is read then."""

    source: str
    position: int
    batches: tuple[Batch, ...]


class Grown(NamedTuple):
    """A note: these metrics have more values now."""

    metrics: tuple[Metric, ...]


def append(connection: Connection, batches: Iterable[Batch]) -> None:
    """Add values to their series, which need not exist."""
    together: dict[tuple[Metric, str, int], list[Row]] = {}
    for batch in batches:
        if batch.rows:
            together.setdefault((batch.metric, batch.unit, batch.period), []).extend(batch.rows)
    latest: dict[Metric, int] = {}
    for (metric, _, _), rows in together.items():
        latest[metric] = max(latest.get(metric, 0), *(each.at for each in rows))
    # Chunks of metrics that had none before go in together: a client may bring a thousand.
    fresh: dict[str, list[dict[str, Any]]] = {name: [] for name in _touch(connection, latest)}
    for (metric, unit, period), rows in together.items():
        rows = fold(rows, period)
        if metric.id in fresh:
            chunks = fresh[metric.id]
            chunks += _chunks(metric.id, len(chunks), unit, period, rows)
        else:
            _add(connection, metric.id, unit, period, rows)
    if fresh:
        connection.execute(METRIC_CHUNK.insert(), [it for each in fresh.values() for it in each])
    if latest:
        changes.note(connection, Grown(tuple(latest)))


def take(connection: Connection, reading: Reading) -> bool:
    """Add what a source said, once: False when it was read that far before."""
    if not positions.advance(connection, reading.source, reading.position):
        return False
    append(connection, reading.batches)
    return True


def owners(connection: Connection, metric: Metric) -> list[Metric]:
    """The metric as each person has it who put values."""
    query = select(METRIC_SERIES.c.owner).where(METRIC_SERIES.c.metric == metric.key)
    return [replace(metric, owner=owner) for owner in connection.execute(query).scalars()]


def read(connection: Connection, metric: Metric, start: int, end: int) -> dict[str, list[Row]]:
    """The rows of its owner with `start` <= time < `end` by their unit."""
    chunk = METRIC_CHUNK.c
    query = select(chunk.unit, chunk.rows, chunk.data).where(
        chunk.series_id == metric.id, chunk.end_at >= start, chunk.start_at < end
    )
    found: dict[str, list[Row]] = {}
    for unit, count, data in connection.execute(query):
        rows = [each for each in unpack(data, count) if start <= each.at < end]
        found.setdefault(unit, []).extend(rows)
    return found


def listing(connection: Connection, like: Metric, since: int, after: str) -> Iterator[Metric]:
    """Metrics with a value since then, in a fixed order, from the one behind the key `after`.

    Empty namespace and name of `like` stand for any; neither its dimensions nor its owner are
    looked at. The owners of one metric follow each other.
    """
    series = METRIC_SERIES.c
    fixed = [series.account == like.account, series.region == like.region, series.last_at >= since]
    fixed += [series.namespace == like.namespace] if like.namespace else []
    fixed += [series.name == like.name] if like.name else []
    order = (series.namespace, series.name, series.metric, series.id)
    named = select(*order[:3], literal(_BEHIND_EVERY_ID)).where(series.metric == after).limit(1)
    mark = connection.execute(named).first()
    while True:
        behind: list[ColumnElement[bool]] = [tuple_(*order) > tuple_(*mark)] if mark else []
        query = select(METRIC_SERIES).where(*fixed, *behind).order_by(*order).limit(_PAGE)
        found = connection.execute(query).all()
        for each in found:
            dimensions = tuple((name, value) for name, value in each.dimensions)
            place = (each.account, each.region, each.namespace, each.name)
            yield Metric(*place, dimensions, each.owner)
        if len(found) < _PAGE:
            return
        mark = connection.execute(select(*order).where(series.id == found[-1].id)).first()


def retain(connection: Connection, now: int) -> bool:
    """Fold and drop some of what is old; True when there may be more to do."""
    chunk = METRIC_CHUNK.c
    dropped = (chunk.period == HOUR) & (chunk.end_at < now - _OLDEST)
    connection.execute(delete(METRIC_CHUNK).where(dropped))
    for age, period in _AGES:
        query = (
            select(METRIC_CHUNK)
            .where(chunk.period < period, chunk.end_at < now - age)
            .order_by(chunk.end_at)
            .limit(_CHUNKS_OF_A_FOLD)
        )
        old = connection.execute(query).all()
        for each in old:
            connection.execute(_DROP, {"series_id": each.series_id, "sequence": each.sequence})
            rows = fold(unpack(each.data, each.rows), period)
            _add(connection, each.series_id, each.unit, period, rows)
        if old:
            return True
    filled = select(chunk.series_id).where(chunk.series_id == METRIC_SERIES.c.id).exists()
    gone = (METRIC_SERIES.c.last_at < now - _OLDEST) & ~filled
    connection.execute(delete(METRIC_SERIES).where(gone))
    return False


def _touch(connection: Connection, latest: dict[Metric, int]) -> set[str]:
    """Note when each metric had its latest value; the ids of those that had none before."""
    series = METRIC_SERIES
    ids = [metric.id for metric in latest]
    known: dict[str, int] = {}
    for first in range(0, len(ids), _PAGE):
        query = select(series.c.id, series.c.last_at)
        rows = connection.execute(query.where(series.c.id.in_(ids[first : first + _PAGE])))
        known |= {row.id: row.last_at for row in rows}
    new = [_series(metric, at) for metric, at in latest.items() if metric.id not in known]
    if new:
        connection.execute(series.insert(), new)
    later = [
        {"series_id": metric.id, "at": at}
        for metric, at in latest.items()
        if known.get(metric.id, at) < at
    ]
    if later:
        connection.execute(_TOUCH, later)
    return {each["id"] for each in new}


def _series(metric: Metric, at: int) -> dict[str, Any]:
    dimensions = [list(pair) for pair in metric.dimensions]
    named = {**vars(metric), "dimensions": dimensions}
    return {"id": metric.id, "metric": metric.key, "last_at": at, **named}


def _add(connection: Connection, series: str, unit: str, period: int, rows: list[Row]) -> None:
    """Write folded rows, together with those of the last chunks that are not much larger."""
    mine = {"series_id": series, "unit": unit, "period": period}
    while len(rows) < _ROWS_OF_A_CHUNK and (last := connection.execute(_LAST_CHUNK, mine).first()):
        if last.rows > 2 * len(rows) or last.rows + len(rows) > _ROWS_OF_A_CHUNK:
            break
        rows = fold((*unpack(last.data, last.rows), *rows), period)
        connection.execute(_DROP, {"series_id": series, "sequence": last.sequence})
    before = connection.execute(_HIGHEST, {"series_id": series}).scalar_one_or_none() or 0
    connection.execute(METRIC_CHUNK.insert(), _chunks(series, before, unit, period, rows))


def _chunks(
    series: str, before: int, unit: str, period: int, rows: list[Row]
) -> list[dict[str, Any]]:
    """Rows of the table, numbered from the one after `before`."""
    pieces = [rows[at : at + _ROWS_OF_A_CHUNK] for at in range(0, len(rows), _ROWS_OF_A_CHUNK)]
    return [
        {
            "series_id": series,
            "sequence": number,
            "unit": unit,
            "period": period,
            "start_at": piece[0].at,
            "end_at": piece[-1].at,
            "rows": len(piece),
            "data": pack(piece),
        }
        for number, piece in enumerate(pieces, before + 1)
    ]
