"""From labelled examples and settings to the best of many models, calibrated.

Knows the order of the work: scale, vary, train, judge, select, fold back. Reads and writes no
files; what is worth telling goes to a `Journal`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from studio.algorithms.base import UserError
from studio.algorithms.linear_learner import losses, scaling, solver, variations
from studio.algorithms.linear_learner.judging import Panel
from studio.algorithms.linear_learner.losses import Array, Loss, Matrix
from studio.algorithms.linear_learner.model import Model, neutral_threshold
from studio.algorithms.linear_learner.optimizers import Recipe
from studio.algorithms.linear_learner.scaling import Scaler
from studio.algorithms.linear_learner.settings import Settings
from studio.algorithms.linear_learner.solver import (
    Alone,
    Crew,
    Epoch,
    Examples,
    Plan,
    Stack,
    Stopped,
    Task,
)

MODELS = 32
WEIGHTS_LIMIT = 50_000_000
"""Weights of all models together that `num_models=auto` stays within: 200 MB, and as much again
for each moment of the optimiser."""
TRAIN_SAMPLE = 10_000
"""Training examples on which an epoch's training loss is taken."""
CRITERION_SAMPLE = 10_000
"""Validation examples on which an epoch's criterion is taken; selection takes all of them."""
RATE_EXAMPLES, RATE_CELLS = 2_000, 20_000_000
"""Training examples, and cells of them, that automatic step sizes are measured on."""
SELECTION_SAMPLE = 100_000
"""Training examples that stand in for validation data that is not there."""
DENSE_LIMIT = 64_000_000
"""Cells up to which sparse data are made dense: dense products are many times faster."""


@dataclass(frozen=True)
class Table:
    """Raw examples: features `(N, D)`, dense or CSR, and labels `(N,)`."""

    features: Matrix
    labels: Array

    @property
    def count(self) -> int:
        return int(self.features.shape[0])

    def take(self, rows: Array) -> "Table":
        return Table(self.features[rows], self.labels[rows])


class Journal(Protocol):
    """Who is told how training goes."""

    def started(self, settings: Settings, scaler: Scaler, stack: Stack, loss: Loss) -> None: ...

    def epoch(self, epoch: Epoch, train_loss: Array, judged: "Judged") -> None: ...

    def stopped(self) -> bool:
        """Whether training must end with what there is; asked after each step."""


Engage = Callable[[Task, float, Stopped], Crew]
"""Who trains a task, whose labels were divided by a scale, until it is stopped."""


@dataclass(frozen=True)
class Judged:
    """How the models of an epoch were judged: on which data, by what, and the best so far."""

    split: str
    objective: str
    criterion: str


@dataclass(frozen=True)
class Fit:
    """The winner, the loss it was trained with, and which of the models it was."""

    model: Model
    loss: Loss
    number: int


def fit(
    settings: Settings,
    train: Table,
    validation: Table | None,
    journal: Journal,
    engage: Engage = lambda _task, _label_scale, stopped: Alone(stopped),
) -> Fit:
    """Train, select and calibrate; `engage` finds who takes part. Raises UserError when no model
    converges."""
    rng = np.random.default_rng(settings.seed)
    train = _ready(train)
    order = rng.permutation(train.count)
    scaler = _scaler(settings, train.take(order[: settings.num_point_for_scaler]))
    loss = losses.make(settings.loss, settings.shape, scaler.label_scale)
    examples = _examples(settings, train, scaler, order)
    plan = _plan(settings, examples.count)
    stack = _stack(settings, examples, loss, plan, validation is not None)
    journal.started(settings, scaler, stack, loss)
    start = _start(settings, stack.count, examples.columns, rng)
    task = Task(examples, loss, stack, plan, start)
    panels = _panels(settings, task, validation, scaler)
    criterion = settings.criterion.name if panels.epoch.criterion else loss.objective
    judged = Judged(panels.split, loss.objective, criterion)

    def report(epoch: Epoch) -> None:
        journal.epoch(epoch, panels.train_loss(epoch), judged)

    crew = engage(task, scaler.label_scale, journal.stopped)
    race = solver.train(task, panels.epoch, report, crew)
    if not np.isfinite(race.loss).any():
        raise UserError(
            "Training diverged: the loss of every model is infinite. Lower learning_rate, or set "
            "it to auto, and leave normalize_data and normalize_label on."
        )
    number, threshold = panels.final.elect(race.weights, neutral_threshold(settings.loss))
    slopes, bias = scaler.fold(race.weights[number], settings.use_bias)
    won = _won(settings, stack, number)
    model = Model(settings.predictor_type, settings.loss, slopes, bias, threshold, won)
    return Fit(model, losses.make(settings.loss, settings.shape), number)


