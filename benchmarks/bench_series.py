"""Charts of long series over HTTP, encoded; bytes a point; the start of a store of ten million.

The values are random doubles: nothing of them can be compressed.
"""

import json
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from benchmarks import running, signing, sockets, stored
from benchmarks.harness import Row, at_most, times_at_most
from benchmarks.running import Running
from studio.db import migrate, resources
from studio.db.experiment_tables import ARRIVAL
from studio.db.resources import Resource
from studio.db.session import Database
from studio.experiments import components, series
from studio.experiments.series import Batch, Points
from studio.settings import Settings

_LONG, _SHORT, _SERIES = 1_000_000, 10_000, 100
_ALL = 10_000_000
_BATCH = 10_000
_LOOKS = 9
_NOW = 1_800_000_000_000
_chance = np.random.default_rng(1)


def run() -> list[Row]:
    empty = _started()
    with running.studio(_fill) as it:
        size = (it.home / "studio.db").stat().st_size
        one = _asked(it, {"TrialComponentNames": ["long"], "MetricNames": ["m0"]})
        near = _asked(it, _long(Start=400_000, End=400_800))
        many = {"TrialComponentNames": ["short"], "MetricNames": [f"m{n}" for n in range(_SERIES)]}
        lines = _asked(it, many)
        running.call("stop", "--home", it.home)
        full = _start(it.home)
    return [
        Row("chart of 1,000,000 points, over HTTP", one * 1e3, "ms", at_most(50)),
        Row("the same, zoomed to 800", near * 1e3, "ms"),
        Row("chart of 100 series of 10,000 points, over HTTP", lines * 1e3, "ms", at_most(300)),
        Row("disk a point, random doubles", size / _ALL, "bytes", at_most(12)),
        Row(
            "start with 10,000,000 points",
            full,
            "s",
            times_at_most(1.25),
            "an empty home",
            empty,
            full / empty,
        ),
    ]


def _fill(home: Path) -> None:
    db = Database(Settings(home).database)
    try:
        migrate.upgrade(db)
        left = _ALL - _LONG - _SHORT * _SERIES
        _points(db, _component(db, "long"), 1, _LONG)
        _points(db, _component(db, "short"), _SERIES, _SHORT)
        _points(db, _component(db, "more"), 10, left // 10)
    finally:
        db.close()


def _component(db: Database, name: str) -> int:
    place = "0" * 12, stored.REGION
    arn = f"arn:aws:sagemaker:{stored.REGION}:{place[0]}:{components.KIND}/{name}"
    row = Resource(*place, components.KIND, name, arn, "", {}, _NOW, _NOW)

    def insert(connection: Connection) -> int:
        resources.insert(connection, row)
        return components.number(connection, row.id)

    return db.write(insert)


def _points(db: Database, component: int, metrics: int, size: int) -> None:
    """As they would come: some thousands of each metric at a time, then settled."""
    for first in range(0, size, _BATCH):
        steps = np.arange(first, min(first + _BATCH, size))
        for metric in range(metrics):
            times = _NOW + steps * 20 + _chance.integers(0, 20, len(steps))
            batch = Batch(f"m{metric}", Points(steps, times, _chance.random(len(steps))))
            db.write(partial(series.arrive, component=component, batches=[batch]))
            if metric % 5 == 4 or metric == metrics - 1:
                while db.write(series.settle):
                    pass
    with db.read() as connection:
        assert connection.execute(select(func.count()).select_from(ARRIVAL)).scalar() == 0


def _long(**more: float) -> dict[str, Any]:
    return {"TrialComponentNames": ["long"], "MetricNames": ["m0"], **more}


def _asked(it: Running, request: dict[str, Any]) -> float:
    """Seconds from the request to the last byte of the answer, the median."""
    url = it.env["AWS_ENDPOINT_URL"]
    signed = signing.signed(url, it.env, "GetTrialComponentSeries", request, "studio")
    spent, bodies = sockets.sent(url, [sockets.of(signed)] * _LOOKS)
    found = json.loads(bodies[0])["Series"]
    if len(found) != len(request["MetricNames"]):
        raise RuntimeError(f"{len(found)} series")
    return statistics.median(spent)


def _started() -> float:
    with running.studio() as it:
        running.call("stop", "--home", it.home)
        return _start(it.home)


def _start(home: Path) -> float:
    """Seconds until it answers; the best of some, for the machine may be busy."""
    spent = []
    for _ in range(3):
        begun = time.perf_counter()
        running.call("serve", "--detach", "--home", home)
        spent.append(time.perf_counter() - begun)
        running.call("stop", "--home", home)
    return min(spent)
