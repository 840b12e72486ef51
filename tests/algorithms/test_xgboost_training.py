import re
import signal
import subprocess
import time
import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from algorithm_programs import Job
from pyarrow import parquet

from studio.algorithms import record_message, recordio
from studio.algorithms.xgboost import IMAGE

_BANK: dict[str, Any] = {
    "objective": "binary:logistic", "max_depth": 5, "eta": 0.2, "gamma": 4, "min_child_weight": 6,
    "subsample": 0.7, "num_round": 4,
}  # fmt: skip


def _table(rows: int = 400, seed: int = 0) -> Any:
    """float32 [rows, 5]: a 0/1 label that the features tell, one of them a flag."""
    rng = np.random.default_rng(seed)
    features = rng.integers(-50, 50, size=(rows, 4)).astype(np.float32)
    features[:, 3] = features[:, 3] > 0
    label = (features[:, 0] + 10 * features[:, 3] + rng.normal(0, 5, rows)) > 0
    return np.column_stack([label, features]).astype(np.float32)


def _csv(table: Any) -> str:
    return "\n".join(",".join(f"{cell:g}" for cell in row) for row in table) + "\n"


def _libsvm(table: Any, base: int = 0) -> str:
    return "\n".join(
        " ".join([f"{row[0]:g}", *(f"{i + base}:{cell:g}" for i, cell in enumerate(row[1:]))])
        for row in table
    )


def _recordio(table: Any) -> bytes:
    frames = []
    for row in table.tolist():
        record = record_message.record_class()()
        record.features["values"].float32_tensor.values.extend(row[1:])
        record.label["values"].float32_tensor.values.append(row[0])
        frames.append(recordio.frame(record.SerializeToString()))
    return b"".join(frames)


def _parquet(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({f"c{i}": table[:, i] for i in range(table.shape[1])}), sink)
    return bytes(sink.getvalue())


def _scraped(log: str) -> dict[str, list[float]]:
    """Metrics as the platform finds them in the log."""
    return {
        name: [float(value) for value in re.findall(regex, log)]
        for name, regex in IMAGE.metrics
        if re.search(regex, log)
    }


def _booster(job: Job) -> xgboost.Booster:
    booster = xgboost.Booster()
    with warnings.catch_warnings():
        # The name says nothing of the format, and XGBoost says so.
        warnings.simplefilter("ignore")
        booster.load_model(job.model / "xgboost-model")
    return booster


def _reference(table: Any, **parameters: Any) -> xgboost.Booster:
    rounds = parameters.pop("num_round")
    matrix = xgboost.DMatrix(table[:, 1:], table[:, 0])
    return xgboost.train({**parameters, "nthread": 1}, matrix, rounds)


def test_the_bank_tutorial_job(job: Job) -> None:
    table = _table()
    job.channel("train", "csv", train__csv=_csv(table[:300]))
    job.channel("validation", "csv", validation__csv=_csv(table[300:]))
    ended = job.train(**_BANK)
    assert ended.code == 0, ended.log
    metrics = _scraped(ended.log)
    assert len(metrics["train:logloss"]) == len(metrics["validation:logloss"]) == 4
    assert metrics["train:logloss"][-1] < metrics["train:logloss"][0]
    assert re.search(
        r"^\[0\]#011train-logloss:\d\.\d{5}#011validation-logloss:\d\.\d{5}$", ended.log, re.M
    )
    assert re.search(
        r"^\[\d{4}-\d\d-\d\d:\d\d:\d\d:\d\d:INFO\] Train matrix has 300 rows and 4 columns$",
        ended.log,
        re.M,
    )
    assert "INFO] Validation matrix has 100 rows" in ended.log
    # The same data and parameters give the same model without Studio.
    data = xgboost.DMatrix(table[:, 1:])
    np.testing.assert_allclose(
        _booster(job).predict(data), _reference(table[:300], **_BANK).predict(data), rtol=1e-6
    )
    assert [path.name for path in job.model.iterdir()] == ["xgboost-model"]


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [
        ("application/x-recordio-protobuf", _recordio),
        ("application/x-parquet", _parquet),
        ("text/x-libsvm", _libsvm),
        (None, lambda table: _libsvm(table, base=1)),
        ("text/csv; label_size=1", _csv),
    ],
)
def test_every_content_type_gives_the_same_model(
    job: Job, content_type: str | None, encode: Any
) -> None:
    table = _table(200)
    job.channel("train", content_type, a=encode(table[:120]), b=encode(table[120:]))
    ended = job.train(objective="binary:logistic", num_round=3)
    assert ended.code == 0, ended.log
    expected = _reference(table, objective="binary:logistic", num_round=3)
    data = xgboost.DMatrix(table[:, 1:])
    np.testing.assert_allclose(_booster(job).predict(data), expected.predict(data), rtol=1e-6)


@pytest.mark.parametrize(
    ("tag", "metric"), [("0.90-2-cpu-py3", "error"), ("1", "error"), ("3.0-5", "logloss")]
)
def test_the_default_metric_is_that_of_the_version(job: Job, tag: str, metric: str) -> None:
    job.tag = tag
    job.channel("train", "csv", a=_csv(_table(100)))
    ended = job.train(objective="binary:logistic", num_round=1)
    assert list(_scraped(ended.log)) == [f"train:{metric}"]


