"""A served model: formats in and out, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from linear_jobs import csv, invoke, records, served, sparse_records

from studio.algorithms import record_message, recordio
from studio.algorithms.linear_learner import model
from studio.algorithms.linear_learner.model import Model

ROWS = np.array([[1.0, 2.0, 0.0], [0.5, 0.0, -1.0]], np.float32)
REGRESSOR = Model("regressor", "squared_loss", np.array([[1.0, 2.0, 3.0]]), np.array([0.5]))
BINARY = Model("binary_classifier", "logistic", np.array([[1.0, -1.0, 0.0]]), np.array([0.0]), 0.6)
MULTICLASS = Model(
    "multiclass_classifier", "softmax_loss", np.eye(3) * [[2.0], [1.0], [-3.0]], np.zeros(3)
)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory):
    """A server for each type of model."""
    bases = {}
    for name, fitted in (("regressor", REGRESSOR), ("binary", BINARY), ("multiclass", MULTICLASS)):
        base = tmp_path_factory.mktemp(name)
        (base / "model").mkdir()
        model.save(fitted, base / "model")
        bases[name] = base
    with (
        served(bases["regressor"]) as one,
        served(bases["binary"]) as two,
        served(bases["multiclass"]) as three,
    ):
        yield {"regressor": one, "binary": two, "multiclass": three}


BODIES = {
    "text/csv": csv(ROWS),
    "application/x-recordio-protobuf": records(ROWS),
    "sparse": sparse_records(ROWS),
    "application/json": json.dumps(
        {"instances": [{"features": r.tolist()} for r in ROWS]}
    ).encode(),
    "wrapped": json.dumps(
        {"instances": [{"data": {"features": {"values": r.tolist()}}} for r in ROWS]}
    ).encode(),
    "keys": json.dumps(
        {
            "instances": [
                {"data": {"features": {"keys": [0, 1], "shape": [3], "values": [1.0, 2.0]}}},
                {"data": {"features": {"keys": [0, 2], "shape": [3], "values": [0.5, -1.0]}}},
            ],
            "configuration": {},
        }
    ).encode(),
    "application/jsonlines": b'{"features": [1.0, 2.0, 0.0]}\n{"features": [0.5, 0.0, -1.0]}\n',
}
KINDS = {
    "sparse": "application/x-recordio-protobuf",
    "wrapped": "application/json",
    "keys": "application/json",
}


@pytest.mark.parametrize("name", list(BODIES))
def test_every_request_format(name: str, urls: dict[str, str]) -> None:
    status, body = invoke(urls["regressor"], BODIES[name], KINDS.get(name, name))
    assert status == 200, body
    assert json.loads(body) == {"predictions": [{"score": 5.5}, {"score": -2.0}]}


def test_binary_answers(urls: dict[str, str]) -> None:
    _, body = invoke(urls["binary"], csv(ROWS))
    rows = json.loads(body)["predictions"]
    assert rows[0] == {"score": pytest.approx(1 / (1 + np.e)), "predicted_label": 0}
    assert rows[1] == {"score": pytest.approx(1 / (1 + np.exp(-0.5))), "predicted_label": 1}
    _, body = invoke(urls["binary"], csv(ROWS), accept="application/jsonlines")
    assert [json.loads(line) for line in body.splitlines()] == rows


def test_multiclass_answers(urls: dict[str, str]) -> None:
    _, body = invoke(urls["multiclass"], csv(ROWS))
    rows = json.loads(body)["predictions"]
    raw = np.array([[2.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    expected = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    np.testing.assert_allclose([row["score"] for row in rows], expected)
    assert [row["predicted_label"] for row in rows] == [0, 2]


def test_recordio_answers(urls: dict[str, str]) -> None:
    kind = "application/x-recordio-protobuf"
    for name, width in (("regressor", 1), ("binary", 1), ("multiclass", 3)):
        _, body = invoke(urls[name], csv(ROWS), accept=kind)
        found = list(recordio.payloads(body))
        assert len(found) == 2
        record = record_message.record_class().FromString(found[1])
        assert len(record.label["score"].float32_tensor.values) == width
        assert ("predicted_label" in record.label) == (name != "regressor")
    assert list(record.label["predicted_label"].float32_tensor.values) == [2.0]


@pytest.mark.parametrize(
    ("body", "kind", "status", "text"),
    [
        (b"1,2\n", "text/csv", 400, "have 2 features, but the model was trained on 3"),
        (b"1,2,3,4\n", "text/csv", 400, "have 4 features, but the model was trained on 3"),
        (b"1,2,x\n", "text/csv", 400, "'x'"),
        (b"1,,3\n", "text/csv", 400, "missing or not finite"),
        (b"{}", "application/json", 400, "instances"),
        (b'{"instances": [{"features": [1, 2]}]}', "application/json", 400, "2 features"),
        (b"\x00\x01\x02\x03garbage", "application/x-recordio-protobuf", 400, "RecordIO"),
        (b"1,2,3\n", "application/x-unknown", 415, "application/x-unknown not supported"),
    ],
)
def test_what_is_refused(
    body: bytes, kind: str, status: int, text: str, urls: dict[str, str]
) -> None:
    answer = invoke(urls["regressor"], body, kind)
    assert answer[0] == status
    assert text in answer[1].decode()


def test_an_accept_that_is_not_offered(urls: dict[str, str]) -> None:
    assert invoke(urls["regressor"], csv(ROWS), accept="image/png")[0] == 406


def test_files_round_trip(tmp_path: Path) -> None:
    model.save(BINARY, tmp_path)
    again = model.load(tmp_path)
    assert (again.threshold, again.loss, again.feature_dim) == (0.6, "logistic", 3)
    np.testing.assert_array_equal(again.weights, BINARY.weights)


def test_files_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no linear-learner model"):
        model.load(tmp_path)
    model.save(BINARY, tmp_path)
    (tmp_path / "model.json").write_text('{"format": "other"}')
    with pytest.raises(ValueError, match="not a linear-learner model"):
        model.load(tmp_path)
    model.save(BINARY, tmp_path)
    # An object array needs a pickle: it must not be opened.
    np.savez(tmp_path / "weights.npz", weights=np.array([{}]), bias=np.zeros(1))
    with pytest.raises(ValueError, match="no linear-learner model"):
        model.load(tmp_path)


def test_hinge_scores_are_margins() -> None:
    fitted = Model("binary_classifier", "hinge_loss", np.array([[1.0]]), np.array([0.0]), 0.0)
    score = fitted.score(np.array([[-2.0], [3.0]]))
    assert score.tolist() == [-2.0, 3.0]
    assert fitted.label(score).tolist() == [0, 1]
