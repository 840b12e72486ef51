"""Judges a stack of models on a set of examples: loss, criterion, and the final choice.

Knows normalised examples and weights; not how they were trained.
"""

from dataclasses import dataclass

import numpy as np

from studio.algorithms.linear_learner import selection, solver
from studio.algorithms.linear_learner.losses import Array, Loss
from studio.algorithms.linear_learner.selection import Criterion
from studio.algorithms.linear_learner.solver import Examples, Verdict

CELLS = 4_000_000
"""Scores that are held at a time: 16 MB."""


@dataclass(frozen=True)
class Panel:
    """Judges on `examples`; without a criterion the loss is the criterion.

    `factor` takes a normalised loss to the label's unit. The criterion looks at the first `sample`
    examples. `positive_weight` weighs the examples of label 1 in the loss, as in training.
    """

    examples: Examples
    loss: Loss
    factor: float
    criterion: Criterion | None
    sample: int
    positive_weight: float = 1.0

    def __call__(self, weights: Array) -> Verdict:
        """The verdict on `weights` `(M, K, D)`."""
        loss, scores = self._measure(weights)
        if self.criterion is None:
            return Verdict(loss, loss)
        return Verdict(np.array([self._cost(row, self.criterion) for row in scores]), loss)

    def elect(self, weights: Array, neutral: float) -> tuple[int, float]:
        """The best model's number and the threshold on its scores (after the link).

        Of the models whose criterion is within its standard error of the best one, the model with
        the least loss: the differences between them are those between samples.
        """
        verdict = self(weights)
        least = float(verdict.cost.min())
        near = verdict.cost <= least + self._noise(least)
        best = int(np.argmin(np.where(near, verdict.loss, np.inf)))
        if self.criterion is None:
            return best, neutral
        _, scores = self._measure(weights[best : best + 1])
        labels = self.examples.labels[: self.sample]
        cut = selection.calibrate(scores[0], labels, self.criterion, 0.0)
        threshold = float(1 / (1 + np.exp(-cut.threshold))) if neutral else cut.threshold
        return best, threshold

    def _cost(self, scores: Array, criterion: Criterion) -> float:
        """The negated criterion at its best threshold; infinite for a model that diverged."""
        if not np.isfinite(scores).all():
            return np.inf
        labels = self.examples.labels[: self.sample]
        return -selection.calibrate(scores, labels, criterion, 0.0).value

    def _noise(self, cost: float) -> float:
        """The standard error of a criterion: a share of all examples, or of the positive ones.

        One hit and one miss are added, so that a perfect score of few examples has an error too.
        """
        if self.criterion is None:
            return 0.0
        labels = self.examples.labels[: self.sample]
        of_all = self.criterion.name == "accuracy"
        count = labels.size if of_all else max(1, int(np.sum(labels == 1)))
        share = (max(0.0, -cost) * count + 1) / (count + 2)
        return float(np.sqrt(share * (1 - share) / (count + 2)))

    def _measure(self, weights: Array) -> tuple[Array, Array]:
        """The mean loss of each model, `(M,)`, and scores `(M, n)` for the criterion."""
        models, classes, columns = weights.shape
        rows = np.ascontiguousarray(weights.reshape(models * classes, columns))
        count = self.examples.count
        total, mass = np.zeros(models), 0.0
        kept: list[Array] = []
        chunk = max(1, CELLS // len(rows))
        for first in range(0, count, chunk):
            part = slice(first, min(count, first + chunk))
            z = solver.scores(self.examples.features[part], rows)
            if self.criterion is not None and first < self.sample:
                kept.append(z[:, : self.sample - first])
            labels = self.examples.labels[part]
            weight = self._weights(part, labels)
            shaped = z.reshape(models, classes, -1) if classes > 1 else z
            with np.errstate(
                all="ignore"
            ):  # a model that diverges is judged infinite, not warned of
                total += self.loss.value(shaped, labels) @ weight
            mass += float(weight.sum())
        loss = np.where(np.isfinite(total), total / max(mass, 1e-300) * self.factor, np.inf)
        return loss, np.concatenate(kept, axis=1) if kept else np.empty((models, 0))

    def _weights(self, part: slice, labels: Array) -> Array:
        weights = self.examples.weights
        out = np.ones(labels.size) if weights is None else weights[part].astype(np.float64)
        if self.positive_weight != 1:
            out = out * np.where(labels == 1, self.positive_weight, 1.0)
        return out
