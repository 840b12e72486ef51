"""The hyperparameters of each of the models that are trained together.

Model 0 has the given values, with `auto` replaced by a sensible one; the others are variations of
it: wide where the value was `auto`, close where it was given, none where it was given as 0.
"""

from dataclasses import dataclass

import numpy as np

from studio.algorithms.linear_learner.losses import Array
from studio.algorithms.linear_learner.solver import Stack

DECAYS = 100
"""How many times an automatic schedule lowers the learning rate."""
TRAVEL = 3.0
"""How far an adaptive optimiser must be able to carry a normalised weight during the job."""


@dataclass(frozen=True)
class Asked:
    """What the job asked for; None is `auto`."""

    learning_rate: float | None = None
    wd: float | None = None
    l1: float | None = None
    use_lr_scheduler: bool = True
    lr_scheduler_step: int | None = None
    lr_scheduler_factor: float | None = None
    lr_scheduler_minimum_lr: float | None = None
    positive_weight: float | None = 1.0


@dataclass(frozen=True)
class Automatic:
    """What `auto` means for this job's data.

    `l1` is the largest penalty worth a trial, `balance` the weight that balances two classes.
    `validated` says that data which no model saw will choose: only those can choose a penalty,
    since the training loss is always least without one.
    """

    learning_rate: float
    wd: float
    l1: float
    balance: float
    validated: bool


def adaptive_rate(steps: int) -> float:
    """The automatic learning rate of adam and rmsprop, whose steps are about as long as the rate.

    With normalised data the weights lie within a few units of 0: the rate is what covers `TRAVEL`
    in `steps` steps of the automatic schedule, within bounds that training stays stable in.
    """
    last = final_rate(steps)
    mean = (1 - last) / -np.log(last)
    return float(np.clip(TRAVEL / (mean * steps), 0.02, 0.4))


def final_rate(steps: int) -> float:
    """What an automatic schedule leaves of the learning rate in the last epoch.

    The more steps there are, the more precisely they can end; a short job needs its steps to
    travel.
    """
    return float(1 / np.clip(steps / 2, 30, 300))


def gradient_rate(features: Array, curvature: float, batch_size: int) -> float:
    """The automatic learning rate of sgd: the inverse of the steepest curvature of a batch's loss.

    `features` `(n, D)` is a sample. A batch of B examples has the curvature of the whole plus
    1/B of that of one example.
    """
    wide = features.astype(np.float64)
    length = float(np.mean(np.sum(np.square(wide), axis=1)))
    steepest = float(np.linalg.norm(wide, 2)) ** 2 / len(wide)
    return float(min(1.0, 1.0 / (curvature * (steepest + length / batch_size))))


def memory(steps: int) -> float:
    """The automatic beta_1: the usual 0.9, less in a job so short that it would overshoot."""
    return float(np.clip(1 - 10 / steps, 0.5, 0.9))


def make(asked: Asked, automatic: Automatic, models: int, steps: int) -> Stack:
    """The stack of `models` models for a job of `steps` steps."""
    rate = asked.learning_rate or automatic.learning_rate
    rates = _around(rate, models, 0, _WIDE_RATE if asked.learning_rate is None else _CLOSE)
    step = asked.lr_scheduler_step or max(1, steps // DECAYS)
    factor = asked.lr_scheduler_factor or final_rate(steps) ** (step / max(step, steps))
    floor = asked.lr_scheduler_minimum_lr or np.minimum(1e-5, rates)
    return Stack(
        learning_rate=rates,
        wd=_wd(asked.wd, automatic, models),
        l1=_l1(asked.l1, automatic, models),
        scheduler_step=np.full(models, step),
        scheduler_factor=np.full(models, factor if asked.use_lr_scheduler else 1.0),
        scheduler_minimum=np.full(models, floor),
        positive_weight=_positive(asked.positive_weight, automatic.balance, models),
    )


_CLOSE = (0.5, 2.0)
_WIDE_RATE = (0.1, 2.0)
_WIDE_WD = (0.01, 1000.0)
_WIDE_L1 = (1e-4, 1.0)
_BASES = (2, 3, 5)


def _wd(asked: float | None, automatic: Automatic, models: int) -> Array:
    wide = asked is None and automatic.validated
    value = automatic.wd if asked is None else asked
    return _around(value, models, 1, _WIDE_WD if wide else _CLOSE)


def _l1(asked: float | None, automatic: Automatic, models: int) -> Array:
    """Automatic: none, and with validation a penalty for every other model."""
    if asked is not None:
        return _around(asked, models, 2, _CLOSE)
    if not automatic.validated:
        return np.zeros(models)
    out = _around(automatic.l1, models, 2, _WIDE_L1)
    out[::2] = 0.0
    return out


def _positive(asked: float | None, balance: float, models: int) -> Array:
    """Automatic: thirds of the models with no weight, the balancing one, and halfway."""
    if asked is not None:
        return np.full(models, asked)
    return np.resize([1.0, balance, balance**0.5], models)


def _around(value: float, models: int, dimension: int, factors: tuple[float, float]) -> Array:
    """`value` for model 0 and `value` times factors, even on a logarithmic scale, for the others.

    The points are a Halton sequence, one base for each hyperparameter that varies: they fill the
    space of variations evenly however many models there are.
    """
    low, high = factors
    points = np.array([_radical_inverse(model, _BASES[dimension]) for model in range(models)])
    out = value * low * (high / low) ** points
    out[0] = value
    return np.asarray(out)


def _radical_inverse(index: int, base: int) -> float:
    out, digit = 0.0, 1.0 / base
    while index:
        index, remainder = divmod(index, base)
        out += remainder * digit
        digit /= base
    return out
