"""Thresholds, criteria and metrics, against brute force and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from studio.algorithms.linear_learner import losses, metrics
from studio.algorithms.linear_learner.judging import Panel
from studio.algorithms.linear_learner.losses import Shape
from studio.algorithms.linear_learner.selection import Criterion, calibrate
from studio.algorithms.linear_learner.solver import Examples


def brute_force(score: np.ndarray, label: np.ndarray) -> list[tuple[float, float, float]]:
    """(accuracy, precision, recall) at a threshold below, between and above all scores."""
    distinct = np.unique(score)
    cuts = [distinct[0] - 1, *((distinct[1:] + distinct[:-1]) / 2), distinct[-1] + 1]
    out = []
    for cut in cuts:
        chosen = score >= cut
        hits = np.sum(chosen & (label == 1))
        out.append(
            (
                float(np.mean(chosen == (label == 1))),
                float(hits / max(chosen.sum(), 1)),
                float(hits / max((label == 1).sum(), 1)),
            )
        )
    return out


def at(score: np.ndarray, label: np.ndarray, threshold: float) -> tuple[float, float, float]:
    chosen = (score >= threshold).astype(int)
    scores = metrics.binary(score, chosen, label, 1.0)
    return (
        scores["binary_classification_accuracy"],
        scores["precision"],
        scores["recall"],
    )


samples = st.integers(0, 10_000).map(
    lambda seed: (
        lambda rng: (lambda label: (np.round(rng.normal(size=label.size) + 0.8 * label, 1), label))(
            rng.integers(0, 2, rng.integers(2, 60))
        )
    )(np.random.default_rng(seed))
)


@given(samples)
@settings(max_examples=80, deadline=None)
def test_thresholds_are_optimal(sample: tuple[np.ndarray, np.ndarray]) -> None:
    score, label = sample
    table = brute_force(score, label)
    f2 = max(5 * p * r / (4 * p + r) if p + r > 0 else 0.0 for _, p, r in table)
    cut = calibrate(score, label, Criterion("f_beta", f_beta=2.0), 0.0)
    _, precision, recall = at(score, label, cut.threshold)
    assert cut.value == pytest.approx(f2)
    assert float(metrics.f_beta(np.array(precision), np.array(recall), 2.0)) == pytest.approx(f2)
    for name, target in (
        ("precision_at_target_recall", 0.7),
        ("recall_at_target_precision", 0.6),
    ):
        criterion = Criterion(name, target_recall=target, target_precision=target)
        cut = calibrate(score, label, criterion, 0.0)
        _, precision, recall = at(score, label, cut.threshold)
        if name == "precision_at_target_recall":
            feasible = [p for _, p, r in table if r >= target]
            held, measure = recall, precision
        else:
            feasible = [r for _, p, r in table if p >= target]
            held, measure = precision, recall
        if feasible:
            assert held >= target
            assert measure == pytest.approx(max(feasible))
            assert cut.value == pytest.approx(measure)
        else:
            assert cut.value < 0


@given(samples)
@settings(max_examples=80, deadline=None)
def test_accuracy_moves_the_threshold_only_for_a_clear_gain(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    score, label = sample
    cut = calibrate(score, label, Criterion("accuracy"), 0.0)
    now, before = at(score, label, cut.threshold)[0], at(score, label, 0.0)[0]
    assert cut.value == pytest.approx(now)
    if cut.threshold == 0.0:
        return
    moved = np.sum((score >= cut.threshold) != (score >= 0.0))
    assert (now - before) * label.size >= np.sqrt(moved) - 1e-6


def test_accuracy_finds_a_shifted_threshold() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 2000)
    score = rng.normal(size=2000) + 4 * label + 10
    cut = calibrate(score, label, Criterion("accuracy"), 0.0)
    assert cut.threshold == pytest.approx(12, abs=0.5)
    assert cut.value == pytest.approx(max(a for a, _, _ in brute_force(score, label)), abs=0.003)


def test_separable_scores_keep_the_neutral_threshold() -> None:
    score, label = np.array([-3.0, -1.0, 2.0, 5.0]), np.array([0, 0, 1, 1])
    for name in ("accuracy", "f1", "precision_at_target_recall", "recall_at_target_precision"):
        assert calibrate(score, label, Criterion(name), 0.0).threshold == 0.0


@pytest.mark.parametrize("label", [np.zeros(5, int), np.ones(5, int)])
def test_one_class_only(label: np.ndarray) -> None:
    score = np.array([0.1, -0.3, 0.2, 0.2, -1.0])
    for name in ("accuracy", "f1", "precision_at_target_recall", "recall_at_target_precision"):
        assert np.isfinite(calibrate(score, label, Criterion(name), 0.0).threshold)


def panel(criterion: Criterion | None, sample: int = 100) -> Panel:
    features = np.array([[-2.0], [-1.0], [1.0], [2.0]], np.float32)
    examples = Examples(features, np.array([0.0, 0.0, 1.0, 1.0], np.float32))
    return Panel(examples, losses.make("logistic", Shape()), 1.0, criterion, sample)


def test_election_prefers_the_criterion_then_the_loss() -> None:
    weights = np.array([[[-1.0]], [[0.5]], [[3.0]]], np.float32)
    for criterion in (Criterion("accuracy"), Criterion("f1"), None):
        number, threshold = panel(criterion).elect(weights, 0.5)
        assert (number, threshold) == (2, 0.5)


def test_election_within_the_noise_of_the_criterion_is_by_loss() -> None:
    """One example in forty more is noise; twenty more are not."""
    rng = np.random.default_rng(0)
    label = (np.arange(40) % 2).astype(np.float32)
    sign = 2 * label - 1
    lucky, steady, poor = 0.01 * sign, 3 * sign, 3 * sign * np.where(rng.random(40) < 0.5, 1, -1)
    lucky[:4] *= -1
    steady[:5] *= -1
    features = np.column_stack([lucky, steady, poor]).astype(np.float32)
    examples = Examples(features, label)
    chosen = Panel(examples, losses.make("logistic", Shape()), 1.0, Criterion("accuracy"), 40)
    weights = np.eye(3, dtype=np.float32)[:, None, :]
    costs = chosen(weights).cost
    assert costs[0] == pytest.approx(-36 / 40)
    assert costs[1] == pytest.approx(-35 / 40)
    assert chosen.elect(weights, 0.5)[0] == 1
    assert chosen.elect(weights[[0, 2]], 0.5)[0] == 0


def test_a_clearly_better_criterion_beats_a_lower_loss() -> None:
    label = (np.arange(100) % 2).astype(np.float32)
    sign = 2 * label - 1
    faint = 0.01 * sign
    bold = np.where(np.arange(100) < 60, 5 * sign, -0.1 * sign)
    examples = Examples(np.column_stack([faint, bold]).astype(np.float32), label)
    weights = np.eye(2, dtype=np.float32)[:, None, :]
    loss = losses.make("logistic", Shape())
    chosen = Panel(examples, loss, 1.0, Criterion("accuracy"), 100)
    assert chosen(weights).loss[1] < chosen(weights).loss[0]
    assert chosen.elect(weights, 0.5)[0] == 0
    assert Panel(examples, loss, 1.0, None, 0).elect(weights, 0.5)[0] == 1


def test_a_model_that_diverged_is_never_elected() -> None:
    weights = np.array([[[np.nan]], [[0.1]]], np.float32)
    for criterion in (None, Criterion("accuracy"), Criterion("f1")):
        assert panel(criterion)(weights).cost[0] == np.inf
        assert panel(criterion).elect(weights, 0.5)[0] == 1


def test_the_criterion_looks_at_its_sample_only() -> None:
    # On the first two examples, both of label 0, the model that says 0 to everything is right.
    weights = np.array([[[1.0]], [[-1.0]]], np.float32)
    assert panel(Criterion("accuracy"), sample=4)(weights).cost.tolist() == [-1.0, -0.5]
    assert panel(Criterion("accuracy"), sample=2)(weights).cost.tolist()[0] == -1.0


def test_weighted_loss() -> None:
    examples = panel(None).examples
    loss = losses.make("logistic", Shape())
    weights = np.array([[[0.3]]], np.float32)
    value = loss.value(np.array([[-0.6, -0.3, 0.3, 0.6]]), examples.labels)[0]
    expected = (value * [1, 1, 5, 5]).sum() / 12
    assert Panel(examples, loss, 1.0, None, 0, 5.0)(weights).loss[0] == pytest.approx(expected)


def test_binary_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 300)
    score = np.round(rng.random(300) * 0.7 + 0.3 * label, 2)
    predicted = (score > 0.5).astype(int)
    ours = metrics.binary(score, predicted, label, 0.5)
    assert ours == pytest.approx(
        {
            "binary_classification_accuracy": peer.accuracy_score(label, predicted),
            "binary_f_0.500": peer.fbeta_score(label, predicted, beta=0.5),
            "precision": peer.precision_score(label, predicted),
            "recall": peer.recall_score(label, predicted),
            "roc_auc_score": peer.roc_auc_score(label, score),
            "binary_balanced_accuracy": peer.balanced_accuracy_score(label, predicted),
        }
    )


def test_multiclass_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 5, 400)
    score = rng.random((5, 400))
    score[label, np.arange(400)] += 0.4
    predicted = score.argmax(axis=0)
    ours = metrics.multiclass(score, label, 1.0, 2)
    assert ours["multiclass_accuracy"] == pytest.approx(peer.accuracy_score(label, predicted))
    assert ours["multiclass_top_k_accuracy_2"] == pytest.approx(
        peer.top_k_accuracy_score(label, score.T, k=2)
    )
    truth = np.eye(5)[label]
    assert ours["dcg"] == pytest.approx(peer.dcg_score(truth, score.T))
    assert ours["macro_recall"] == pytest.approx(
        peer.recall_score(label, predicted, average="macro")
    )
    assert ours["macro_precision"] == pytest.approx(
        peer.precision_score(label, predicted, average="macro")
    )
    assert ours["macro_f_1.000"] == pytest.approx(peer.f1_score(label, predicted, average="macro"))


def test_regression_metrics_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    label, prediction = rng.normal(size=90), rng.normal(size=90)
    ours = metrics.regression(prediction, label)
    assert ours["mse"] == pytest.approx(peer.mean_squared_error(label, prediction))
    assert ours["absolute_loss"] == pytest.approx(peer.mean_absolute_error(label, prediction))
    assert ours["r2"] == pytest.approx(peer.r2_score(label, prediction))
    assert ours["rmse"] == pytest.approx(ours["mse"] ** 0.5)
