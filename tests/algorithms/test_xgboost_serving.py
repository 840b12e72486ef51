import csv
import io
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from algorithm_programs import Job, Reply, Serve
from waiting import eventually

from studio.algorithms import inference, record_message, recordio
from studio.algorithms.server import RequestError

_ROWS = np.random.default_rng(3).normal(size=(60, 3)).astype(np.float32)
_PAYLOAD = "\n".join(",".join(map(repr, row)) for row in _ROWS[:4].tolist())


def _save(job: Job, objective: str, name: str = "xgboost-model", **more: Any) -> Any:
    """A model of `_ROWS` in the job's model folder; its predictions of the first four rows."""
    classes = more.get("num_class", 2)
    labels = np.arange(len(_ROWS)) % classes
    matrix = xgboost.DMatrix(_ROWS, labels)
    booster = xgboost.train({"objective": objective, "nthread": 1, **more}, matrix, 3)
    (job.model / name).write_bytes(booster.save_raw("json"))
    return booster.predict(xgboost.DMatrix(_ROWS[:4]))


def _labels(reply: Reply) -> list[list[float]]:
    found = []
    for payload in recordio.payloads(reply.body):
        record = record_message.record_class()()
        record.ParseFromString(payload)
        found.append(list(record.label["score"].float32_tensor.values))
    return found


def test_answers_in_every_format(job: Job, serve: Serve) -> None:
    expected = _save(job, "binary:logistic").tolist()
    server = serve(job)
    default = server.invoke(_PAYLOAD)
    assert (default.status, default.content_type) == (200, "text/csv; charset=utf-8")
    assert default.text == ",".join(map(str, expected))
    assert server.invoke(_PAYLOAD, accept="text/csv").text == default.text
    document = server.invoke(_PAYLOAD, accept="application/json")
    assert document.content_type == "application/json"
    assert json.loads(document.body) == {"predictions": [{"score": value} for value in expected]}
    lines = server.invoke(_PAYLOAD, accept="application/jsonlines").text.splitlines()
    assert [json.loads(line) for line in lines] == [{"score": value} for value in expected]
    binary = server.invoke(_PAYLOAD, accept="application/x-recordio-protobuf")
    assert _labels(binary) == [[value] for value in expected]


def test_requests_in_every_format(job: Job, serve: Serve) -> None:
    expected = _save(job, "binary:logistic").tolist()
    server = serve(job)
    sparse = "\n".join(
        " ".join(f"{i}:{value!r}" for i, value in enumerate(row)) for row in _ROWS[:4].tolist()
    )
    frames = []
    for row in _ROWS[:4].tolist():
        record = record_message.record_class()()
        record.features["values"].float32_tensor.values.extend(row)
        frames.append(recordio.frame(record.SerializeToString()))
    for body, content_type in (
        (_PAYLOAD, "text/csv; charset=utf-8"),
        (_PAYLOAD + "\n", ""),
        (_PAYLOAD.replace("\n", "\r\n"), "TEXT/CSV"),
        (sparse, "text/libsvm"),
        ("\n".join(f"0 {line}" for line in sparse.splitlines()), "text/x-libsvm"),
        (b"".join(frames), "application/x-recordio-protobuf"),
    ):
        reply = server.invoke(body, content_type)
        assert reply.status == 200, reply.text
        np.testing.assert_allclose(
            [float(value) for value in reply.text.split(",")], expected, rtol=1e-6
        )


