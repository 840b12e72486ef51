"""Training jobs as processes: the three types, their log lines, metrics, artifacts and errors."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import linear_jobs
import numpy as np
import pytest
from linear_jobs import csv, records, sparse_records, train
from waiting import PATIENCE_SECONDS

from studio.algorithms.linear_learner import IMAGE, model

RNG = np.random.default_rng(7)
FEATURES = RNG.normal([3, -50, 0.1], [1, 20, 0.02], (400, 3))
SCORE = (FEATURES - [3, -50, 0.1]) / [1, 20, 0.02] @ [1.0, -2.0, 0.5]
TYPES = {
    "regressor": (1000 * SCORE + 5000 + 100 * RNG.normal(size=400)).astype(np.float32),
    "binary_classifier": (SCORE + 0.3 * RNG.normal(size=400) > 0).astype(np.float32),
    "multiclass_classifier": np.digitize(SCORE, [-1.5, 1.5]).astype(np.float32),
}
BASE = {
    "regressor": {"predictor_type": "regressor", "mini_batch_size": 50},
    "binary_classifier": {"predictor_type": "binary_classifier", "mini_batch_size": 50},
    "multiclass_classifier": {
        "predictor_type": "multiclass_classifier",
        "num_classes": 3,
        "mini_batch_size": 50,
    },
}
CSV, RECORDIO = "text/csv", "application/x-recordio-protobuf"


def channels(kind: str, writer=csv, content_type: str = CSV) -> dict[str, tuple[str, bytes]]:
    labels = TYPES[kind]
    slices = {"train": slice(240), "validation": slice(240, 320), "test": slice(320, 400)}
    return {
        name: (content_type, writer(FEATURES[rows], labels[rows])) for name, rows in slices.items()
    }


@pytest.mark.parametrize("kind", list(TYPES))
def test_the_three_types(kind: str, tmp_path: Path) -> None:
    job = train(tmp_path, BASE[kind], channels(kind))
    assert job.status == 0, job.log
    fitted = model.load(tmp_path / "model")
    score = fitted.score(FEATURES[320:])
    label = TYPES[kind][320:]
    metrics = job.metrics()
    if kind == "regressor":
        assert 1 - np.mean((score - label) ** 2) / label.var() > 0.99
        assert metrics["test:mse"] == pytest.approx([np.mean((score - label) ** 2)], rel=1e-5)
        assert metrics["validation:rmse"][0] == pytest.approx(metrics["validation:mse"][0] ** 0.5)
        expected = {"mse", "absolute_loss", "objective_loss"}
    else:
        accuracy = float(np.mean(fitted.label(score) == label))
        assert accuracy > 0.92
        name = "binary_classification" if kind == "binary_classifier" else "multiclass"
        assert metrics[f"test:{name}_accuracy"] == pytest.approx([accuracy])
        expected = (
            {"binary_classification_accuracy", "binary_f_beta", "precision", "recall"}
            | {"roc_auc_score", "objective_loss"}
            if kind == "binary_classifier"
            else {"multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_f_beta"}
            | {"macro_precision", "macro_recall", "objective_loss"}
        )
    for split in ("validation", "test"):
        for metric in expected:
            assert metrics[f"{split}:{metric}"], (split, metric)
    epochs = len(metrics["train:objective_loss"])
    assert 3 <= epochs <= 15
    assert len(metrics["validation:objective_loss"]) == epochs
    assert metrics["train:progress"][-1] == pytest.approx(100 * epochs / 15, abs=0.1)
    assert min(metrics["train:throughput"]) > 0


def test_log_lines(tmp_path: Path) -> None:
    job = train(tmp_path, BASE["binary_classifier"] | {"epochs": 3}, channels("binary_classifier"))
    lines = job.log.splitlines()
    documents = [json.loads(line[9:]) for line in lines if line.startswith("#metrics ")]
    models = [
        document
        for document in documents
        if "validation_binary_classification_cross_entropy_objective" in document["Metrics"]
    ]
    assert [m["Dimensions"]["model"] for m in models[:32]] == list(range(32))
    assert models[0]["Dimensions"]["Algorithm"] == "Linear Learner"
    assert set(models[0]["Metrics"].popitem()[1]) == {"sum", "count", "min", "max"}
    text = job.log
    for expected in (
        "#early_stopping_criteria_metric: host=algo-1, epoch=0, criteria=sampled_accuracy, value=",
        "Epoch 0: Loss improved. Updating best model",
        "#progress_metric: host=algo-1, completed 100 % of epochs",
        "#validation_score (algo-1) : ('binary_classification_accuracy', 0.",
        "#test_score (algo-1) : ('binary_f_1.000', 0.",
        'Best model found for hyperparameters: {"optimizer": "adam", "learning_rate": ',
        "Final configuration: {",
    ):
        assert expected in text, expected


def test_a_long_job_does_not_flood_the_log(tmp_path: Path) -> None:
    asked = BASE["regressor"] | {"epochs": 150, "early_stopping_patience": 1000}
    job = train(tmp_path, asked, {"train": channels("regressor")["train"]})
    detailed = job.log.count('"model": 0}')
    assert len(job.metrics()["train:objective_loss"]) == 150
    assert detailed <= 20


def test_a_tuning_job_trains_one_model(tmp_path: Path) -> None:
    asked = BASE["regressor"] | {
        "_tuning_objective_metric": "validation:objective_loss",
        "num_models": 32,
        "learning_rate": 0.05,
        "wd": 0.001,
        "l1": 0.002,
    }
    job = train(tmp_path, asked, channels("regressor"))
    assert job.status == 0, job.log
    assert '"model": 0' in job.log
    assert '"model": 1' not in job.log
    won = model.load(tmp_path / "model").hyperparameters
    assert (won["learning_rate"], won["wd"], won["l1"]) == (0.05, 0.001, 0.002)


@pytest.mark.parametrize("writer", [records, sparse_records])
def test_recordio_gives_the_same_model_as_csv(writer, tmp_path: Path) -> None:
    asked = BASE["regressor"] | {"epochs": 2, "num_models": 2, "feature_dim": 3}
    given = channels("regressor")
    other = channels("regressor", writer, RECORDIO)
    first = train(tmp_path / "csv", asked, given)
    second = train(tmp_path / "recordio", asked, other)
    assert (first.status, second.status) == (0, 0), second.log
    one, two = (model.load(job.base / "model") for job in (first, second))
    np.testing.assert_allclose(one.weights, two.weights, rtol=1e-4)


def test_every_loss_and_optimizer_trains(tmp_path: Path) -> None:
    data = {"train": channels("regressor")["train"]}
    for number, loss in enumerate(
        [
            "absolute_loss",
            "eps_insensitive_squared_loss",
            "eps_insensitive_absolute_loss",
            "quantile_loss",
            "huber_loss",
        ]
    ):
        optimizer = ("adam", "sgd", "rmsprop")[number % 3]
        asked = BASE["regressor"] | {"loss": loss, "optimizer": optimizer, "huber_delta": 500}
        job = train(tmp_path / loss, asked, data)
        assert job.status == 0, job.log
        score = model.load(job.base / "model").score(FEATURES[:240])
        label = TYPES["regressor"][:240]
        assert 1 - np.mean((score - label) ** 2) / label.var() > 0.95, (loss, optimizer)


def test_without_bias_and_normalisation(tmp_path: Path) -> None:
    features = FEATURES[:200, :1]
    data = {"train": (CSV, csv(features, 4 * features[:, 0]))}
    asked = BASE["regressor"] | {
        "use_bias": "False",
        "normalize_data": "false",
        "normalize_label": "false",
        "epochs": 60,
    }
    job = train(tmp_path, asked, data)
    fitted = model.load(job.base / "model")
    assert fitted.bias.tolist() == [0.0]
    assert fitted.weights[0, 0] == pytest.approx(4, rel=0.02)


def test_sigterm_saves_the_best_model_so_far(tmp_path: Path) -> None:
    config = tmp_path / "input" / "config"
    config.mkdir(parents=True)
    asked = {
        "predictor_type": "regressor",
        "epochs": "1000000",
        "early_stopping_patience": "9999999",
    }
    (config / "hyperparameters.json").write_text(json.dumps(asked | {"mini_batch_size": "10"}))
    (config / "inputdataconfig.json").write_text(json.dumps({"train": {"ContentType": CSV}}))
    folder = tmp_path / "input" / "data" / "train"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_bytes(channels("regressor")["train"][1])
    process = subprocess.Popen(
        [*IMAGE.entrypoint("1"), "train"],
        env=linear_jobs.environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    for line in process.stdout:
        if "Epoch 3" in line or time.monotonic() > deadline:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert model.load(tmp_path / "model").feature_dim == 3


BAD = {
    "unknown hyperparameter": ({"epoch": 3}, None, "'epoch' was unexpected"),
    "ill-typed": ({"epochs": "many"}, None, "'many' is not an integer"),
    "out of range": ({"learning_rate": -1}, None, "'-1' is not valid for hyperparameter 'learning"),
    "infinite": ({"wd": "inf"}, None, "a finite number"),
    "wrong type": ({"predictor_type": "classifier"}, None, "predictor_type"),
    "wrong loss": (
        {"loss": "softmax_loss"},
        None,
        "cannot be used with predictor_type 'regressor'",
    ),
    "no classes": (
        {"predictor_type": "multiclass_classifier"},
        None,
        "num_classes must be provided",
    ),
    "two classes": (
        {"predictor_type": "multiclass_classifier", "num_classes": 2},
        None,
        "at least 3 classes",
    ),
    "binary label": (
        {"predictor_type": "binary_classifier"},
        b"1,2\n0,1\n2,4\n",
        "Label 2 of record 2",
    ),
    "fractional label": ({"predictor_type": "binary_classifier"}, b"0.5,2\n0,1\n", "Label 0.5"),
    "class out of range": (
        {"predictor_type": "multiclass_classifier", "num_classes": 3},
        b"0,2\n3,1\n",
        "from 0 to num_classes - 1 (2)",
    ),
    "width": ({"feature_dim": 9}, b"1,2\n2,3\n", "has 1 features, but feature_dim is 9"),
    "batch": (
        {"mini_batch_size": 10},
        b"1,2\n2,3\n",
        "mini_batch_size (10) is greater than number",
    ),
    "header": ({}, b"salary,years\n1,2\n", "Non-numeric value 'salary'"),
    "text": ({}, b"1,2\n2,abc\n", "Non-numeric value 'abc'"),
    "gap": ({}, b"1,2\n2,\n", "Missing value in"),
    "infinite feature": ({}, b"1,2\n2,inf\n", "Feature 0 of record 1"),
    "infinite label": ({}, b"1,2\ninf,3\n", "The label of record 1"),
    "empty": ({}, b"", "Channel 'train' is empty"),
    "label only": ({}, b"1\n2\n", "columns"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_names_the_fault(case: str, tmp_path: Path) -> None:
    given, content, expected = BAD[case]
    asked = {"predictor_type": "regressor", "mini_batch_size": 1} | given
    data = b"1,2\n2,3\n" if content is None else content
    job = train(tmp_path, asked, {"train": (CSV, data)})
    assert job.status == 2, job.log
    assert expected in job.failure
    assert "ERROR" in job.log
    assert "Customer Error: " in job.log
    assert not (tmp_path / "model").exists()


def test_missing_channel_and_unlike_channels(tmp_path: Path) -> None:
    asked = {"predictor_type": "regressor", "mini_batch_size": 1}
    job = train(tmp_path / "a", asked, {"validation": (CSV, b"1,2\n")})
    assert (job.status, "Channel 'train' is missing" in job.failure) == (2, True)
    data = {"train": (CSV, b"1,2\n"), "validation": (CSV, b"1,2,3\n")}
    job = train(tmp_path / "b", asked, data)
    assert job.status == 2
    assert "Channel 'validation' has 2 features, but feature_dim is 1" in job.failure
    job = train(tmp_path / "c", asked, {"train": (RECORDIO, records(FEATURES[:5]))})
    assert "no label" in job.failure
    job = train(tmp_path / "d", asked, {"train": ("text/libsvm", b"1 1:2\n")})
    assert "text/libsvm is not an accepted ContentType" in job.failure


def test_the_image_is_light_and_its_metrics_fit() -> None:
    """The control plane imports it at every start; a job may have 40 metrics."""
    code = "import sys, studio.algorithms.linear_learner; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
    assert len(IMAGE.metrics) <= 40
    assert len(dict(IMAGE.metrics)) == len(IMAGE.metrics)
