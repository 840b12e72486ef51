"""A trained linear model on raw features: scores, predicted labels, and its files.

Knows nothing of training. Files, in the folder that becomes `model.tar.gz`: `model.json` says what
the model is (and the hyperparameters that won), `weights.npz` holds `weights` `(K, D)` and `bias`
`(K,)`, float64, K = 1 but for multiclass. No pickles: a hostile archive can hold nothing to run.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from studio.algorithms.linear_learner import losses
from studio.algorithms.linear_learner.losses import Array

FORMAT = "studio-linear-learner"
VERSION = 1


@dataclass(frozen=True)
class Model:
    """`score = link(weights x + bias)`; a binary label is 1 where the score reaches `threshold`."""

    predictor_type: str
    loss: str
    weights: Array
    bias: Array
    threshold: float = 0.5
    hyperparameters: dict[str, Any] = field(default_factory=dict)

    @property
    def feature_dim(self) -> int:
        return int(self.weights.shape[1])

    def raw(self, features: Array) -> Array:
        """`weights x + bias`, `(N, K)`, float64."""
        return np.asarray(np.asarray(features @ self.weights.T, np.float64) + self.bias)

    def link(self, raw: Array) -> Array:
        """`(N,)` or, for multiclass, `(N, K)`: probabilities where the loss is a likelihood."""
        if self.loss == "softmax_loss":
            return losses.softmax(raw.T.copy()).T
        return losses.sigmoid(raw[:, 0].copy()) if self.loss == "logistic" else raw[:, 0]

    def score(self, features: Array) -> Array:
        """The scores of raw features `(N, D)`, dense or CSR."""
        return self.link(self.raw(features))

    def label(self, score: Array) -> Array:
        """The predicted labels of scores; of a regressor the scores themselves."""
        if self.predictor_type == "multiclass_classifier":
            return np.asarray(score.argmax(axis=1))
        if self.predictor_type == "binary_classifier":
            return np.asarray((score >= self.threshold).astype(np.int64))
        return score


def neutral_threshold(loss: str) -> float:
    """The threshold of a classifier that was not calibrated."""
    return 0.5 if loss == "logistic" else 0.0


def save(model: Model, folder: Path) -> None:
    """Write the model's files."""
    np.savez(folder / "weights.npz", weights=model.weights, bias=model.bias)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "predictor_type": model.predictor_type,
        "loss": model.loss,
        "feature_dim": model.feature_dim,
        "threshold": model.threshold,
        "hyperparameters": model.hyperparameters,
    }
    (folder / "model.json").write_text(json.dumps(document, indent=1))


def load(folder: Path) -> Model:
    """Read what `save` wrote. Raises ValueError when it is something else."""
    try:
        document = json.loads((folder / "model.json").read_text())
        with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            weights, bias = arrays["weights"], arrays["bias"]
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{folder} holds no linear-learner model: {error}") from error
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise ValueError(f"{folder / 'model.json'} is not a linear-learner model of version 1")
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise ValueError(f"{folder / 'weights.npz'}: shapes {weights.shape} and {bias.shape}")
    return Model(
        predictor_type=document["predictor_type"],
        loss=document["loss"],
        weights=weights.astype(np.float64),
        bias=bias.astype(np.float64),
        threshold=float(document["threshold"]),
        hyperparameters=document["hyperparameters"],
    )
