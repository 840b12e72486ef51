"""The test may be looked at all the time: no more wrong verdicts than promised, and right ones."""

import math

import numpy as np
import pytest

from studio.experiments.sequential import (
    FEWEST,
    Sample,
    compared,
    evidence,
    imbalance,
    left,
    radius,
)

ALPHA, LOOKS, TESTS = 0.05, 200, 1_000


def found(rates: tuple[float, float], each: tuple[int, int], effect: float = 0.2) -> float:
    """Share of a thousand tests that find a difference at one of two hundred looks; `each`: values
    of control and treatment between two looks."""
    random = np.random.default_rng(7)
    counts = [np.arange(1, LOOKS + 1) * more for more in each]
    totals = [
        random.binomial(more, rate, (TESTS, LOOKS)).cumsum(axis=1)
        for rate, more in zip(rates, each, strict=True)
    ]
    first = int(np.argmax(np.minimum(*counts) >= FEWEST))
    shares = [(total + 1) / (count + 2) for total, count in zip(totals, counts, strict=True)]
    variance = sum(it * (1 - it) / count for it, count in zip(shares, counts, strict=True))
    tau = effect * np.maximum(totals[0][:, first] / counts[0][first], 1e-3)[:, None]
    difference = totals[1] / counts[1] - totals[0] / counts[0]
    ratio = evidence(difference, variance, tau)[:, first:]
    return float((ratio.max(axis=1) >= -math.log(ALPHA)).mean())


@pytest.mark.parametrize(
    ("rate", "each"),
    [(0.5, (50, 50)), (0.1, (50, 50)), (0.02, (50, 50)), (0.02, (90, 10)), (0.01, (10, 90))],
)
def test_who_looks_all_the_time_is_misled_as_seldom_as_promised(rate, each):
    assert found((rate, rate), each) <= ALPHA


def test_a_difference_is_found():
    assert found((0.10, 0.15), (50, 50)) > 0.99
    assert found((0.10, 0.13), (50, 50)) > 0.8


def test_an_ordinary_test_would_be_misled_by_looking():
    """What the house test is for: else the simulation would show nothing."""
    random = np.random.default_rng(7)
    values = random.normal(size=(TESTS, LOOKS)).cumsum(axis=1)
    z = np.abs(values / np.sqrt(np.arange(1, LOOKS + 1)))
    assert (z[:, 10:].max(axis=1) > 1.96).mean() > 0.25


def test_values_of_a_long_tail_do_not_mislead():
    random = np.random.default_rng(11)
    values = random.lognormal(0, 1, (2, TESTS, LOOKS, 10))
    count = 10 * np.arange(1, LOOKS + 1)
    means = values.sum(axis=3).cumsum(axis=2) / count
    spread = (values**2).sum(axis=3).cumsum(axis=2) / count - means**2
    variance = (spread / count).sum(axis=0)
    first = FEWEST // 10
    ratio = evidence(means[1] - means[0], variance, 0.1 * means[0][:, [first]])[:, first:]
    assert (ratio.max(axis=1) >= -math.log(ALPHA)).mean() <= ALPHA


def test_known_values():
    # V = 0.01, tau = 0.1: both variances are alike, so the ratio is sqrt(1/2) exp(x^2 / 0.04).
    assert evidence(0.2, 0.01, 0.1) == pytest.approx(0.5 * math.log(0.5) + 1.0)
    assert radius(0.01, 0.1, 0.05) == pytest.approx(
        math.sqrt(0.02 * (math.log(2) + 2 * math.log(20)))
    )


def test_the_confidence_sequence_is_what_the_evidence_does_not_refuse():
    half = radius(0.003, 0.05, ALPHA)
    assert evidence(half, 0.003, 0.05) == pytest.approx(-math.log(ALPHA))
    control, treatment = Sample(1_000, 200, 200, True), Sample(1_000, 260, 260, True)
    effect = compared(control, treatment, 0.04, ALPHA)
    assert effect.estimate == pytest.approx(0.06)
    assert (effect.low > 0) == (effect.p_value < ALPHA)
    at_its_end = compared(control, treatment, 0.04, effect.p_value)
    assert at_its_end.low == pytest.approx(0.0, abs=1e-9)


def test_of_too_little_nothing_is_said():
    few, many = Sample(99, 50, 50, True), Sample(1_000, 500, 500, True)
    assert compared(few, many, 0.1, ALPHA) is None
    assert left(few, many, 0.1, ALPHA, 0.8) is None
    same = Sample(1_000, 2_000.0, 4_000.0)
    assert compared(same, same, 0.1, ALPHA) is None


def test_as_many_values_as_are_left_find_the_least_effect_as_often_as_asked():
    arm = Sample(500, 50, 50, True)
    more = left(arm, arm, 0.02, ALPHA, 0.8)
    each = (1_000 + more) // 2 // LOOKS
    random = np.random.default_rng(3)
    counts = np.arange(1, LOOKS + 1) * each
    totals = random.binomial(each, [[[0.10]], [[0.12]]], (2, TESTS, LOOKS)).cumsum(axis=2)
    shares = totals / counts
    variance = (shares * (1 - shares) / counts).sum(axis=0) + 1e-12
    ratio = evidence(shares[1] - shares[0], variance, 0.02)
    assert 0.75 < (ratio.max(axis=1) >= -math.log(ALPHA)).mean() < 0.95
    assert left(Sample(10**6, 10**5, 10**5, True), arm, 0.2, ALPHA, 0.8) == 0


def test_requests_that_get_lost_are_noticed_and_others_are_not():
    random = np.random.default_rng(5)
    for share in (0.5, 0.1):
        drawn = random.binomial(50, share, (200, 40)).cumsum(axis=1)
        lowest = [
            min(imbalance(50 * (at + 1) - int(it), int(it), share) for at, it in enumerate(row))
            for row in drawn
        ]
        assert np.mean(np.array(lowest) < 0.05) <= 0.05
    assert imbalance(5_000, 5_000, 0.5) == 1.0
    assert imbalance(10_000, 9_000, 0.5) < 0.001
    assert imbalance(10**6, 0, 0.5) == 0.0
