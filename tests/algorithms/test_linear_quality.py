"""Fits that converge: against closed forms, linear programs and scikit-learn, which is imported
where it is needed: it takes two seconds, of every process that collects tests."""

import numpy as np
import pytest
from scipy import sparse

from studio.algorithms.base import UserError
from studio.algorithms.linear_learner import fitting
from studio.algorithms.linear_learner.fitting import Fit, Table
from studio.algorithms.linear_learner.settings import read


class Silent:
    """A journal that keeps nothing."""

    def started(self, *values: object) -> None: ...

    def epoch(self, *values: object) -> None: ...

    def stopped(self) -> bool:
        return False


def fit(hyperparameters: dict[str, object], *tables: tuple) -> Fit:
    given = {name: str(value) for name, value in hyperparameters.items()}
    ready = [
        Table(x if sparse.issparse(x) else np.asarray(x, np.float32), np.asarray(y, np.float32))
        for x, y in tables
    ]
    validation = ready[1] if len(ready) > 1 else None
    return fitting.fit(read(given), ready[0], validation, Silent())


def salaries(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Thirty people: years of experience, and a salary that rises with them."""
    rng = np.random.default_rng(seed)
    years = rng.uniform(1, 11, (30, 1)).round(1)
    return years, 25_800 + 9_450 * years[:, 0] + rng.normal(0, 5_600, 30)


@pytest.mark.parametrize("models", [32, 1])
@pytest.mark.parametrize("seed", range(4))
def test_five_epochs_on_a_few_rows(seed: int, models: int) -> None:
    """24 rows in batches of 5: 25 steps must come within 2 % of the least absolute loss."""
    from sklearn.linear_model import LinearRegression, QuantileRegressor

    years, salary = salaries(seed)
    asked = {
        "feature_dim": 1,
        "predictor_type": "regressor",
        "mini_batch_size": 5,
        "epochs": 5,
        "num_models": models,
        "loss": "absolute_loss",
    }
    fitted = fit(asked, (years[:24], salary[:24])).model
    peer = QuantileRegressor(quantile=0.5, alpha=0).fit(years[:24], salary[:24])
    least = np.abs(peer.predict(years[:24]) - salary[:24]).mean()
    ours = np.abs(fitted.score(years[:24]) - salary[:24]).mean()
    assert ours <= least * (1.02 if models > 1 else 1.05)
    np.testing.assert_allclose(
        fitted.score(years[24:]),
        LinearRegression().fit(years, salary).predict(years[24:]),
        rtol=0.2,
    )


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_least_squares(optimizer: str) -> None:
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import LinearRegression

    features, labels = load_diabetes(return_X_y=True)
    asked = {"predictor_type": "regressor", "mini_batch_size": 50, "optimizer": optimizer}
    fitted = fit(asked, (features, labels)).model
    peer = LinearRegression().fit(features, labels)
    least = np.mean((peer.predict(features) - labels) ** 2)
    assert np.mean((fitted.score(features) - labels) ** 2) < 1.02 * least


def test_quantiles() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3000, 2))
    labels = features @ [3.0, -1.0] + rng.exponential(2.0, 3000)
    for quantile in (0.1, 0.5, 0.9):
        asked = {
            "predictor_type": "regressor",
            "loss": "quantile_loss",
            "quantile": quantile,
            "mini_batch_size": 100,
        }
        fitted = fit(asked, (features, labels)).model
        assert np.mean(labels < fitted.score(features)) == pytest.approx(quantile, abs=0.02)


def test_huber_and_absolute_loss_ignore_outliers() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(1000, 1))
    labels = 2 * features[:, 0] + 1 + rng.normal(0, 0.1, 1000)
    labels[:50] += 500
    for loss in ("huber_loss", "absolute_loss"):
        asked = {"predictor_type": "regressor", "loss": loss, "mini_batch_size": 100, "epochs": 40}
        fitted = fit(asked, (features, labels)).model
        assert fitted.weights[0, 0] == pytest.approx(2, abs=0.1)
        assert fitted.bias[0] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_breast_cancer(loss: str) -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = load_breast_cancer(return_X_y=True)
    ours, theirs = [], []
    for seed in range(4):
        x, x_test, y, y_test = train_test_split(features, labels, test_size=0.3, random_state=seed)
        x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.3, random_state=seed)
        peer = make_pipeline(StandardScaler(), LogisticRegression()).fit(x_train, y_train)
        theirs.append(peer.score(x_test, y_test))
        asked = {"predictor_type": "binary_classifier", "loss": loss, "mini_batch_size": 50}
        fitted = fit(asked, (x_train, y_train), (x_val, y_val)).model
        ours.append(np.mean(fitted.label(fitted.score(x_test)) == y_test))
    assert np.mean(ours) > np.mean(theirs) - 0.015


def test_digits() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels = load_digits(return_X_y=True)
    ours, theirs = [], []
    for seed in range(3):
        x, x_test, y, y_test = train_test_split(features, labels, test_size=0.3, random_state=seed)
        x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2, random_state=seed)
        peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        theirs.append(peer.fit(x_train, y_train).score(x_test, y_test))
        asked = {
            "predictor_type": "multiclass_classifier",
            "num_classes": 10,
            "mini_batch_size": 100,
        }
        fitted = fit(asked, (x_train, y_train), (x_val, y_val)).model
        ours.append(np.mean(fitted.label(fitted.score(x_test)) == y_test))
    assert np.mean(ours) > np.mean(theirs) - 0.015


def unbalanced(seed: int, rows: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 4))
    score = features @ [1.0, 0.5, 0.0, -1.0] - 3.0
    return features, (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(float)


def rates(fitted: object, features: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    predicted = fitted.label(fitted.score(features))  # type: ignore[attr-defined]
    hits = np.sum((predicted == 1) & (labels == 1))
    return hits / max(predicted.sum(), 1), hits / labels.sum()


def test_targets_are_met_on_validation() -> None:
    train, validation = unbalanced(0), unbalanced(1)
    base = {"predictor_type": "binary_classifier", "mini_batch_size": 200}
    name = "binary_classifier_model_selection_criteria"
    fitted = fit(
        base | {name: "precision_at_target_recall", "target_recall": 0.9}, train, validation
    )
    precision, recall = rates(fitted.model, *validation)
    assert 0.9 <= recall < 0.93
    fitted = fit(
        base | {name: "recall_at_target_precision", "target_precision": 0.6}, train, validation
    )
    precision, recall = rates(fitted.model, *validation)
    assert precision >= 0.6
    assert recall > 0.08
    plain = fit(base | {name: "loss_function"}, train, validation)
    assert plain.model.threshold == 0.5
    f1 = fit(base | {name: "f1"}, train, validation)
    assert f1.model.threshold < 0.45


def test_positive_examples_can_be_weighed() -> None:
    train = unbalanced(0)
    base = {
        "predictor_type": "binary_classifier",
        "mini_batch_size": 200,
        "binary_classifier_model_selection_criteria": "loss_function",
        "num_models": 4,
    }
    recalls = [
        rates(fit(base | {"positive_example_weight_mult": weight}, train).model, *train)[1]
        for weight in (0.2, 1.0, "balanced")
    ]
    assert recalls[0] < recalls[1] < recalls[2]
    assert recalls[2] > 0.7
    assert fit(base | {"positive_example_weight_mult": "auto"}, train).model.threshold == 0.5


def test_rare_classes_can_be_balanced() -> None:
    rng = np.random.default_rng(2)
    labels = rng.choice(3, 6000, p=[0.9, 0.07, 0.03])
    features = rng.normal(size=(6000, 3)) + 1.2 * np.eye(3)[labels]
    recalls = []
    for balance in ("false", "true"):
        asked = {
            "predictor_type": "multiclass_classifier",
            "num_classes": 3,
            "mini_batch_size": 200,
            "balance_multiclass_weights": balance,
            "num_models": 4,
        }
        fitted = fit(asked, (features, labels)).model
        predicted = fitted.label(fitted.score(features))
        recalls.append(np.mean([np.mean(predicted[labels == k] == k) for k in range(3)]))
    assert recalls[1] > recalls[0] + 0.1


def test_validation_chooses_a_penalty() -> None:
    """Few rows, many features of noise: without a penalty the fit would be of the noise."""
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(3)
    features = rng.normal(size=(460, 80))
    labels = features[:, 0] * 2 + rng.normal(0, 1, 460)
    asked = {"predictor_type": "regressor", "mini_batch_size": 20, "epochs": 30}
    fitted = fit(asked, (features[:100], labels[:100]), (features[100:260], labels[100:260])).model
    peer = LinearRegression().fit(features[:100], labels[:100])
    unseen = slice(260, None)
    ours = np.mean((fitted.score(features[unseen]) - labels[unseen]) ** 2)
    theirs = np.mean((peer.predict(features[unseen]) - labels[unseen]) ** 2)
    assert ours < 0.6 * theirs


def test_wide_sparse_data_stay_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "DENSE_LIMIT", 0)
    rng = np.random.default_rng(4)
    features = sparse.random(2000, 500, 0.05, random_state=4, format="csr", dtype=np.float32)
    truth = rng.normal(size=500)
    labels = features @ truth
    asked = {"predictor_type": "regressor", "mini_batch_size": 50, "epochs": 30, "num_models": 4}
    fitted = fit(asked, (features, labels)).model
    error = np.mean((fitted.score(features) - labels) ** 2)
    assert error < 0.05 * labels.var()


def test_a_constant_column_and_a_constant_label() -> None:
    features = np.column_stack([np.full(40, 3.0), np.linspace(0, 1, 40)])
    asked = {"predictor_type": "regressor", "mini_batch_size": 10, "num_models": 2}
    fitted = fit(asked, (features, np.full(40, 7.0))).model
    np.testing.assert_allclose(fitted.score(features), 7.0, atol=0.3)


def test_jobs_repeat_exactly() -> None:
    data = unbalanced(0, 500)
    asked = {"predictor_type": "binary_classifier", "mini_batch_size": 50, "num_models": 3}
    first, second = fit(asked, data).model, fit(asked, data).model
    np.testing.assert_array_equal(first.weights, second.weights)


def test_many_weights_mean_fewer_models(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    class Counting(Silent):
        def started(self, *values: object) -> None:
            counts.append(values[2].count)  # type: ignore[attr-defined]

    monkeypatch.setattr(fitting, "WEIGHTS_LIMIT", 100)
    data = Table(np.ones((10, 9), np.float32), np.arange(10, dtype=np.float32))
    fitting.fit(
        read({"predictor_type": "regressor", "mini_batch_size": "5"}), data, None, Counting()
    )
    assert counts == [10]


def test_training_that_diverges_is_the_customers_to_mend() -> None:
    features = np.linspace(-1, 1, 100)[:, None] * 1e20
    asked = {
        "predictor_type": "regressor",
        "mini_batch_size": 10,
        "num_models": 2,
        "optimizer": "sgd",
        "learning_rate": 10,
        "normalize_data": "false",
    }
    with pytest.raises(UserError, match="Training diverged"):
        fit(asked, (features, features[:, 0] * 3))
