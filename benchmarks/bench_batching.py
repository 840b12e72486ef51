"""Adaptive batching: model servers behind the router, with it and without, on 64 connections.

wrk (Debian) asks each for the prediction of one row of CSV, in turns. XGBoost is also asked beside
BentoML's own adaptive batching, which takes JSON.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from benchmarks import bench_serving, peers, wrk
from benchmarks.bench_router import Router
from benchmarks.harness import Row, times
from benchmarks.wrk import Load

_CONNECTIONS, _SECONDS, _TURNS = 64, 3, 3
_TREES, _DEPTH = 300, 6
_FOREST_TREES, _FOREST_DEPTH = 100, 10
_XGBOOST = ("studio.algorithms.xgboost", "--tag", "1.7-1", "serve")
_SKLEARN = ("studio.container.script", "--framework", "sklearn", "serve")
_LEAST = 3.0
Ask = Callable[[], Load]


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
        folder = Path(name)
        boosted, forest = folder / "boosted", folder / "forest"
        boosted.mkdir()
        row = bench_serving.trained(boosted, _TREES, _DEPTH)
        _grow(forest)
        loads: dict[str, list[Load]] = {}
        # A pair at a time: nothing else has the machine.
        for model, program, place in (
            ("XGBoost", _XGBOOST, boosted),
            ("random forest", _SKLEARN, forest),
        ):
            with ExitStack() as pair:
                sides = {
                    f"{model} {switch}": pair.enter_context(
                        _served(folder / f"{place.name}-{switch}", program, place, row, switch)
                    )
                    for switch in ("off", "on")
                }
                if model == "XGBoost":
                    sides["BentoML"] = pair.enter_context(_bentoml(boosted, row))
                for _ in range(_TURNS):
                    for side, ask in sides.items():
                        loads.setdefault(side, []).append(ask())
    return _rows(loads)


def _rows(loads: dict[str, list[Load]]) -> list[Row]:
    def middle(side: str, what: str) -> float:
        return statistics.median(getattr(it, what) for it in loads[side])

    rows = []
    for model in ("XGBoost", "random forest"):
        on, off = f"{model} on", f"{model} off"
        about = f"{model} endpoint with adaptive batching: one row, {_CONNECTIONS} connections"
        rate, p99 = middle(on, "rate"), middle(on, "p99")
        rows += [
            Row(about, rate, "req/s", times(_LEAST), "without", middle(off, "rate"),
                rate / middle(off, "rate")),
            Row(f"{about}, p99", p99, "ms", None, "without", middle(off, "p99"),
                p99 / middle(off, "p99")),
        ]  # fmt: skip
    rate, peer = middle("XGBoost on", "rate"), middle("BentoML", "rate")
    name = f"XGBoost endpoint with adaptive batching: {_CONNECTIONS} connections, beside BentoML's"
    return [*rows, Row(name, rate, "req/s", times(_LEAST), "BentoML", peer, rate / peer)]


def _grow(folder: Path) -> None:
    """A random forest in `folder`/model, of as many columns as the boosted trees."""
    rng = np.random.default_rng(1)
    features = rng.random((5_000, bench_serving.COLUMNS))
    labels = features[:, 0] + features[:, 5] > 1
    forest = RandomForestClassifier(_FOREST_TREES, max_depth=_FOREST_DEPTH, random_state=1)
    (folder / "model").mkdir(parents=True)
    joblib.dump(forest.fit(features, labels), folder / "model" / "model.joblib")


@contextmanager
def _served(
    home: Path, program: tuple[str, ...], folder: Path, row: bytes, switch: str
) -> Iterator[Ask]:
    command = [sys.executable, "-P", "-m", *program]
    env = {"SAGEMAKER_BASE_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": "{port}"}
    with peers.served(command, "/ping", env | {"STUDIO_BATCHING": switch}) as url:
        port = urlsplit(url).port
        assert port is not None
        with Router(home, port) as router:
            yield lambda: router.load(_CONNECTIONS, row, _SECONDS)


@contextmanager
def _bentoml(folder: Path, row: bytes) -> Iterator[Ask]:
    programs = peers.environment("bentoml", *bench_serving.BENTOML) / "bin"
    command = (programs / "bentoml", "serve", "serving_bentoml:Batches", "--working-dir",
               Path(__file__).parent, "--host", "127.0.0.1", "--port", "{port}")  # fmt: skip
    env = bench_serving.bentoml_env(folder, programs)
    body = json.dumps({"rows": [list(map(float, row.split(b",")))]}).encode()
    with peers.served(command, "/readyz", env) as url:
        headers = {"Content-Type": "application/json"}
        yield partial(wrk.posts, f"{url}/invocations", _CONNECTIONS, _SECONDS, headers, body)
