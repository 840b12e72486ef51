"""How much each parameter says about a metric, learned in a process of its own.

    python -m studio.experiments.query.importance < table.npz > answer.json

XGBoost and what it needs would stay in the memory of the control plane.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

METHOD = (
    "Permutation importance: the loss of R\u00b2, on trial components that it has not seen, of a "
    "forest of 50 trees when a parameter's values are shuffled; 3 folds, 2 shuffles each, the "
    "newest 2,000 trial components."
)
_SECONDS = 60.0
_TREES, _FOLDS, _SHUFFLES = 50, 3, 2
MOST = 2_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """`importances` add up to 1, unless nothing was learned; `score` is R squared of what was not
    seen. `correlations` are Spearman's; NaN where there is none."""

    importances: list[float]
    correlations: list[float]
    score: float


def ranked(table: Floats, texts: list[bool], target: Floats) -> Ranking:
    """Of each column of the table (components, parameters; NaN where there is no value; `texts`:
    its numbers stand for texts). Raises TimeoutError when it takes too long."""
    buffer = BytesIO()
    np.savez(buffer, table=table, texts=np.array(texts), target=target)
    command = [sys.executable, "-m", __name__]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            input=buffer.getvalue(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error
    found = json.loads(done.stdout)
    return Ranking(found["importances"], found["correlations"], found["score"])


def main() -> None:
    """Reads the table from standard input, and writes what is found as JSON."""
    given = np.load(BytesIO(sys.stdin.buffer.read()))
    table, texts, target = given["table"], given["texts"], given["target"]
    losses, score = _importances(_encoded(table, texts), target)
    total = sum(losses)
    found = {
        "importances": [each / total if total else 0.0 for each in losses],
        "correlations": [
            _spearman(table[:, n], target) if not texts[n] else float("nan")
            for n in range(table.shape[1])
        ],
        "score": score,
    }
    json.dump(found, sys.stdout)


def _encoded(table: Floats, texts: NDArray[np.bool_]) -> list[Floats]:
    """The columns that stand for each parameter: of texts one for each text."""
    columns = []
    for number in range(table.shape[1]):
        column = table[:, number]
        if texts[number]:
            kinds = np.unique(column[~np.isnan(column)])
            columns.append(np.stack([column == kind for kind in kinds], 1).astype(float))
        else:
            columns.append(column[:, None])
    return columns


def _importances(columns: list[Floats], target: Floats) -> tuple[list[float], float]:
    """What each parameter is worth, 0 at least, and how well the metric is told by all of them."""
    chance = np.random.default_rng(0)
    folds = chance.permutation(len(target)) % _FOLDS
    spread = float(np.mean((target - target.mean()) ** 2))
    told = np.zeros(len(target))
    losses = np.zeros(len(columns))
    for fold in range(_FOLDS):
        seen, new = folds != fold, folds == fold
        model = _forest(np.hstack([each[seen] for each in columns]), target[seen])
        parts = [each[new] for each in columns]
        told[new] = model(np.hstack(parts))
        error = np.mean((target[new] - told[new]) ** 2)
        for number, part in enumerate(parts):
            shuffles = [
                np.hstack([*parts[:number], chance.permutation(part), *parts[number + 1 :]])
                for _ in range(_SHUFFLES)
            ]
            away = np.tile(target[new], _SHUFFLES) - model(np.vstack(shuffles))
            losses[number] += (np.mean(away**2) - error) / spread
    score = 1 - float(np.mean((target - told) ** 2)) / spread
    return [max(float(each), 0.0) for each in losses], score


def _forest(table: Floats, target: Floats) -> Callable[[Floats], Floats]:
    import xgboost  # not before it is needed: it takes a second

    options: dict[str, Any] = {
        "num_parallel_tree": _TREES,
        "learning_rate": 1.0,
        "subsample": 0.7,
        "colsample_bynode": max(0.3, min(1.0, 3 / table.shape[1])),
        "max_depth": 6,
        "reg_lambda": 1e-3,
        "seed": 0,
        "nthread": 1,
        "tree_method": "hist",
    }
    model = xgboost.train(options, xgboost.DMatrix(table, target), num_boost_round=1)
    return lambda rows: np.asarray(model.inplace_predict(rows), dtype=np.float64)


def _spearman(column: Floats, target: Floats) -> float:
    """Of those that have a value; NaN when they are all alike."""
    known = ~np.isnan(column)
    one, other = _ranks(column[known]), _ranks(target[known])
    if len(one) < 2 or not one.std() or not other.std():
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(values: Floats) -> Floats:
    """From 1; equals share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Floats = (ends - (counts - 1) / 2)[inverse]
    return means


if __name__ == "__main__":
    # XGBoost imports scikit-learn where it is installed: more than a second for something unused.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    main()