def test_own_metrics_weights_and_early_stopping(job: Job) -> None:
    table = _table(300)
    weighted = np.insert(table, 1, 2.0, axis=1)
    job.channel("train", "text/csv", a=_csv(weighted[:200]))
    job.channel("validation", "text/csv", a=_csv(weighted[200:]))
    ended = job.train(
        objective="binary:logistic", num_round=300, early_stopping_rounds=3, csv_weights=1,
        eval_metric="logloss,accuracy,f1", learning_rate=0.5,
    )  # fmt: skip
    assert ended.code == 0, ended.log
    metrics = _scraped(ended.log)
    assert set(metrics) == {"train:logloss", "validation:logloss", "validation:accuracy",
                            "validation:f1"}  # fmt: skip
    f1 = metrics["validation:f1"]
    assert len(f1) < 300
    best = int(np.argmax(f1))
    assert len(f1) == best + 1 + 3
    booster = _booster(job)
    assert booster.num_boosted_rounds() == best + 1
    assert booster.num_features() == 4


def test_classes_ranking_and_a_gpu_that_is_not_there(job: Job) -> None:
    table = _table(150)
    table[:, 0] = np.arange(150) % 3
    job.channel("train", "csv", a=_csv(table))
    ended = job.train(
        objective="multi:softprob", num_class=3, num_round=2, tree_method="gpu_hist",
        eval_metric="merror", predictor="gpu_predictor",
    )  # fmt: skip
    assert ended.code == 0, ended.log
    assert "Hyperparameter predictor has no effect" in ended.log
    assert _booster(job).predict(xgboost.DMatrix(table[:, 1:])).shape == (150, 3)
    assert len(_scraped(ended.log)["train:merror"]) == 2


def test_ranking_reads_groups(job: Job) -> None:
    rows = "\n".join(f"{i % 3} qid:{i // 10} 0:{i % 3} 1:{i % 7}" for i in range(60))
    job.channel("train", "text/libsvm", a=rows)
    ended = job.train(objective="rank:ndcg", num_round=2, eval_metric="ndcg@3")
    assert ended.code == 0, ended.log
    assert "[1]#011train-ndcg@3:" in ended.log


_GOOD = "1,2,3\n0,3,4\n1,5,6\n0,7,8\n"


@pytest.mark.parametrize(
    ("content_type", "text", "values", "failure"),
    [
        ("csv", "y,age\n1,2\n", {}, "Non-numeric value 'y' found in the header line 'y,age...'"),
        ("csv", "1,2\n0,old\n", {}, "Non-numeric value 'old' found in line 2, column 2 of"),
        ("csv", "", {}, "Channel 'train' is empty"),
        (None, _GOOD, {}, "First line '1,2,3...' of file 'a' is not 'LIBSVM' format"),
        ("image/png", _GOOD, {}, "image/png is not an accepted ContentType"),
        ("csv", "2,1\n0,1\n", {}, "channel 'train' has the label 2: label must be in [0,1]"),
        ("csv", ",1\n0,1\n", {}, "Row 1 of channel 'train' has the label nan"),
        (
            "csv", "0,1\n3,1\n", {"objective": "multi:softmax", "num_class": "3"},
            "Row 2 of channel 'train' has the label 3: label must be in [0, num_class)",
        ),
        ("csv", _GOOD, {"max_dept": "3"}, "Extraneous hyperparameter found: max_dept"),
        ("csv", _GOOD, {"eta": "fast"}, "Hyperparameter eta: could not parse value 'fast'"),
        ("csv", _GOOD, {"eta": "7"}, "Hyperparameter eta: 7 is not in [0, 1]"),
        ("csv", _GOOD, {"num_round": ""}, "Hyperparameter num_round: could not parse value"),
        (
            "csv", _GOOD, {"tree_method": "hist", "monotone_constraints": "(1, 0, 1)"},
            "XGBoost refuses the job: ",
        ),
        ("recordio-protobuf", _GOOD, {}, "Record 0 of file 'a' does not begin with RecordIO's"),
    ],
)  # fmt: skip
def test_bad_input_fails_the_job_and_says_why(
    job: Job, content_type: str | None, text: str, values: dict[str, str], failure: str
) -> None:
    job.channel("train", content_type, a=text)
    ended = job.train(**{"objective": "binary:logistic", "num_round": "2"} | values)
    assert ended.code == 2, ended.log
    assert failure in ended.failure
    assert "ERROR] Customer Error: " in ended.log
    assert list(job.model.iterdir()) == []


def test_channels_must_be_known_and_fit(job: Job) -> None:
    job.channel("train", "csv", a=_GOOD)
    job.channel("validation", "csv", a="1,2\n0,3\n")
    ended = job.train(num_round=1)
    assert (ended.code, ended.failure) == (
        2,
        "Channel 'train' has 2 features and channel 'validation' has 1: they must have the same "
        "columns.",
    )
    job.channel("test", "csv", a=_GOOD)
    assert job.train(num_round=1).failure == "Extraneous channel found: test"
    job.channels.clear()
    assert job.train(num_round=1).failure == "Missing required channel: train"


def test_a_crash_is_not_the_customers_fault(job: Job) -> None:
    job.channel("train", "csv", a=_GOOD)
    job.model.rmdir()
    job.model.write_text("a file where a folder belongs")
    ended = job.train(num_round=1)
    assert ended.code == 1
    assert ended.failure.startswith("FileExistsError: ")
    assert "Traceback (most recent call last)" in ended.log


@pytest.mark.parametrize("save", ["true", "false"])
def test_a_stopped_job_saves_its_model_if_it_was_asked_to(job: Job, save: str) -> None:
    job.channel("train", "csv", a=_csv(_table(2000)))
    job.configure(objective="binary:logistic", num_round=1_000_000, save_model_on_termination=save)
    process = subprocess.Popen(
        job.command("train"), env=job.environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            if line.startswith("[5]#011"):
                break
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        process.stdout.read()
        assert process.wait(60) == 0
    assert time.monotonic() - started < 60
    assert (job.model / "xgboost-model").exists() == (save == "true")
    if save == "true":
        assert 6 <= _booster(job).num_boosted_rounds() < 1_000_000
