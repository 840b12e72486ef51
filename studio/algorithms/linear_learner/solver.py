"""Mini-batch training of many linear models at once, and the early stopping of each.

Knows matrices and step sizes; not what a hyperparameter is called, where data lies, or how a model
is judged. All models share every mini-batch: a step is two matrix products for the whole stack,
`scores = W X'` and `gradient = G X`, with W `(M x K, D)`: M models of K rows (K classes, else 1).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy import sparse

from studio.algorithms.linear_learner.losses import Array, Loss, Matrix
from studio.algorithms.linear_learner.optimizers import Optimizer, Recipe


@dataclass(frozen=True)
class Examples:
    """Normalised examples: features `(N, D)` (float32 or CSR), labels `(N,)`, in training order.

    `weights` `(N,)` weigh the examples in the loss.
    """

    features: Matrix
    labels: Array
    weights: Array | None = None

    @property
    def count(self) -> int:
        return int(self.features.shape[0])

    @property
    def columns(self) -> int:
        return int(self.features.shape[1])


@dataclass(frozen=True)
class Stack:
    """The models' own hyperparameters, `(M,)` each. `positive_weight` is that of label 1."""

    learning_rate: Array
    wd: Array
    l1: Array
    scheduler_step: Array
    scheduler_factor: Array
    scheduler_minimum: Array
    positive_weight: Array

    @property
    def count(self) -> int:
        return int(self.learning_rate.size)


@dataclass(frozen=True)
class Plan:
    """What the models share."""

    batch_size: int
    epochs: int
    patience: int = 3
    tolerance: float = 0.001
    optimizer: Recipe = field(default_factory=Recipe)
    intercept: bool = True
    bias_lr_mult: float = 1.0
    bias_wd_mult: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class Task:
    """All that training needs: the models start at `start`, `(M, K, D)`."""

    examples: Examples
    loss: Loss
    stack: Stack
    plan: Plan
    start: Array


@dataclass(frozen=True)
class Verdict:
    """What judging tells of each model, `(M,)`, smaller is better: its criterion, its loss."""

    cost: Array
    loss: Array


Judge = Callable[[Array], Verdict]
"""Judges weights `(M', K, D)`."""
Stopped = Callable[[], bool]
"""Whether training must end with what there is."""


class Crew(Protocol):
    """The hosts that share each mini-batch. All of them take the same steps."""

    def total(self, examples: Examples) -> int:
        """How many examples all hosts have, of which these are this one's."""

    def own(self, start: int, end: int) -> slice:
        """The rows of this host's examples that are its part of the mini-batch `start:end`."""

    def summed(self, gradient: Array) -> Array:
        """The sum over all hosts."""

    def stopped(self) -> bool:
        """Whether this step is the last one; asked after each."""

    def kept(self, models: Array | None) -> Array | None:
        """After an epoch: the mask of the models that go on, None when it was the last one. The
        first host says so, the others are told."""


class Alone:
    """A host by itself."""

    def __init__(self, stopped: Stopped) -> None:
        self.stopped = stopped

    def total(self, examples: Examples) -> int:
        return examples.count

    def own(self, start: int, end: int) -> slice:
        return slice(start, end)

    def summed(self, gradient: Array) -> Array:
        return gradient

    def kept(self, models: Array | None) -> Array | None:
        return models


@dataclass(frozen=True)
class Epoch:
    """What an epoch ended with: the models that ran, their weights `(M', K, D)` and verdict, and
    whether the best of all models rose."""

    number: int
    models: Array
    weights: Array
    verdict: Verdict
    improved: bool
    records: int
    steps: int


@dataclass
class Race:
    """The best weights of each model so far, and which models still train.

    Weights are those of the epoch with the least loss: criteria such as accuracy move by whole
    examples, and the epoch with the best one is often luck.
    """

    weights: Array
    cost: Array
    loss: Array
    waited: Array
    running: Array

    @classmethod
    def start(cls, weights: Array) -> "Race":
        models = len(weights)
        worst = np.full(models, np.inf)
        return cls(weights.copy(), worst, worst.copy(), np.zeros(models, int), np.arange(models))

    def judge(self, weights: Array, verdict: Verdict, plan: Plan) -> bool:
        """Keep what improved, retire what has waited too long; whether the best of all rose.

        A model waits while neither its criterion nor its loss falls by more than the tolerance.
        Weights that are not finite end it.
        """
        models, best = self.running, (self.cost.min(), self.loss.min())
        finite = np.isfinite(weights).all(axis=(1, 2)) & np.isfinite(verdict.loss)
        fell = _falls(verdict.cost, self.cost[models], plan.tolerance)
        fell |= _falls(verdict.loss, self.loss[models], plan.tolerance)
        self.waited[models] = np.where(fell, 0, self.waited[models] + 1)
        better = finite & (verdict.loss < self.loss[models])
        self.weights[models[better]] = weights[better]
        self.loss[models[better]] = verdict.loss[better]
        cost = np.where(finite, verdict.cost, np.inf)
        self.cost[models] = np.minimum(self.cost[models], cost)
        self.running = models[finite & (self.waited[models] < plan.patience)]
        return bool(self.cost.min() < best[0] or self.loss.min() < best[1])