@dataclass(frozen=True)
class _Panels:
    """The judges: of training loss, of each epoch, of the final choice."""

    train: Panel
    epoch: Panel
    final: Panel
    split: str

    def train_loss(self, epoch: Epoch) -> Array:
        """The loss on training data; already taken where there is no validation."""
        return epoch.verdict.loss if self.split == "train" else self.train(epoch.weights).loss


def _ready(table: Table) -> Table:
    """Sparse data that would fit as dense ones become dense."""
    features = table.features
    if sparse.issparse(features) and features.shape[0] * features.shape[1] <= DENSE_LIMIT:
        return Table(features.toarray(), table.labels)
    return table


def _scaler(settings: Settings, sample: Table) -> Scaler:
    regression = settings.predictor_type == "regressor"
    is_sparse = sparse.issparse(sample.features)
    unbias_data = settings.use_bias if settings.unbias_data is None else settings.unbias_data
    unbias_label = settings.unbias_label is not False and regression and settings.use_bias
    wanted = scaling.Wanted(
        unbias_data=unbias_data and not is_sparse,
        normalize_data=settings.normalize_data is not False,
        unbias_label=unbias_label,
        normalize_label=settings.normalize_label is not False and regression,
    )
    return scaling.fit(sample.features, sample.labels, wanted)


def _examples(
    settings: Settings, table: Table, scaler: Scaler, order: Array | None = None
) -> Examples:
    features = scaler.features(table.features, settings.use_bias, order)
    labels = table.labels if order is None else table.labels[order]
    if settings.predictor_type != "multiclass_classifier":
        return Examples(features, scaler.labels(labels))
    labels = labels.astype(np.int64)
    if not settings.balance_multiclass_weights:
        return Examples(features, labels)
    counts = np.bincount(labels, minlength=settings.num_classes)
    seen = np.maximum(counts, 1)
    share = labels.size / (np.count_nonzero(counts) * seen)
    return Examples(features, labels, share[labels].astype(np.float32))