def test_bad_requests_are_refused_with_one_sentence(job: Job, serve: Serve) -> None:
    _save(job, "binary:logistic")
    server = serve(job)
    for body, content_type, accept, status, text in (
        (
            "1,2",
            "text/csv",
            "",
            400,
            "data 2 is not consistent with feature size of trained model 3",
        ),
        ("1,2,3,4", "text/csv", "", 400, "data 4 is not consistent"),
        ("1,2,x", "text/csv", "", 400, "Row 1, column 3 of the CSV payload is not a number: 'x'"),
        ("7:1", "text/libsvm", "", 400, "Feature 7 of the libsvm payload"),
        ("1,2,3", "image/png", "", 415, "Content-type image/png not supported"),
        ("1,2,3", "text/csv", "image/png", 406, "Accept type image/png is not supported"),
        ("", "text/csv", "", 204, ""),
        ("1," * (3 << 20) + "1", "text/csv", "", 413, "at most 6291456 bytes are accepted"),
    ):
        reply = server.invoke(body, content_type, accept)
        assert reply.status == status
        assert text in reply.text
        assert "\n" not in reply.text
    assert server.request("/nowhere").status == 404
    assert server.request("/invocations").status == 405
    assert server.invoke("1,2,3").status == 200


def test_a_larger_payload_where_the_job_allows_it(job: Job, serve: Serve) -> None:
    _save(job, "binary:logistic")
    server = serve(job, SAGEMAKER_MAX_PAYLOAD_IN_MB="8")
    row = b"1,2,3\n"
    reply = server.invoke(row * (7 * 1024 * 1024 // len(row)))
    assert reply.status == 200
    assert json.loads(server.request("/execution-parameters").body) == {
        "MaxConcurrentTransforms": 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 8,
    }


def test_a_batch_has_one_line_per_row(job: Job, serve: Serve) -> None:
    expected = _save(job, "multi:softprob", num_class=3).tolist()
    server = serve(job, SAGEMAKER_BATCH="true")
    assert server.invoke(_PAYLOAD).text == "\n".join(map(str, expected))


def test_probabilities_of_classes_are_lists(job: Job, serve: Serve) -> None:
    expected = _save(job, "multi:softprob", num_class=3).tolist()
    server = serve(job, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    assert server.invoke(_PAYLOAD, accept="text/csv").text == ",".join(map(str, expected))
    assert json.loads(server.invoke(_PAYLOAD).body)["predictions"][0] == {"score": expected[0]}
    binary = server.invoke(_PAYLOAD, accept="application/x-recordio-protobuf")
    np.testing.assert_allclose(_labels(binary), expected)


def test_selected_keys(job: Job, serve: Serve) -> None:
    expected = _save(job, "binary:logistic").tolist()
    server = serve(
        job, SAGEMAKER_INFERENCE_OUTPUT="predicted_label, labels,probability,probabilities,nope"
    )
    (first, *_) = json.loads(server.invoke(_PAYLOAD, accept="application/json").body)["predictions"]
    assert np.isnan(first.pop("nope"))
    assert first == {
        "predicted_label": int(expected[0] > 0.5),
        "labels": [0, 1],
        "probability": expected[0],
        "probabilities": [1.0 - expected[0], expected[0]],
    }
    rows = list(csv.reader(io.StringIO(server.invoke(_PAYLOAD).text)))
    assert len(rows) == 4
    assert rows[0] == [
        str(first["predicted_label"]), "[0, 1]", repr(expected[0]),
        f"[{1.0 - expected[0]!r}, {expected[0]!r}]", "NaN",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("objective", "more"), [("multi:softmax", {"num_class": 3}), ("reg:squarederror", {})]
)
def test_selected_keys_of_other_objectives(
    job: Job, serve: Serve, objective: str, more: dict[str, int]
) -> None:
    expected = _save(job, objective, **more).tolist()
    server = serve(job, SAGEMAKER_INFERENCE_OUTPUT="predicted_label,predicted_score")
    first = server.invoke(_PAYLOAD, accept="application/jsonlines").text.splitlines()[0]
    values = json.loads(first)
    right, wrong = ("predicted_label", "predicted_score")
    if objective.startswith("reg:"):
        right, wrong = wrong, right
    assert values[right] == expected[0]
    assert np.isnan(values[wrong])


def test_several_boosters_answer_together(job: Job, serve: Serve) -> None:
    one = _save(job, "binary:logistic", "xgboost-model-0", seed=1, max_depth=1)
    two = _save(job, "binary:logistic", "xgboost-model-1", seed=2, max_depth=4)
    together = [float(value) for value in serve(job).invoke(_PAYLOAD).text.split(",")]
    np.testing.assert_allclose(together, (one + two) / 2, rtol=1e-6)
    alone = serve(job, SAGEMAKER_INFERENCE_ENSEMBLE="false").invoke(_PAYLOAD).text
    np.testing.assert_allclose([float(value) for value in alone.split(",")], one, rtol=1e-6)


def test_classes_are_voted_for(job: Job, serve: Serve) -> None:
    votes = [_save(job, "multi:softmax", f"m{i}", num_class=3, max_depth=i + 1) for i in range(3)]
    counts = [np.bincount(row.astype(int), minlength=3) for row in np.stack(votes, axis=1)]
    reply = serve(job).invoke(_PAYLOAD)
    assert reply.text == ",".join(str(float(np.argmax(count))) for count in counts)


def test_the_linear_booster_serves(job: Job, serve: Serve) -> None:
    expected = _save(job, "reg:squarederror", booster="gblinear")
    values = [float(value) for value in serve(job).invoke(_PAYLOAD).text.split(",")]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_and_not_run(job: Job, serve: Serve, tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    (job.model / "xgboost-model").write_bytes(pickle.dumps(_Bomb(trap)))
    with pytest.raises(AssertionError, match="is a Python pickle, which is not loaded"):
        serve(job)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "message"), [(None, "holds no XGBoost model"), (b"junk", "cannot be loaded")]
)
def test_no_model(job: Job, serve: Serve, content: bytes | None, message: str) -> None:
    if content is not None:
        (job.model / "xgboost-model").write_bytes(content)
    with pytest.raises(AssertionError, match=message):
        serve(job)


def test_sigterm_finishes_what_is_in_flight(job: Job, serve: Serve) -> None:
    _save(job, "binary:logistic")
    server = serve(job)
    payload = "\n".join([_PAYLOAD] * 20_000)
    threads = Path(f"/proc/{server.process.pid}/task")
    before = len(list(threads.iterdir()))
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(server.invoke, payload)
        eventually(lambda: len(list(threads.iterdir())) > before)  # one that predicts
        assert server.stop() == 0
        assert pending.result(60).text.count(",") == 79_999
    log = server.log.read_text()
    assert '"POST /invocations HTTP/1.1" 200' in log
    assert "/ping" not in log


def test_columns_of_libsvm_count_as_in_training(job: Job, serve: Serve) -> None:
    rows = [f"{i % 2} 1:{i % 2} 2:{i % 5}" for i in range(50)]
    job.channel("train", "text/libsvm", a="\n".join(rows))
    assert job.train(objective="binary:logistic", num_round=3).code == 0
    server = serve(job)
    sparse = server.invoke("1:1 2:3\n1:0 2:3", "text/libsvm")
    assert sparse.text == server.invoke("1,3\n0,3").text
    assert "count from 1 to 2" in server.invoke("0:1", "text/libsvm").text


@pytest.mark.parametrize(
    "odd",
    [
        "1,nan\n,2\n",
        "+1,inf\n1e50,-inf\n",
        " 1,2\n\n3,4\n",
        "1,2\r\n3,4\r\n",
        "1,2\r3\n",
        "5,6\n  \n",
    ],
)
def test_large_csv_is_read_as_small_csv_is(odd: str) -> None:
    copies = inference._LARGE // len(odd) + 1
    small = inference.decode(odd.encode(), inference.CSV)
    read = inference.decode((odd * copies).encode(), inference.CSV)
    np.testing.assert_array_equal(read, np.tile(small, (copies, 1)))


@pytest.mark.parametrize("odd", ["1,x\n", "1\n", "1_0,2\n", '"1",2\n', "0x10,1\n"])
def test_what_is_wrong_with_large_csv_is_said(odd: str) -> None:
    rows = "1,2\n" * inference._LARGE + odd
    with pytest.raises(RequestError, match=f"Row {inference._LARGE + 1}"):
        inference.decode(rows.encode(), inference.CSV)
