import re
import subprocess
import sys

import numpy as np
import pytest
import xgboost
from waiting import PATIENCE_SECONDS

from studio.algorithms.xgboost import IMAGE
from studio.algorithms.xgboost.metrics import custom_metric

_LABELS = np.array([0, 0, 0, 1, 1, 2], np.float32)
_GUESSES = np.array([0, 1, 0, 1, 2, 1], np.float32)


def _evaluate(name: str, labels: np.ndarray, predictions: np.ndarray, objective: str) -> float:
    evaluate = custom_metric([name], objective)
    assert evaluate is not None
    matrix = xgboost.DMatrix(np.zeros((len(labels), 1)), label=labels)
    ((found, value),) = evaluate(predictions, matrix)
    assert found == name
    return value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", 3 / 6),
        ("balanced_accuracy", (2 / 3 + 1 / 2 + 0) / 3),
        ("precision_macro", (1 + 1 / 3 + 0) / 3),
        ("recall_macro", (2 / 3 + 1 / 2 + 0) / 3),
        ("f1", (4 / 5 + 2 / 5 + 0) / 3),
        ("f1_macro", (4 / 5 + 2 / 5 + 0) / 3),
        ("precision_micro", 3 / 6),
        ("recall_micro", 3 / 6),
    ],
)
def test_metrics_of_classes(name: str, expected: float) -> None:
    assert _evaluate(name, _LABELS, _GUESSES, "multi:softmax") == pytest.approx(expected)
    scores = np.eye(3, dtype=np.float32)[_GUESSES.astype(int)]
    assert _evaluate(name, _LABELS, scores, "multi:softprob") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("accuracy", 0.5), ("precision", 2 / 3), ("recall", 1 / 2), ("f1_binary", 4 / 7)],
)
def test_metrics_of_the_positive_class(name: str, expected: float) -> None:
    labels = np.array([1, 1, 1, 1, 0, 0], np.float32)
    scores = np.array([0.9, 0.8, 0.2, 0.3, 0.6, 0.4], np.float32)
    assert _evaluate(name, labels, scores, "binary:logistic") == pytest.approx(expected)
    assert _evaluate(name, labels, scores - 0.5, "binary:logitraw") == pytest.approx(expected)


def test_nothing_predicted_is_zero_not_a_division() -> None:
    zeros = np.zeros(3, np.float32)
    assert _evaluate("precision", np.ones(3, np.float32), zeros, "binary:logistic") == 0


def test_metrics_of_values() -> None:
    labels = np.array([1, 2, 3], np.float32)
    guesses = np.array([1, 2, 5], np.float32)
    assert _evaluate("mse", labels, guesses, "reg:squarederror") == pytest.approx(4 / 3)
    assert _evaluate("r2", labels, guesses, "reg:squarederror") == pytest.approx(-1.0)


def test_the_image_is_found_without_importing_what_is_heavy() -> None:
    script = (
        "import sys; from studio.algorithms.xgboost import IMAGE; "
        "print(sorted({'numpy', 'xgboost', 'scipy', 'uvloop'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout.strip() == "[]"
    assert len(IMAGE.metrics) <= 40
    regex = dict(IMAGE.metrics)["validation:auc"]
    found = re.search(regex, "[3]#011train-auc:0.9#011validation-auc:0.8125#011validation-f1:0.7")
    assert found is not None
    assert found.group(1) == "0.8125"
    assert IMAGE.entrypoint("1.7-1")[1:] == ("-P", "-m", IMAGE.module, "--tag", "1.7-1")