def _plan(settings: Settings, count: int) -> Plan:
    size = min(settings.mini_batch_size, count)
    steps = settings.epochs * -(-count // size)
    beta_1 = variations.memory(steps) if settings.beta_1 is None else settings.beta_1
    return Plan(
        batch_size=size,
        epochs=settings.epochs,
        patience=settings.early_stopping_patience,
        tolerance=settings.early_stopping_tolerance,
        optimizer=Recipe(settings.optimizer, beta_1, settings.beta_2, settings.momentum),
        intercept=settings.use_bias,
        bias_lr_mult=settings.bias_lr_mult,
        bias_wd_mult=settings.bias_wd_mult,
        seed=settings.seed,
    )


def _stack(
    settings: Settings, examples: Examples, loss: Loss, plan: Plan, validated: bool
) -> Stack:
    steps = plan.epochs * -(-examples.count // plan.batch_size)
    sample = examples.features[: max(1, min(RATE_EXAMPLES, RATE_CELLS // examples.columns))]
    dense = sample.toarray() if sparse.issparse(sample) else sample
    if settings.optimizer == "sgd":
        rate = variations.gradient_rate(dense, loss.curvature, plan.batch_size)
    else:
        rate = variations.adaptive_rate(steps) * _unit(settings, dense, examples.labels)
    positives = float(np.sum(examples.labels == 1))
    balance = (examples.count - positives) / positives if positives else 1.0
    strength = 0.1 if settings.predictor_type == "regressor" else 1.0
    automatic = variations.Automatic(
        learning_rate=float(f"{rate:.3g}"),
        wd=min(0.01, strength / examples.count),
        l1=min(0.3, 3 / examples.count**0.5),
        balance=balance or 1.0,
        validated=validated,
    )
    asked = settings.weighing(automatic.balance)
    return variations.make(asked, automatic, _models(settings, examples), steps)


def _unit(settings: Settings, features: Array, labels: Array) -> float:
    """The size of a typical weight: about 1, unless the job does without normalisation."""
    size = np.sqrt(np.mean(np.square(features, dtype=np.float64), axis=0))
    typical = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
    if settings.predictor_type != "regressor":
        return 1 / typical
    return float(np.sqrt(np.mean(np.square(labels, dtype=np.float64)))) / typical or 1.0


def _models(settings: Settings, examples: Examples) -> int:
    if settings.num_models is not None:
        return settings.num_models
    size = settings.classes * examples.columns
    return int(np.clip(WEIGHTS_LIMIT // size, 1, MODELS))


def _start(settings: Settings, models: int, columns: int, rng: np.random.Generator) -> Array:
    shape = (models, settings.classes, columns)
    if settings.init_method == "normal":
        start = rng.normal(0.0, settings.init_sigma, shape)
    else:
        start = rng.uniform(-settings.init_scale, settings.init_scale, shape)
    if settings.use_bias:
        start[..., -1] = settings.init_bias
    return start.astype(np.float32)


def _panels(settings: Settings, task: Task, validation: Table | None, scaler: Scaler) -> _Panels:
    """Without validation data a sample of the training data decides, by its loss until the end."""
    examples, loss, weights = task.examples, task.loss, task.stack.positive_weight
    binary = settings.predictor_type == "binary_classifier"
    criterion = settings.criterion if binary and not settings.criterion.is_loss else None
    calibration = settings.num_calibration_samples
    weight = float(weights[0]) if (weights == weights[0]).all() else 1.0
    factor = scaler.label_scale**loss.degree
    train = Panel(_head(examples, TRAIN_SAMPLE), loss, factor, None, 0, weight)
    if validation is None:
        sample = _head(examples, SELECTION_SAMPLE)
        epoch = Panel(sample, loss, factor, None, 0, weight)
        final = Panel(sample, loss, factor, criterion, calibration, weight)
        return _Panels(train, epoch, final, "train")
    other = _examples(settings, _ready(validation), scaler)
    first = min(CRITERION_SAMPLE, calibration)
    epoch = Panel(other, loss, factor, criterion, first, weight)
    final = Panel(other, loss, factor, criterion, calibration, weight)
    return _Panels(train, epoch, final, "validation")


def _head(examples: Examples, count: int) -> Examples:
    weights = None if examples.weights is None else examples.weights[:count]
    return Examples(examples.features[:count], examples.labels[:count], weights)


def _won(settings: Settings, stack: Stack, number: int) -> dict[str, Any]:
    """The winner's hyperparameters, as AWS's jobs name them."""
    won: dict[str, Any] = {
        "optimizer": settings.optimizer,
        "learning_rate": float(stack.learning_rate[number]),
        "l1": float(stack.l1[number]),
        "wd": float(stack.wd[number]),
        "lr_scheduler_step": int(stack.scheduler_step[number]),
        "lr_scheduler_factor": float(stack.scheduler_factor[number]),
        "lr_scheduler_minimum_lr": float(stack.scheduler_minimum[number]),
    }
    if settings.predictor_type == "binary_classifier":
        won["positive_example_weight_mult"] = float(stack.positive_weight[number])
    return won
