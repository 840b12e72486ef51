"""Values, gradients and minimisers of the loss functions, and the steps of the optimisers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.algorithms.linear_learner import LOSSES, losses
from studio.algorithms.linear_learner.losses import Shape, make
from studio.algorithms.linear_learner.optimizers import Optimizer, Recipe

SCALARS = [name for names in LOSSES.values() for name in names if name != "softmax_loss"]
SHAPE = Shape(margin=0.8, quantile=0.3, huber_delta=0.7, loss_insensitivity=0.25)


@pytest.mark.parametrize("name", SCALARS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_gradient_is_the_derivative_of_the_value(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss = make(name, SHAPE)
    z = rng.normal(0, 2, (3, 40))
    binary = name in LOSSES["binary_classifier"]
    y = rng.integers(0, 2, 40).astype(float) if binary else rng.normal(0, 2, 40)
    step = 1e-5
    difference = (loss.value(z + step, y) - loss.value(z - step, y)) / (2 * step)
    # A kink within the step has no derivative.
    smooth = np.abs(loss.value(z + step, y) + loss.value(z - step, y) - 2 * loss.value(z, y)) < 1e-8
    gradient = z.copy()
    loss.gradient(gradient, y)
    np.testing.assert_allclose(gradient[smooth], difference[smooth], atol=1e-4)
    assert smooth.mean() > 0.9


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_gradient_of_softmax(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss = make("softmax_loss", SHAPE)
    z, y = rng.normal(0, 3, (2, 4, 10)), rng.integers(0, 4, 10)
    gradient = z.copy()
    loss.gradient(gradient, y)
    for cell in ((0, 0, 0), (1, 3, 9), (0, 2, 5)):
        up, down = z.copy(), z.copy()
        up[cell] += 1e-5
        down[cell] -= 1e-5
        slope = (loss.value(up, y).sum() - loss.value(down, y).sum()) / 2e-5
        assert gradient[cell] == pytest.approx(slope, abs=1e-5)


def test_values_by_hand() -> None:
    z, y = np.array([[1.0, -2.0]]), np.array([1.0, 0.0])
    cases = {
        "logistic": [np.log(1 + np.exp(-1)), np.log(1 + np.exp(-2))],
        "hinge_loss": [0.0, 0.0],
        "squared_loss": [0.0, 4.0],
        "absolute_loss": [0.0, 2.0],
        "eps_insensitive_squared_loss": [0.0, 1.75**2],
        "eps_insensitive_absolute_loss": [0.0, 1.75],
        "quantile_loss": [0.0, 0.3 * 2],
        "huber_loss": [0.0, 0.7 * (2 - 0.35)],
    }
    for name, expected in cases.items():
        np.testing.assert_allclose(make(name, SHAPE).value(z, y)[0], expected, err_msg=name)


def test_parameters_in_the_unit_of_the_label() -> None:
    """A loss of normalised labels, times the unit, is the loss of raw ones."""
    rng = np.random.default_rng(0)
    z, y, unit = rng.normal(size=(1, 50)) * 9, rng.normal(size=50) * 9, 4.0
    for name in LOSSES["regressor"]:
        raw = make(name, SHAPE)
        normalised = make(name, SHAPE, unit)
        value = normalised.value(z / unit, y / unit) * unit**raw.degree
        np.testing.assert_allclose(value, raw.value(z, y), rtol=1e-9, atol=1e-12, err_msg=name)


def test_extreme_scores_stay_finite() -> None:
    with np.errstate(over="raise", invalid="raise"):
        z = np.array([[-1e4, 1e4, 0.0]], np.float32)
        y = np.array([1.0, 0.0, 1.0], np.float32)
        assert np.isfinite(make("logistic", SHAPE).value(z, y)).all()
        make("logistic", SHAPE).gradient(z, y)
        np.testing.assert_allclose(z, [[-1, 1, -0.5]])
        scores = np.array([[1e4], [-1e4]], np.float32)
        np.testing.assert_allclose(losses.softmax(scores)[:, 0], [1, 0])


@pytest.mark.parametrize(("name", "beta_1"), [("sgd", 0.0), ("adam", 0.9), ("rmsprop", 0.0)])
def test_optimisers_reach_a_minimum(name: str, beta_1: float) -> None:
    centre = np.array([[1.0, -2.0, 0.5]], np.float32)
    weights = np.zeros((1, 3), np.float32)
    optimizer = Optimizer(Recipe(name, beta_1, 0.99), weights.shape)
    for step in range(400):
        rate = np.full((1, 3), 0.1 * 0.98**step, np.float32)
        optimizer.step(weights, 2 * (weights - centre), rate, None)
    np.testing.assert_allclose(weights, centre, atol=0.01)


@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
def test_l1_makes_exact_zeros(name: str) -> None:
    """min (w - c)^2 + l1 |w| is c less l1 / 2, and 0 where |c| is smaller."""
    centre = np.array([[1.0, 0.2]], np.float32)
    weights = np.ones((1, 2), np.float32)
    optimizer = Optimizer(Recipe(name, 0.5, 0.9), weights.shape)
    l1 = np.full((1, 2), 0.6, np.float32)
    for step in range(600):
        rate = np.full((1, 2), 0.05 * 0.985**step, np.float32)
        optimizer.step(weights, 2 * (weights - centre), rate, l1)
    assert weights[0, 1] == 0.0
    assert weights[0, 0] == pytest.approx(0.7, abs=0.02)


def test_adam_is_the_published_algorithm() -> None:
    """Kingma and Ba, algorithm 1, for one weight."""
    rng = np.random.default_rng(3)
    gradients = rng.normal(size=6)
    weight = m = v = 0.0
    for t, gradient in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        weight -= 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
    weights = np.zeros((1, 1), np.float32)
    optimizer = Optimizer(Recipe(), weights.shape)
    for gradient in gradients:
        optimizer.step(
            weights, np.array([[gradient]], np.float32), np.full((1, 1), 0.1, np.float32), None
        )
    assert weights[0, 0] == pytest.approx(weight, rel=1e-4)
