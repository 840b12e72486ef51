"""An XGBoost model behind our router, beside the model servers of MLflow and BentoML.

wrk (Debian) asks each for the prediction of one row of CSV on 32 connections, in turns. All serve
the same model from one process, as they do when nothing is said, the peers with one thread a
prediction, which is best for them; ours is asked through the router, which checks each signature.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import xgboost

from benchmarks import peers, wrk
from benchmarks.bench_router import Router
from benchmarks.harness import Row, times, times_at_most
from benchmarks.wrk import Load

_XGBOOST = f"xgboost-cpu=={xgboost.__version__}"
_MLFLOW = ("mlflow==3.17.2", _XGBOOST)
BENTOML = ("bentoml==1.4.39", _XGBOOST)
COLUMNS, _ROWS, _TREES, _DEPTH = 59, 20_000, 100, 5
_CONNECTIONS, _SECONDS, _TURNS = 32, 3, 3
Ask = Callable[[], Load]

_SAVE = (
    "import sys, mlflow.xgboost, xgboost; model = xgboost.Booster(model_file=sys.argv[1]); "
    "mlflow.xgboost.save_model(model, sys.argv[2], model_format='json')"
)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name, ExitStack() as stack:
        row = trained(Path(name))
        sides = {
            "Studio": stack.enter_context(_ours(Path(name), row)),
            "MLflow": stack.enter_context(_mlflow(Path(name), row)),
            "BentoML": stack.enter_context(_bentoml(Path(name), row)),
        }
        loads: dict[str, list[Load]] = {name: [] for name in sides}
        for _ in range(_TURNS):
            for name, ask in sides.items():
                loads[name].append(ask())
    return _rows(loads)


def _rows(loads: dict[str, list[Load]]) -> list[Row]:
    rate = {name: statistics.median(it.rate for it in each) for name, each in loads.items()}
    p50 = {name: statistics.median(it.p50 for it in each) for name, each in loads.items()}
    p99 = {name: statistics.median(it.p99 for it in each) for name, each in loads.items()}
    rows = []
    for peer, least in (("MLflow", 5.0), ("BentoML", 3.0)):
        about = f"one row of CSV, {_CONNECTIONS} connections, beside {peer}"
        rows += [
            Row(f"XGBoost endpoint: {about}", rate["Studio"], "req/s", times(least), peer,
                rate[peer], rate["Studio"] / rate[peer]),
            Row(f"XGBoost endpoint: p50, {about}", p50["Studio"], "ms", None, peer, p50[peer],
                p50["Studio"] / p50[peer]),
            Row(f"XGBoost endpoint: p99, {about}", p99["Studio"], "ms", times_at_most(1.0), peer,
                p99[peer], p99["Studio"] / p99[peer]),
        ]  # fmt: skip
    return rows


def trained(folder: Path, trees: int = _TREES, depth: int = _DEPTH) -> bytes:
    """A model in `folder`/model; a row to predict."""
    rng = np.random.default_rng(1)
    features = (rng.random((_ROWS, COLUMNS)) < 0.2).astype(np.float32)
    features[:, :4] = rng.integers(0, 1000, (_ROWS, 4))
    labels = features[:, 0] / 500 + features[:, 5] - features[:, 9] + rng.normal(size=_ROWS) > 2
    matrix = xgboost.DMatrix(features, labels, feature_names=_names())
    parameters = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.2}
    (folder / "model").mkdir()
    xgboost.train(parameters, matrix, trees).save_model(_model(folder))
    return ",".join(f"{value:g}" for value in features[0]).encode()


@contextmanager
def _ours(folder: Path, row: bytes) -> Iterator[Ask]:
    command = [sys.executable, "-P", "-m", "studio.algorithms.xgboost", "--tag", "1.7-1", "serve"]
    env = {"SAGEMAKER_BASE_DIR": str(folder), "SAGEMAKER_BIND_TO_PORT": "{port}"}
    with peers.served(command, "/ping", env) as url:
        port = urlsplit(url).port
        assert port is not None
        with Router(folder / "home", port) as router:
            yield lambda: router.load(_CONNECTIONS, row, _SECONDS)


@contextmanager
def _mlflow(folder: Path, row: bytes) -> Iterator[Ask]:
    programs = peers.environment("mlflow-serving", *_MLFLOW) / "bin"
    saved = folder / "mlflow"
    subprocess.run([programs / "python", "-c", _SAVE, _model(folder), saved], check=True)
    command = (programs / "mlflow", "models", "serve", "-m", saved, "--env-manager", "local",
               "--host", "127.0.0.1", "--port", "{port}")  # fmt: skip
    # It starts its server by name.
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    body = ",".join(_names()).encode() + b"\n" + row + b"\n"
    with peers.served(command, "/ping", env) as url:
        yield partial(_asked, url, "text/csv", body)


@contextmanager
def _bentoml(folder: Path, row: bytes) -> Iterator[Ask]:
    programs = peers.environment("bentoml", *BENTOML) / "bin"
    source = Path(__file__).parent
    command = (programs / "bentoml", "serve", "serving_bentoml:Rows", "--working-dir", source,
               "--host", "127.0.0.1", "--port", "{port}")  # fmt: skip
    with peers.served(command, "/readyz", bentoml_env(folder, programs)) as url:
        yield partial(_asked, url, "text/plain", row)


def bentoml_env(folder: Path, programs: Path) -> dict[str, str]:
    """What serving_bentoml.py has to be told of the model in `folder`."""
    return {
        "BENCH_MODEL": _model(folder),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{programs}:{os.environ['PATH']}",
    }


def _asked(url: str, kind: str, body: bytes) -> Load:
    headers = {"Content-Type": kind}
    return wrk.posts(f"{url}/invocations", _CONNECTIONS, _SECONDS, headers, body)


def _names() -> list[str]:
    return [f"c{number}" for number in range(COLUMNS)]


def _model(folder: Path) -> str:
    return str(folder / "model" / "model.json")
