"""Comparing 100,000 trial components: filtered, sorted and grouped through HTTP, beside trackers
that hold what they can bear; and in a browser, with 1,000 columns."""

import json
import random
import statistics
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from benchmarks import compared, running, trackers
from benchmarks.clocks import each
from benchmarks.harness import Row, at_least, at_most
from benchmarks.lab import lab
from benchmarks.trackers import Tracker
from studio.db import migrate
from studio.db.session import Database
from studio.settings import Settings

_COMPONENTS, _FIELDS = 100_000, 20
_WIDE = 1_000
_TURNS = 30
_FAST, _SLOW = 2_000, 300
"""How many runs FastTrackML and MLflow are given: the second takes a fifth of a second for one."""
_SCRIPT = Path(__file__).with_name("compare.mjs")


def run() -> list[Row]:
    fast, slow = _peer(trackers.fasttrackml, _FAST), _peer(trackers.mlflow, _SLOW)
    with running.studio(_filled) as it:
        figures = _figures(it.client("studio"))
        with lab(it) as url:
            seen = _seen(url, it.home)
    size = f"{_COMPONENTS:,} components x {2 * _FIELDS} fields"
    found, grouped = figures["found"], figures["grouped"]
    of_fast = f"FastTrackML, {_FAST:,} runs"
    of_slow = f"MLflow, {_SLOW:,} runs"
    page = f"{size}: filter, sort by a metric, first page"
    return [
        Row(f"{page}, p95", found, "ms", at_most(100), of_fast, fast, fast / found),
        Row(f"{page}, p95, beside MLflow", found, "ms", None, of_slow, slow, slow / found),
        Row(f"{size}: newest first, p95", figures["newest"], "ms"),
        Row(f"{size}: grouped by two fields, p95", grouped, "ms", at_most(300)),
        Row(f"{size}: 10,000 rows x 5 columns", figures["rows"], "ms"),
        Row(f"{_WIDE:,} columns of 100 components", figures["wide"], "ms"),
        Row(f"{size}: which fields there are, first time", figures["fields"], "ms"),
        *_in_browser(seen),
    ]


def _in_browser(seen: dict[str, float]) -> list[Row]:
    table = f"table of {_COMPONENTS:,} trial components x {_WIDE:,} columns"
    return [
        Row(f"{table}: first paint", seen["paint"], "s", at_most(0.5)),
        Row(f"{table}: scrolling", seen["down"], "frames/s", at_least(50)),
        Row(f"{table}: scrolling aside", seen["aside"], "frames/s", at_least(50)),
        Row(f"{table}: a field is found among all", seen["picked"], "s"),
        Row(f"{table}: filtered", seen["filtered"], "s"),
        Row("parallel coordinates of 10,000 of them", seen["parallel"], "s"),
        Row("importance of their parameters, with Plotly to fetch", seen["importance"], "s"),
        Row("memory of the page after all of it (JavaScript)", seen["heap"], "MiB"),
    ]


def _seen(url: str, home: Path) -> dict[str, float]:
    columns = home / "columns.json"
    columns.write_text(json.dumps([f"metric.m{n}" for n in range(_WIDE)]))
    command = ["node", str(_SCRIPT), url, str(columns)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _filled(home: Path) -> None:
    database = Database(Settings(home).database)
    try:
        migrate.upgrade(database)
        compared.fill(database, _COMPONENTS, _FIELDS, _FIELDS)
        compared.widen(database, 100, range(_FIELDS, _WIDE))
    finally:
        database.close()


def _figures(studio: Any) -> dict[str, float]:
    """Milliseconds. Every turn asks something else, so that nothing is remembered."""
    columns = [f"param.p{n}" for n in range(_FIELDS)] + [f"metric.m{n}" for n in range(_FIELDS)]
    wide = {"Fields": [f"metric.m{n}" for n in range(_WIDE)], "SortBy": [{"Field": "created_at"}]}

    def found(turn: int) -> None:
        studio.query_trial_components(
            Query=f'metric.m0 > .{turn + 10} and param.p1 in [3, 5] and param.p3 == "adam"',
            SortBy=[{"Field": f"metric.m{1 + turn % 9}", "Order": "Descending"}],
            Fields=columns,
        )

    def grouped(turn: int) -> None:
        measured = [f"metric.m{turn % _FIELDS}"]
        studio.group_trial_components(GroupBy=["param.p1", "param.p3"], Fields=measured)

    return {
        "fields": _p95(lambda _: studio.list_trial_component_fields(), 1),
        "found": _p95(found, _TURNS),
        "grouped": _p95(grouped, _TURNS),
        "newest": _p95(lambda _: studio.query_trial_components(Fields=columns), _TURNS),
        "rows": _p95(lambda _: studio.query_trial_components(Fields=columns[:5], Limit=10_000), 5),
        "wide": _p95(lambda _: studio.query_trial_components(**wide), 5),
    }


def _peer(served: Callable[[], AbstractContextManager[Tracker]], runs: int) -> float:
    """Milliseconds of the same question, of so many runs with as many parameters and metrics."""
    chance = random.Random(0)
    with served() as tracker:
        for _ in range(runs):
            fields = range(_FIELDS)
            metrics = [
                {"key": f"m{n}", "value": chance.random(), "timestamp": 1, "step": 0}
                for n in fields
            ]
            params = [{"key": f"p{n}", "value": str(chance.randrange(10))} for n in fields]
            batch = {"run_id": tracker.run(), "metrics": metrics, "params": params}
            tracker.call("runs/log-batch", batch)

        def found(turn: int) -> None:
            asked = {
                "experiment_ids": ["0"],
                "filter": f"metrics.m0 > 0.{turn + 10} and params.p1 = '3'",
                "order_by": [f"metrics.m{1 + turn % 9} DESC"],
                "max_results": 100,
            }
            tracker.call("runs/search", asked)

        return _p95(found, _TURNS)


def _p95(work: Callable[[int], object], turns: int) -> float:
    """In milliseconds; of few turns the middle."""
    taken = each(work, turns)
    if turns < 20:
        return statistics.median(taken) * 1000
    return statistics.quantiles(taken, n=20)[-1] * 1000
