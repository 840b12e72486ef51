"""First-order optimisers on a stack of weight rows: one step for all models, in place.

Knows nothing of losses or data. Every array is `(R, D)` float32: R rows of weights (models, or
models x classes), D columns. An L1 penalty is applied as a proximal step in the metric of the
optimiser, so that zero weights are exactly zero and the penalty is that of the objective.
"""

from dataclasses import dataclass

import numpy as np

from studio.algorithms.linear_learner.losses import Array


@dataclass(frozen=True)
class Recipe:
    """Which optimiser, and its constants."""

    name: str = "adam"
    beta_1: float = 0.9
    beta_2: float = 0.999
    momentum: float = 0.0


class Optimizer:
    """The state of one optimiser: moments of the gradient for each weight.

    `sgd` uses the first moment only (momentum), `rmsprop` the second only, `adam` both, with the
    correction of their start at zero.
    """

    DECAY_RMSPROP = 0.9
    EPSILON = 1e-8

    def __init__(self, recipe: Recipe, shape: tuple[int, ...]) -> None:
        self.recipe = recipe
        self.first = np.zeros(shape, np.float32)
        self.second = np.zeros(shape, np.float32)
        self._scratch = np.empty(shape, np.float32)
        self._steps = 0

    def step(self, weights: Array, gradient: Array, rate: Array, l1: Array | None) -> None:
        """Move `weights` against `gradient`, which is overwritten. `rate`: step sizes, `(R, D)`."""
        self._steps += 1
        if self.recipe.name == "sgd":
            pace = self._momentum(gradient, rate)
        elif self.recipe.name == "rmsprop":
            pace = self._rmsprop(gradient, rate)
        else:
            pace = self._adam(gradient, rate)
        np.multiply(pace, self._move, out=self._scratch)
        weights -= self._scratch
        if l1 is not None:
            pace *= l1
            _shrink(weights, pace, self._scratch)

    def keep(self, rows: Array) -> None:
        """Forget the rows that are no longer trained."""
        self.first, self.second = self.first[rows], self.second[rows]
        self._scratch = np.empty_like(self.first)

    def _momentum(self, gradient: Array, rate: Array) -> Array:
        self.first *= self.recipe.momentum
        self.first += gradient
        self._move = self.first
        np.copyto(gradient, rate)
        return gradient

    def _rmsprop(self, gradient: Array, rate: Array) -> Array:
        np.copyto(self.first, gradient)
        self._move = self.first
        return self._scaled(gradient, rate, self.DECAY_RMSPROP, 1 - self.DECAY_RMSPROP**self._steps)

    def _adam(self, gradient: Array, rate: Array) -> Array:
        recipe = self.recipe
        self.first *= recipe.beta_1
        np.multiply(gradient, 1 - recipe.beta_1, out=self._scratch)
        self.first += self._scratch
        self._move = self.first
        pace = self._scaled(gradient, rate, recipe.beta_2, 1 - recipe.beta_2**self._steps)
        pace *= 1 / (1 - recipe.beta_1**self._steps)
        return pace

    def _scaled(self, gradient: Array, rate: Array, decay: float, correction: float) -> Array:
        """`rate` divided by the root of the corrected second moment; takes over `gradient`."""
        self.second *= decay
        gradient *= gradient
        gradient *= 1 - decay
        self.second += gradient
        np.multiply(self.second, 1 / correction, out=gradient)
        np.sqrt(gradient, out=gradient)
        gradient += self.EPSILON
        np.divide(rate, gradient, out=gradient)
        return gradient


def _shrink(weights: Array, threshold: Array, scratch: Array) -> None:
    """Soft-threshold `weights`: the proximal operator of `threshold * |w|`."""
    np.negative(threshold, out=scratch)
    np.maximum(weights, scratch, out=scratch)
    np.minimum(scratch, threshold, out=scratch)
    weights -= scratch