def train(task: Task, judge: Judge, report: Callable[[Epoch], None], crew: Crew) -> Race:
    """Train all models. `report` is told of each epoch."""
    plan, shape = task.plan, task.start.shape
    race, run = Race.start(task.start), _Run(task, crew)
    order = np.random.default_rng(plan.seed)
    for number in range(plan.epochs):
        # A model with a bold learning rate may overflow: the race drops it.
        with np.errstate(over="ignore", invalid="ignore"):
            steps = run.epoch(order)
            weights, running = run.weights.reshape(-1, *shape[1:]), race.running
            verdict = judge(weights)
        improved = race.judge(weights, verdict, plan)
        records = min(run.count, steps * plan.batch_size)
        report(Epoch(number, running, weights, verdict, improved, records, steps))
        over = run.stopped or not race.running.size or number == plan.epochs - 1
        if crew.kept(None if over else np.isin(running, race.running)) is None:
            break
        if race.running.size < running.size:
            run.keep(np.isin(running, race.running))
    return race


def follow(task: Task, crew: Crew) -> None:
    """Take part in the training of another host, which judges."""
    run, order = _Run(task, crew), np.random.default_rng(task.plan.seed)
    while True:
        with np.errstate(over="ignore", invalid="ignore"):
            run.epoch(order)
        models = crew.kept(None)
        if models is None:
            return
        if not models.all():
            run.keep(models)


def scores(features: Matrix, weights: Array) -> Array:
    """Scores `(R, N)` of weight rows `(R, D)`: transposed, so that examples are contiguous."""
    if sparse.issparse(features):
        return np.ascontiguousarray((features @ weights.T).T)
    return np.asarray(weights @ features.T)


class _Run:
    """The moving parts: weights, moments, buffers, step counter."""

    def __init__(self, task: Task, crew: Crew) -> None:
        self.crew, self.count = crew, crew.total(task.examples)
        self.stopped = False
        models, self.classes, columns = task.start.shape
        self.examples, self.loss, self.plan = task.examples, task.loss, task.plan
        self.stack = task.stack
        self.weights = task.start.reshape(models * self.classes, columns).copy()
        self.steps = 0
        self.optimizer = Optimizer(self.plan.optimizer, self.weights.shape)
        self._allocate()

    def epoch(self, order: np.random.Generator) -> int:
        """One pass over the examples, and its number of steps. Batches come in random order."""
        size, before = self.plan.batch_size, self.steps
        for batch in order.permutation(-(-self.count // size)):
            self._step(batch * size, min(self.count, (batch + 1) * size))
            self.stopped = self.crew.stopped()
            if self.stopped:
                break
        return self.steps - before

    def keep(self, models: Array) -> None:
        """Go on with the models of the mask `models` only."""
        rows = np.repeat(models, self.classes)
        self.weights = np.ascontiguousarray(self.weights[rows])
        self.optimizer.keep(rows)
        values = vars(self.stack)
        self.stack = Stack(**{name: value[models] for name, value in values.items()})
        self._allocate()

    def _allocate(self) -> None:
        rows, columns = self.weights.shape
        self._gradient = np.empty((rows, columns), np.float32)
        self._scores = np.empty(rows * min(self.plan.batch_size, self.examples.count), np.float32)
        self._wd = self._spread(self.stack.wd, self.plan.bias_wd_mult)
        self._l1 = self._spread(self.stack.l1, 0.0)
        self._pace = self._spread(np.ones(self.stack.count), self.plan.bias_lr_mult)
        self._decays = np.full(self.stack.count, -1)
        self._rate = self._pace

    def _spread(self, per_model: Array, bias_factor: float) -> Array:
        """One number a model -> one a weight, `(R, D)`; the bias, the last column, has a factor."""
        out = np.empty(self.weights.shape, np.float32)
        out[:] = np.repeat(per_model, self.classes)[:, None]
        if self.plan.intercept:
            out[:, -1] *= bias_factor
        return out

    def _step(self, start: int, end: int) -> None:
        rows = self.crew.own(start, end)
        features, labels = self.examples.features[rows], self.examples.labels[rows]
        z = self._scores[: len(self.weights) * labels.size].reshape(len(self.weights), -1)
        if sparse.issparse(features):
            z[:] = scores(features, self.weights)
        else:
            np.matmul(self.weights, features.T, out=z)
        self.loss.gradient(self._by_class(z), labels)
        self._weigh(z, rows, labels)
        gradient = self._gradient
        if sparse.issparse(features):
            gradient[:] = (features.T @ z.T).T
        else:
            np.matmul(z, features, out=gradient)
        gradient = self.crew.summed(gradient)
        gradient *= 1.0 / (end - start)
        if self.stack.wd.any():
            gradient += self._wd * self.weights
        self._schedule()
        l1 = self._l1 if self.stack.l1.any() else None
        self.optimizer.step(self.weights, gradient, self._rate, l1)
        self.steps += 1

    def _by_class(self, z: Array) -> Array:
        return z.reshape(self.stack.count, self.classes, -1) if self.classes > 1 else z

    def _weigh(self, z: Array, rows: slice, labels: Array) -> None:
        if self.examples.weights is not None:
            z *= self.examples.weights[rows]
        if (self.stack.positive_weight != 1).any():
            extra = (self.stack.positive_weight - 1).astype(np.float32)
            z *= 1 + extra[:, None] * labels

    def _schedule(self) -> None:
        """Learning rates after the decays that `steps` steps bring."""
        stack = self.stack
        decays = self.steps // stack.scheduler_step
        if np.array_equal(decays, self._decays):
            return
        self._decays = decays
        rate = stack.learning_rate * stack.scheduler_factor**decays
        floor = np.minimum(stack.scheduler_minimum, stack.learning_rate)
        rate = np.maximum(rate, floor).astype(np.float32)
        self._rate = self._pace * np.repeat(rate, self.classes)[:, None]


def _falls(now: Array, before: Array, tolerance: float) -> Array:
    """Where `now` is below `before` by more than `tolerance`, relative to `before`."""
    with np.errstate(invalid="ignore"):
        enough = before - now > tolerance * np.abs(before)
    return np.where(np.isfinite(before), enough, np.isfinite(now))
