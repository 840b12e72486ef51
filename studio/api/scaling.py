"""How many instances a variant is to have: the arithmetic of scaling policies. Pure.

A policy that fires proposes a number. Of several the largest wins, both out and in, and nobody
scales in while a policy that tracks a target does not agree: as Application Auto Scaling has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor

from studio.db.resources import Doc

LOW_SHARE = 0.9
"""Below that share of its target a tracking policy may scale in."""

# Sums and products of floats: 3 * 0.1 / 0.1 is to be 3 instances, not 4.
_SLACK = 1e-9


@dataclass(frozen=True)
class Proposal:
    """What a policy that fires wants of the variant; `wanted` may be any number from 0 on."""

    policy: str
    cause: str
    wanted: int


@dataclass(frozen=True)
class Limits:
    least: int
    most: int

    def held(self, count: int) -> int:
        """The number of instances next to `count` that is within the limits."""
        return min(max(count, self.least), self.most)


@dataclass(frozen=True)
class Choice:
    """The proposal that wins, with its number within the limits; `reason`: why nothing changes, as
    AWS's codes say it, "" when something does."""

    proposal: Proposal
    count: int
    reason: str = ""


def tracked(current: int, value: float, target: float) -> int:
    """How many instances bring the metric from `value` to `target`, if it is shared among them."""
    return max(ceil(max(current, 1) * value / target - _SLACK), 0)


def adjusted(current: int, config: Doc, delta: float) -> int | None:
    """How many instances a step policy wants whose metric is `delta` off the threshold of its
    alarm; None when no step is for that."""
    step = next((it for it in config["StepAdjustments"] if _covers(it, delta)), None)
    if step is None:
        return None
    amount, kind = step["ScalingAdjustment"], config["AdjustmentType"]
    if kind == "ExactCapacity":
        return max(int(amount), 0)
    if kind == "PercentChangeInCapacity":
        amount = _of_percent(current * amount / 100)
        least = config.get("MinAdjustmentMagnitude", 0)
        if amount and abs(amount) < least:
            amount = least if amount > 0 else -least
    return max(current + int(amount), 0)


def chosen(
    current: int, limits: Limits, outs: Iterable[Proposal], ins: Iterable[Proposal]
) -> Choice | None:
    """What is done of these proposals; None when there are none."""
    larger = list(outs)
    proposals = larger or list(ins)
    if not proposals:
        return None
    best = max(proposals, key=lambda it: it.wanted)
    count = limits.held(best.wanted)
    if larger and count <= current:
        return Choice(best, current, "AlreadyAtMaxCapacity")
    if not larger and count >= current:
        return Choice(best, current, "AlreadyAtMinCapacity")
    return Choice(best, count)


def step_faults(config: Doc) -> str:
    """What is wrong with the steps of a policy, as a sentence; "" when nothing is."""
    bounds = [(_low(it), _high(it)) for it in config["StepAdjustments"]]
    if any(low >= high for low, high in bounds):
        return "MetricIntervalLowerBound must be less than MetricIntervalUpperBound"
    ordered = sorted(bounds)
    for (_, high), (low, _) in pairwise(ordered):
        if low < high:
            return "The step adjustments of a policy must not overlap"
        if low > high:
            return "There must be no gap between the step adjustments of a policy"
    return ""


def _covers(step: Doc, delta: float) -> bool:
    """A bound that the metric is at belongs to the step further from the threshold."""
    low, high = _low(step), _high(step)
    return low <= delta < high if delta > 0 or low == 0 else low < delta <= high


def _low(step: Doc) -> float:
    return float(step.get("MetricIntervalLowerBound", "-inf"))


def _high(step: Doc) -> float:
    return float(step.get("MetricIntervalUpperBound", "inf"))


def _of_percent(amount: float) -> int:
    """Towards nought, but never to nought."""
    if 0 < abs(amount) < 1:
        return 1 if amount > 0 else -1
    return floor(amount) if amount > 0 else ceil(amount)
