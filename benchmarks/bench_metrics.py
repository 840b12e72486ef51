"""Metrics: what counting costs the router, what storing and reading cost the control plane."""

import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.harness import Row, at_most
from studio.db import migrate
from studio.db.session import Database
from studio.metrics import rows, statistics, store
from studio.metrics.store import Batch, Metric
from studio.serving.counters import Counters
from studio.serving.limits import Limits
from studio.serving.routes import VariantRoute
from studio.serving.table import Variant
from studio.serving.upstream import Server

_COUNTS = 100_000
_SERIES, _ROUNDS = 100, 20
_DAY = 86_400_000
_NOW = 1_800_000_000_000


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        count = _count(home)
        db = Database(f"sqlite:///{home / 'studio.db'}")
        try:
            migrate.upgrade(db)
            put = _put(db)
            read = _read(db, _day(db))
        finally:
            db.close()
    return [
        Row("router: CPU to count one invocation", count * 1e6, "us", at_most(5)),
        Row(f"metric store: durable values, {_SERIES} series at once", put, "1/s"),
        Row("metric store: a day of minutes, percentiles", read * 1e3, "ms", at_most(100)),
    ]


def _count(home: Path) -> float:
    """CPU seconds an invocation; the lines that go to the disk are part of it."""
    variant = VariantRoute("bench", Variant("v"), "", [Server("127.0.0.1:1", Limits(), set())])
    counters = Counters(home)
    started = time.process_time()
    for number in range(_COUNTS):
        counters.count(variant, 200, 900 + number % 5_000, 30 + number % 40)
    counters.close()
    return (time.process_time() - started) / _COUNTS


def _put(db: Database) -> float:
    """Values a second that are on the disk, one a series and transaction."""
    started = time.perf_counter()
    for number in range(_ROUNDS):
        row = rows.row(_NOW + number * 1_000, float(number))
        batches = [Batch(_metric(f"m{it}"), "None", (row,)) for it in range(_SERIES)]
        db.write(partial(store.append, batches=batches))
    return _SERIES * _ROUNDS / (time.perf_counter() - started)


def _day(db: Database) -> Metric:
    metric = _metric("day")
    values = tuple(
        rows.row(at, 1.0 + number % 40)
        for at in range(_NOW, _NOW + _DAY, 60_000)
        for number in range(10)
    )
    db.write(partial(store.append, batches=[Batch(metric, "None", values, 60_000)]))
    return metric


def _read(db: Database, metric: Metric) -> float:
    started = time.perf_counter()
    with db.read() as connection:
        found = store.read(connection, metric, _NOW, _NOW + _DAY)["None"]
    periods = statistics.periods(found, _NOW, 60_000)
    points = [statistics.value("p90", mine) for mine in periods.values()]
    if len(points) != 1_440:
        raise RuntimeError(f"{len(points)} points of a day")
    return time.perf_counter() - started


def _metric(name: str) -> Metric:
    return Metric("0" * 12, "us-east-1", "bench", name)
