"""Normalisation of features and labels, and folding it back into weights for raw features.

Knows matrices only. Moments come from a sample, as `num_point_for_scaler` says.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from studio.algorithms.linear_learner.losses import Array, Matrix

CHUNK = 4096
"""Rows that are gathered and scaled while they are in the cache."""


@dataclass(frozen=True)
class Scaler:
    """x' = (x - shift) / scale for each feature, y' = (y - label_shift) / label_scale."""

    shift: Array
    scale: Array
    label_shift: float = 0.0
    label_scale: float = 1.0

    def features(self, raw: Matrix, intercept: bool, order: Array | None = None) -> Matrix:
        """The normalised matrix, float32, with a last column of ones when there is a bias.

        Rows come in `order`. A sparse matrix stays sparse: it is scaled, never shifted.
        """
        shift, inverse = self.shift.astype(np.float32), (1 / self.scale).astype(np.float32)
        if sparse.issparse(raw):
            rows = raw.tocsr() if order is None else raw.tocsr()[order]
            ones = [np.ones((raw.shape[0], 1), np.float32)] if intercept else []
            return sparse.hstack([rows.multiply(inverse), *ones], format="csr", dtype=np.float32)
        count, columns = raw.shape
        out = np.ones((count, columns + intercept), np.float32)
        for first in range(0, count, CHUNK):
            part = slice(first, first + CHUNK)
            cells = out[part, :columns]
            np.subtract(raw[part if order is None else order[part]], shift, out=cells)
            cells *= inverse
        return out

    def labels(self, raw: Array) -> Array:
        return ((raw - self.label_shift) / self.label_scale).astype(np.float32)

    def fold(self, weights: Array, intercept: bool) -> tuple[Array, Array]:
        """Weights `(R, D)` and biases `(R,)`, float64, that take raw features to raw scores."""
        wide = weights.astype(np.float64)
        columns = self.shift.size
        slopes = wide[:, :columns] / self.scale
        bias = wide[:, columns] if intercept else np.zeros(len(wide))
        bias = bias - slopes @ self.shift
        return slopes * self.label_scale, bias * self.label_scale + self.label_shift


@dataclass(frozen=True)
class Wanted:
    """What to take out of features and labels: their mean, their spread."""

    unbias_data: bool
    normalize_data: bool
    unbias_label: bool
    normalize_label: bool


def fit(features: Matrix, labels: Array, wanted: Wanted) -> Scaler:
    """The scaler of a sample. A constant column keeps its scale: it would divide by zero."""
    if sparse.issparse(features):
        mean = np.zeros(features.shape[1])
        squares = features.multiply(features).mean(axis=0)
        deviation = np.sqrt(np.asarray(squares, np.float64).ravel())
    else:
        mean = features.mean(axis=0, dtype=np.float64)
        deviation = features.std(axis=0, dtype=np.float64)
    # Below this the spread of a constant column is rounding, not signal.
    noise = 1e-6 * np.maximum(np.abs(mean), 1e-30)
    deviation = np.where(deviation > noise, deviation, 1.0)
    ones, zeros = np.ones(mean.size), np.zeros(mean.size)
    spread = float(labels.std(dtype=np.float64))
    return Scaler(
        shift=mean if wanted.unbias_data else zeros,
        scale=deviation if wanted.normalize_data else ones,
        label_shift=float(labels.mean(dtype=np.float64)) if wanted.unbias_label else 0.0,
        label_scale=spread if wanted.normalize_label and spread > 0 else 1.0,
    )
