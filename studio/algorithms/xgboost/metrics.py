"""The metrics that AWS's container adds to XGBoost's own, in NumPy."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import xgboost

Array = npt.NDArray[np.float64]
Evaluate = Callable[[npt.NDArray[np.float32], xgboost.DMatrix], list[tuple[str, float]]]


def custom_metric(
    names: Sequence[str], objective: str, gathered: Callable[[Array], Array] = lambda own: own
) -> Evaluate | None:
    """A function for `xgboost.train(custom_metric=...)` that computes `names`; None for none.

    It takes predictions as the objective gives them: probabilities, classes, margins or values.
    `gathered` puts the rows of all hosts together.
    """
    if not names:
        return None

    def evaluate(
        predictions: npt.NDArray[np.float32], matrix: xgboost.DMatrix
    ) -> list[tuple[str, float]]:
        labels = gathered(matrix.get_label().astype(np.float64))
        values = gathered(predictions.astype(np.float64))
        classes = _classes(values, objective) if set(names) & _OF_CLASSES.keys() else values
        return [
            (name, _OF_CLASSES[name](labels, classes) if name in _OF_CLASSES
             else _OF_VALUES[name](labels, values))
            for name in names
        ]  # fmt: skip

    return evaluate


def is_custom(name: str) -> bool:
    """Whether XGBoost itself does not have the metric."""
    return name in _OF_CLASSES or name in _OF_VALUES


def _classes(values: Array, objective: str) -> Array:
    if values.ndim == 2:
        return np.asarray(values.argmax(axis=1), np.float64)
    if objective in ("multi:softmax", "binary:hinge"):
        return values
    threshold = 0.0 if objective == "binary:logitraw" else 0.5
    return (values > threshold).astype(np.float64)


def _counts(labels: Array, classes: Array) -> tuple[Array, Array, Array]:
    """Per class that occurs: rows predicted right, rows predicted so, rows that are so."""
    values, codes = np.unique(np.concatenate([labels, classes]), return_inverse=True)
    truth, guess = codes[: len(labels)], codes[len(labels) :]
    size = len(values)
    hits = np.bincount(truth[truth == guess], minlength=size)
    return (
        hits.astype(np.float64),
        np.bincount(guess, minlength=size).astype(np.float64),
        np.bincount(truth, minlength=size).astype(np.float64),
    )


def _share(part: Array, whole: Array) -> Array:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _accuracy(labels: Array, classes: Array) -> float:
    return float((labels == classes).mean())


def _balanced_accuracy(labels: Array, classes: Array) -> float:
    hits, _, actual = _counts(labels, classes)
    return float((hits[actual > 0] / actual[actual > 0]).mean())


def _precision_macro(labels: Array, classes: Array) -> float:
    hits, predicted, _ = _counts(labels, classes)
    return float(_share(hits, predicted).mean())


def _recall_macro(labels: Array, classes: Array) -> float:
    hits, _, actual = _counts(labels, classes)
    return float(_share(hits, actual).mean())


def _f1_macro(labels: Array, classes: Array) -> float:
    hits, predicted, actual = _counts(labels, classes)
    return float(_share(2 * hits, predicted + actual).mean())


def _positives(labels: Array, classes: Array) -> Array:
    """[3, 1]: rows of class 1 predicted right, rows predicted so, rows that are so."""
    truth, guess = labels == 1, classes == 1
    return np.array([[(truth & guess).sum()], [guess.sum()], [truth.sum()]], np.float64)


def _precision(labels: Array, classes: Array) -> float:
    hits, predicted, _ = _positives(labels, classes)
    return float(_share(hits, predicted)[0])


def _recall(labels: Array, classes: Array) -> float:
    hits, _, actual = _positives(labels, classes)
    return float(_share(hits, actual)[0])


def _f1_binary(labels: Array, classes: Array) -> float:
    hits, predicted, actual = _positives(labels, classes)
    return float(_share(2 * hits, predicted + actual)[0])


def _mse(labels: Array, values: Array) -> float:
    return float(((labels - values) ** 2).mean())


def _r2(labels: Array, values: Array) -> float:
    spread = ((labels - labels.mean()) ** 2).sum()
    return float(1 - ((labels - values) ** 2).sum() / spread) if spread else 0.0


_OF_CLASSES: dict[str, Callable[[Array, Array], float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1_macro,
    "f1_binary": _f1_binary,
    "f1_macro": _f1_macro,
    "precision": _precision,
    "precision_macro": _precision_macro,
    # Micro averages over single-label classes are the accuracy.
    "precision_micro": _accuracy,
    "recall": _recall,
    "recall_macro": _recall_macro,
    "recall_micro": _accuracy,
}
_OF_VALUES: dict[str, Callable[[Array, Array], float]] = {"mse": _mse, "r2": _r2}
