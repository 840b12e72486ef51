"""Quality of predictions: the scores that linear-learner's jobs report.

Knows predictions and labels only. Sources: the metrics table of AWS's page "Tune a linear learner
model" for the names; standard definitions for the values (macro averages over the classes that
occur; ROC AUC by ranks, ties counted half).
"""

import numpy as np

from studio.algorithms.linear_learner.losses import Array

Scores = dict[str, float]


def binary(score: Array, predicted: Array, label: Array, beta: float) -> Scores:
    """Scores of 0/1 predictions; `score` orders the examples."""
    positive, chosen = label == 1, predicted == 1
    hits = float(np.sum(positive & chosen))
    precision = hits / max(1.0, float(np.sum(chosen)))
    recall = hits / max(1.0, float(np.sum(positive)))
    specificity = float(np.sum(~positive & ~chosen)) / max(1.0, float(np.sum(~positive)))
    return {
        "binary_classification_accuracy": float(np.mean(positive == chosen)),
        f"binary_f_{beta:.3f}": float(f_beta(np.asarray(precision), np.asarray(recall), beta)),
        "precision": precision,
        "recall": recall,
        "roc_auc_score": roc_auc(score, label),
        "binary_balanced_accuracy": (recall + specificity) / 2,
    }


def multiclass(score: Array, label: Array, beta: float, top: int) -> Scores:
    """Scores of class scores `(K, N)` against labels `(N,)`."""
    classes, count = score.shape
    own = score[label, np.arange(count)]
    rank = np.sum(score > own, axis=0)
    predicted = score.argmax(axis=0)
    hits = np.bincount(label[predicted == label], minlength=classes).astype(float)
    actual = np.bincount(label, minlength=classes)
    chosen = np.bincount(predicted, minlength=classes)
    seen = actual > 0
    recall = hits[seen] / actual[seen]
    precision = hits[seen] / np.maximum(chosen[seen], 1)
    return {
        "multiclass_accuracy": float(np.mean(predicted == label)),
        f"multiclass_top_k_accuracy_{top}": float(np.mean(rank < top)),
        "dcg": float(np.mean(1 / np.log2(rank + 2.0))),
        "macro_recall": float(recall.mean()),
        "macro_precision": float(precision.mean()),
        f"macro_f_{beta:.3f}": float(f_beta(precision, recall, beta).mean()),
        "multiclass_balanced_accuracy": float(recall.mean()),
    }


def regression(prediction: Array, label: Array) -> Scores:
    """Errors of predictions in the label's unit."""
    error = prediction.astype(np.float64) - label
    square = float(np.mean(error**2))
    spread = float(np.var(label, dtype=np.float64))
    return {
        "mse": square,
        "absolute_loss": float(np.mean(np.abs(error))),
        "rmse": square**0.5,
        "r2": 1 - square / spread if spread > 0 else 0.0,
    }


def f_beta(precision: Array, recall: Array, beta: float) -> Array:
    """The weighted harmonic mean of precision and recall; 0 where both are 0."""
    below = beta**2 * precision + recall
    return np.asarray((1 + beta**2) * precision * recall / np.where(below > 0, below, 1.0))


def roc_auc(score: Array, label: Array) -> float:
    """The chance that a positive example is ranked above a negative one; 0.5 without both kinds."""
    positives = int(np.sum(label == 1))
    negatives = label.size - positives
    if not positives or not negatives:
        return 0.5
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    total = float(rank[place][label == 1].sum())
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def is_loss(name: str) -> bool:
    """Whether smaller is better, as the log lines tell: `<loss>` or `<score>`."""
    return name.endswith(("_objective", "_loss")) or name in ("mse", "rmse")
