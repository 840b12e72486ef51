"""What the XGBoost job costs beside bare `xgboost.train` on the same matrix."""

import contextlib
import io
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost

from benchmarks.harness import Row, times_at_most
from studio.algorithms.base import Termination
from studio.algorithms.xgboost import hyperparameters
from studio.algorithms.xgboost.train import Run, boost

_RUNS = 5
# One thread and its processor time: both runs are the same work, and what else a shared machine
# does at that moment says nothing about either.
# The bank tutorial: 28,831 rows for training, 12,357 for validation, 59 columns.
_TRAIN, _VALIDATION, _COLUMNS = 28_831, 12_357, 59
_GIVEN = {
    "objective": "binary:logistic", "max_depth": "5", "eta": "0.2", "gamma": "4",
    "min_child_weight": "6", "subsample": "0.7", "num_round": "100", "nthread": "1",
}  # fmt: skip


def run() -> list[Row]:
    """One row: seconds of the job's training, the peer's, and their ratio."""
    matrices = {"train": _matrix(_TRAIN, 1), "validation": _matrix(_VALIDATION, 2)}
    job = Run("1.7-1", hyperparameters.read(_GIVEN), Termination())
    _bare(matrices)
    ours, bare = [], []
    # Alternating, so that a change of the machine's load meets both.
    for _ in range(_RUNS):
        ours.append(_seconds(lambda: boost(job, matrices)))
        bare.append(_seconds(lambda: _bare(matrices)))
    value, peer = statistics.median(ours), statistics.median(bare)
    return [
        Row(
            name="XGBoost job: training, processor time",
            value=value,
            unit="s",
            floor=times_at_most(1.05),
            peer="xgboost.train",
            peer_value=peer,
            ratio=value / peer,
        )
    ]


def _bare(matrices: dict[str, xgboost.DMatrix]) -> None:
    parameters: dict[str, Any] = {
        "objective": "binary:logistic", "max_depth": 5, "eta": 0.2, "gamma": 4,
        "min_child_weight": 6, "subsample": 0.7, "nthread": 1,
    }  # fmt: skip
    evals = [(matrix, name) for name, matrix in matrices.items()]
    xgboost.train(parameters, matrices["train"], 100, evals=evals, verbose_eval=False)


def _matrix(rows: int, seed: int) -> xgboost.DMatrix:
    """Flags and a few numbers, as one-hot encoded tables are."""
    rng = np.random.default_rng(seed)
    features = (rng.random((rows, _COLUMNS)) < 0.2).astype(np.float32)
    features[:, :4] = rng.integers(0, 1000, (rows, 4))
    score = features[:, 0] / 500 + features[:, 5] - features[:, 9] + rng.normal(size=rows)
    return xgboost.DMatrix(features, score > 2, nthread=1)


def _seconds(body: Callable[[], object]) -> float:
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        body()
    return time.process_time() - started
