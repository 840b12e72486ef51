"""The loss functions: value of each example, and gradient in the score, for many models at once.

Knows scores and labels only: no weights, no files, no hyperparameter strings.

Scores are `(M, B)` (M models, B examples) or, for softmax, `(M, K, B)` (K classes): examples are
the last axis, so that the labels, `(B,)`, broadcast along the contiguous one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Matrix = Any
"""Features, `(N, D)`: a NumPy array or a SciPy CSR matrix."""

OBJECTIVES = {
    "logistic": "binary_classification_cross_entropy_objective",
    "softmax_loss": "multiclass_cross_entropy_objective",
    "squared_loss": "mse_objective",
}
"""The names under which AWS's jobs report a loss; the others are `<loss>_objective`."""


@dataclass(frozen=True)
class Loss:
    """One loss with its parameters bound.

    `value(z, y)` gives the loss of each example; `gradient(z, y)` turns z into its derivative, in
    place. `curvature` bounds the second derivative in the score (a step size follows from it);
    `degree` says how a value grows with the label's unit: 1 linearly, 2 with its square.
    """

    name: str
    value: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], None]
    curvature: float
    degree: int = 0

    @property
    def objective(self) -> str:
        return OBJECTIVES.get(self.name, f"{self.name}_objective")


@dataclass(frozen=True)
class Shape:
    """The parameters that losses have; those in the label's unit are divided by `label_scale`."""

    margin: float = 1.0
    quantile: float = 0.5
    huber_delta: float = 1.0
    loss_insensitivity: float = 0.01


def make(name: str, shape: Shape, label_scale: float = 1.0) -> Loss:
    """The loss `name` on labels that were divided by `label_scale`."""
    factories: dict[str, Callable[[], Loss]] = {
        "logistic": _logistic,
        "hinge_loss": lambda: _hinge(shape.margin),
        "softmax_loss": _softmax,
        "squared_loss": _squared,
        "absolute_loss": _absolute,
        "eps_insensitive_squared_loss": lambda: _dead_zone_squared(
            shape.loss_insensitivity / label_scale
        ),
        "eps_insensitive_absolute_loss": lambda: _dead_zone_absolute(
            shape.loss_insensitivity / label_scale
        ),
        "quantile_loss": lambda: _quantile(shape.quantile),
        "huber_loss": lambda: _huber(shape.huber_delta / label_scale),
    }
    return factories[name]()


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)) in place, without overflow at either end."""
    z *= 0.5
    np.tanh(z, out=z)
    z += 1.0
    z *= 0.5
    return z


def softmax(z: Array) -> Array:
    """Softmax over the classes, axis -2, in place."""
    z -= z.max(axis=-2, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=-2, keepdims=True)
    return z


def _logistic() -> Loss:
    def gradient(z: Array, y: Array) -> None:
        sigmoid(z)
        z -= y

    return Loss("logistic", lambda z, y: np.logaddexp(0, z) - y * z, gradient, 0.25)


def _hinge(margin: float) -> Loss:
    def value(z: Array, y: Array) -> Array:
        return np.maximum(0, margin - (2 * y - 1) * z)

    def gradient(z: Array, y: Array) -> None:
        sign = 2 * y - 1
        z *= sign
        np.less(z, margin, out=z)
        z *= -sign

    return Loss("hinge_loss", value, gradient, 1.0)


def _softmax() -> Loss:
    def value(z: Array, y: Array) -> Array:
        top = z.max(axis=-2)
        normaliser = np.log(np.exp(z - top[..., None, :]).sum(axis=-2)) + top
        return np.asarray(normaliser - z[..., y, np.arange(y.size)])

    def gradient(z: Array, y: Array) -> None:
        softmax(z)
        z[..., y, np.arange(y.size)] -= 1.0

    return Loss("softmax_loss", value, gradient, 0.5)


def _squared() -> Loss:
    def gradient(z: Array, y: Array) -> None:
        z -= y
        z *= 2.0

    return Loss("squared_loss", lambda z, y: np.square(z - y), gradient, 2.0, 2)


def _absolute() -> Loss:
    def gradient(z: Array, y: Array) -> None:
        z -= y
        np.sign(z, out=z)

    return Loss("absolute_loss", lambda z, y: np.abs(z - y), gradient, 1.0, 1)


def _dead_zone_squared(width: float) -> Loss:
    def gradient(z: Array, y: Array) -> None:
        _excess(z, y, width)
        z *= 2.0

    def value(z: Array, y: Array) -> Array:
        return np.asarray(np.maximum(0, np.abs(z - y) - width) ** 2)

    return Loss("eps_insensitive_squared_loss", value, gradient, 2.0, 2)


def _dead_zone_absolute(width: float) -> Loss:
    def gradient(z: Array, y: Array) -> None:
        _excess(z, y, width)
        np.sign(z, out=z)

    def value(z: Array, y: Array) -> Array:
        return np.asarray(np.maximum(0, np.abs(z - y) - width))

    return Loss("eps_insensitive_absolute_loss", value, gradient, 1.0, 1)


def _excess(z: Array, y: Array, width: float) -> None:
    """z becomes the error less what the dead zone forgives."""
    z -= y
    z -= z.clip(-width, width)


def _quantile(quantile: float) -> Loss:
    def value(z: Array, y: Array) -> Array:
        return np.asarray(np.maximum(quantile * (y - z), (quantile - 1) * (y - z)))

    def gradient(z: Array, y: Array) -> None:
        np.greater(z, y, out=z)
        z -= quantile

    return Loss("quantile_loss", value, gradient, 1.0, 1)


def _huber(delta: float) -> Loss:
    def value(z: Array, y: Array) -> Array:
        error = np.abs(z - y)
        near = np.minimum(error, delta)
        return np.asarray(near * (error - near / 2))

    def gradient(z: Array, y: Array) -> None:
        z -= y
        z.clip(-delta, delta, out=z)

    return Loss("huber_loss", value, gradient, 1.0, 2)
