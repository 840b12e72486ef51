"""Statistics of a test that may be looked at whenever one likes: the mixture sequential probability
ratio test of two means, with its confidence sequence.

Johari, Koomen, Pekelis and Walsh, "Always Valid Inference: Continuous Monitoring of A/B Tests",
Operations Research 70 (2022). Pure: numbers in, numbers out; docs/explanation/always-valid-tests.md
has the formulas in words.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

FEWEST = 100
"""Values of each arm before anything is said: the test takes their mean for normal."""

_CONCENTRATION = 1_000.0
_MOST_TIMES = 1e6


@dataclass(frozen=True)
class Sample:
    """What is known of the values of an arm. `binary`: each is 0 or 1."""

    count: int
    total: float
    squares: float
    binary: bool = False

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Of one value. Of 0 and 1 never nought: one more of each is taken for seen."""
        if self.binary:
            share = (self.total + 1) / (self.count + 2)
            return share * (1 - share)
        if self.count < 2:
            return 0.0
        spread = self.squares - self.total * self.total / self.count
        return max(spread, 0.0) / (self.count - 1)


@dataclass(frozen=True)
class Effect:
    """A difference with its confidence sequence, and its always-valid p-value."""

    estimate: float
    low: float
    high: float
    p_value: float


def evidence(estimate: Any, variance: Any, tau: Any) -> Any:
    """Logarithm of the likelihood ratio of a difference that is normal around 0 with the standard
    deviation `tau`, to no difference; of numbers or arrays.

    `variance` is that of the estimate. Without a difference its exponential is a martingale of
    mean 1: it reaches 1/alpha at any time with a probability of alpha at the most.
    """
    total = variance + tau**2
    return 0.5 * np.log(variance / total) + (tau * estimate) ** 2 / (2 * variance * total)


def radius(variance: Any, tau: Any, alpha: float) -> Any:
    """Half the width of the confidence sequence: the differences for which `evidence` has not
    reached 1/alpha; of numbers or arrays."""
    total = variance + tau**2
    return np.sqrt(variance * total / tau**2 * (np.log(total / variance) - 2 * math.log(alpha)))


def compared(
    control: Sample, treatment: Sample, tau: float, alpha: float, factor: float = 1.0
) -> Effect | None:
    """The mean of `treatment` less `factor` times that of `control`; None of too few values, or of
    values that are all the same."""
    if min(control.count, treatment.count) < FEWEST:
        return None
    variance = _variance(control, treatment, factor)
    if variance <= 0:
        return None
    estimate = treatment.mean - factor * control.mean
    half = float(radius(variance, tau, alpha))
    p_value = min(1.0, math.exp(-float(evidence(estimate, variance, tau))))
    return Effect(estimate, estimate - half, estimate + half, p_value)


def left(control: Sample, treatment: Sample, tau: float, alpha: float, power: float) -> int | None:
    """How many values more, of both arms, find a difference of `tau` with that probability; None
    while nothing is known."""
    if min(control.count, treatment.count) < FEWEST:
        return None
    variance = _variance(control, treatment, 1.0)
    if variance <= 0:
        return None
    beyond = NormalDist().inv_cdf(power)

    def enough(times: float) -> bool:
        then = variance / times
        return tau - beyond * math.sqrt(then) >= float(radius(then, tau, alpha))

    low, high = 1.0, 1.0
    while not enough(high) and high < _MOST_TIMES:
        low, high = high, 2 * high
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return math.ceil((high - 1) * (control.count + treatment.count)) if high > 1 else 0


def imbalance(control: int, treatment: int, share: float) -> float:
    """Always-valid p-value of requests that were shared out as the weights say: `share` of those of
    both arms are the treatment's.

    Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022.
    """
    a, b = _CONCENTRATION * share, _CONCENTRATION * (1 - share)
    mixed = _log_beta(a + treatment, b + control) - _log_beta(a, b)
    plain = treatment * math.log(share) + control * math.log1p(-share)
    return min(1.0, math.exp(min(plain - mixed, 0.0)))


def _variance(control: Sample, treatment: Sample, factor: float) -> float:
    """Of the difference of the means."""
    return treatment.variance / treatment.count + factor * factor * control.variance / control.count


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
