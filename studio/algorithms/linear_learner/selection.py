"""Which model is best, and where a binary classifier draws the line.

Knows scores and labels only. Costs are "smaller is better", so every criterion compares alike.
"""

from dataclasses import dataclass

import numpy as np

from studio.algorithms.linear_learner import LOSS_CRITERIA
from studio.algorithms.linear_learner.losses import Array
from studio.algorithms.linear_learner.metrics import f_beta


@dataclass(frozen=True)
class Criterion:
    """A criterion of binary classification with its parameters."""

    name: str = "accuracy"
    f_beta: float = 1.0
    target_recall: float = 0.8
    target_precision: float = 0.8

    @property
    def is_loss(self) -> bool:
        return self.name in LOSS_CRITERIA


@dataclass(frozen=True)
class Cut:
    """A threshold (predict 1 at or above it) and the criterion's value there, larger is better."""

    threshold: float
    value: float


@dataclass(frozen=True)
class _Cuts:
    """Every place to cut ranked scores: hits and size of what is predicted 1, threshold of each."""

    hits: Array
    chosen: Array
    threshold: Array
    positives: int
    count: int

    @property
    def precision(self) -> Array:
        return np.asarray(self.hits / np.maximum(self.chosen, 1))

    @property
    def recall(self) -> Array:
        return np.asarray(self.hits / max(self.positives, 1))


def calibrate(score: Array, label: Array, criterion: Criterion, neutral: float) -> Cut:
    """The best threshold for `score` `(N,)`; among equals the one nearest to `neutral`.

    A criterion with a target maximises its measure where the target is met; where no threshold
    meets it, the one that comes nearest to the target is taken, with a value below zero.
    Accuracy leaves `neutral`, where a well-trained model has its optimum, only for a gain that
    exceeds its standard error: k errors fewer among d examples that change sides, k > sqrt(d).
    """
    cuts = _cuts(score, label, neutral)
    value = _value(cuts, criterion)
    merit = value
    if criterion.name == "accuracy":
        start = int(np.flatnonzero(cuts.threshold == neutral)[0])
        moved = np.abs(cuts.chosen - cuts.chosen[start])
        merit = (value - value[start]) * cuts.count - np.sqrt(moved)
    best = np.flatnonzero(merit >= merit.max() - 1e-9)
    place = best[np.argmin(np.abs(cuts.threshold[best] - neutral))]
    return Cut(float(cuts.threshold[place]), float(value[place]))


def _cuts(score: Array, label: Array, neutral: float) -> _Cuts:
    """One cut above each distinct score and one below all; thresholds lie inside the gaps."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order].astype(np.float64)
    hits = np.cumsum(label[order] == 1)
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    distinct = ranked[ends]
    room = max(1e-6, 1e-6 * float(np.abs(distinct).max()))
    edges = np.concatenate([[distinct[0] + 2 * room], distinct, [distinct[-1] - 2 * room]])
    halfway = (edges[:-1] + edges[1:]) / 2
    above = np.concatenate([[np.inf], distinct])
    below = np.append(distinct, -np.inf)
    inside = (below < neutral) & (neutral <= above)
    return _Cuts(
        hits=np.concatenate([[0], hits[ends]]),
        chosen=np.concatenate([[0], ends + 1]),
        threshold=np.where(inside, neutral, halfway),
        positives=int(hits[-1]),
        count=label.size,
    )


def _value(cuts: _Cuts, criterion: Criterion) -> Array:
    precision, recall = cuts.precision, cuts.recall
    if criterion.name in ("f1", "f_beta"):
        beta = 1.0 if criterion.name == "f1" else criterion.f_beta
        return f_beta(precision, recall, beta)
    if criterion.name == "precision_at_target_recall":
        return _with_target(precision, recall, criterion.target_recall)
    if criterion.name == "recall_at_target_precision":
        return _with_target(recall, precision, criterion.target_precision)
    misses = cuts.positives - cuts.hits
    false_alarms = cuts.chosen - cuts.hits
    return np.asarray(1 - (misses + false_alarms) / cuts.count)


def _with_target(measure: Array, held: Array, target: float) -> Array:
    short = held < target - 1e-12
    return np.where(short, held - target - 1e-9, measure)
