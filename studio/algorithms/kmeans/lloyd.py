"""Lloyd's algorithm on weighted points in memory, from several starts.

Knows points `(n, d)` and weights `(n,)` only.
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse

from studio.algorithms.kmeans import geometry
from studio.algorithms.kmeans.geometry import Array, Points
from studio.algorithms.kmeans.hyperparameters import Lloyd

TRIALS = 10
"""What `local_lloyd_num_trials=auto` means, and is cut down from where trials are long."""
TRIAL_COST = 2e10
"""Multiplications that all automatic trials together may cost for the choice of their starts."""


def shrink(
    points: Points,
    weights: Array,
    k: int,
    how: Lloyd,
    rng: np.random.Generator,
    report: Callable[[int, float], None],
) -> Array:
    """The best `k` centres of several trials, `(k, d)` float64.

    `report(trial, mean squared distance)` is told of each. There are `k` or more points.
    """
    best, least = points[:k], np.inf
    for trial in range(_trials(how, len(points), k, points.shape[1])):
        start = choose(points, weights, k, how.init, rng)
        centers, loss = refine(points, weights, start, how)
        report(trial, loss)
        if loss < least:
            best, least = centers, loss
    return np.asarray(best, np.float64)


def refine(points: Points, weights: Array, start: Array, how: Lloyd) -> tuple[Array, float]:
    """(centres, weighted mean of the squared distances to them), from a start."""
    centers, before = np.asarray(start, np.float64), np.inf
    whole = float(weights.sum())
    for _ in range(how.max_iter):
        labels = geometry.nearest(points, centers)
        gaps = geometry.squared(points, centers, labels)
        loss = float(weights @ gaps) / whole
        if before - loss <= how.tol * loss:
            return centers, loss
        before = loss
        mass = np.bincount(labels, weights, len(centers))
        total = geometry.sums(points, labels, len(centers), weights)
        held = mass > 0
        centers = np.where(held[:, None], total / np.where(held, mass, 1)[:, None], centers)
        _refill(points, weights * gaps, centers, ~held)
    labels = geometry.nearest(points, centers)
    return centers, float(weights @ geometry.squared(points, centers, labels)) / whole


def choose(
    points: Points, weights: Array, count: int, method: str, rng: np.random.Generator
) -> Array:
    """`count` of the points, float64: at random, or spread out by k-means++."""
    if method == "random":
        # A point without weight is taken only when there is no other.
        share = weights + 1e-12 * weights.max()
        rows = rng.choice(len(weights), count, replace=False, p=share / share.sum())
    else:
        rows = _plus_plus(points, weights, count, rng)
    return geometry.dense(points[rows]).astype(np.float64)


def _plus_plus(points: Points, weights: Array, count: int, rng: np.random.Generator) -> Array:
    """Row numbers by k-means++: of some candidates each, the one that leaves the least loss."""
    tries = 2 + int(np.log(count))
    norms = _norms(points)
    rows = np.empty(count, np.intp)
    rows[0] = rng.choice(len(weights), p=weights / weights.sum())
    gaps = _gaps(points, norms, rows[:1])[0]
    for number in range(1, count):
        potential = np.cumsum(weights * gaps)
        if potential[-1] <= 0:
            # Fewer different points than centres.
            rows[number:] = rng.choice(len(weights), count - number)
            break
        drawn = rng.random(tries) * potential[-1]
        candidates = np.minimum(np.searchsorted(potential, drawn), len(weights) - 1)
        left = np.minimum(gaps, _gaps(points, norms, candidates))
        best = int((left @ weights).argmin())
        rows[number], gaps = candidates[best], left[best]
    return rows


def _norms(points: Points) -> Array:
    squares = points.multiply(points) if sparse.issparse(points) else points * points
    return np.asarray(squares.sum(axis=1, dtype=np.float64)).ravel()


def _gaps(points: Points, norms: Array, rows: Array) -> Array:
    """Squared distances `(len(rows), n)` of all points to some of them."""
    chosen = geometry.dense(points[rows]).astype(np.float32)
    products = np.asarray(points @ chosen.T, np.float64).T
    return np.maximum(norms - 2 * products + norms[rows][:, None], 0)


def _refill(points: Points, losses: Array, centers: Array, empty: Array) -> None:
    """Put each centre that has no point onto one of the points that cost most."""
    count = int(empty.sum())
    if count:
        rows = np.argpartition(losses, -count)[-count:]
        centers[empty] = geometry.dense(points[rows])


def _trials(how: Lloyd, n: int, k: int, d: int) -> int:
    if how.trials is not None:
        return how.trials
    cost = float(n) * k * d * (2 + int(np.log(k)))
    return int(np.clip(TRIAL_COST // cost, 1, TRIALS))
