"""Several requests by one process: one call of predict_fn for those that are alike."""

import json
import signal

import numpy as np
import onnx_models
import pandas as pd
import pytest
import xgboost
from scipy import sparse

from studio.algorithms.server import Answer, Invocation
from studio.container.script import joining, serving

INFERENCE = """
import os
import numpy

calls = []

def model_fn(model_dir):
    return "m"

def predict_fn(data, model):
    calls.append(len(data))
    if (data == -1).any():
        raise ValueError("a row of -1")
    if (data == -2).any():
        os._exit(3)
    if (data == -3).any():
        return iter(["one ", "two"])
    if (data == -4).any():
        return "whole"
    return data.sum(axis=1)

def output_fn(prediction, accept):
    if accept == "calls":
        return str(calls), "text/plain"
    return prediction if hasattr(prediction, "__next__") else f"{prediction}"
"""


def pool_of(folder, framework, inference=""):
    (folder / "code").mkdir()
    if inference:
        (folder / "code" / "inference.py").write_text(inference)
    return serving._pool(folder, folder, framework, 1)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    pool = pool_of(tmp_path_factory.mktemp("model"), "sklearn", INFERENCE)
    yield pool
    pool.close()


def asked(pool, *bodies: str, kind: str = "text/csv", accept: str = "application/json"):
    found = pool.together([Invocation(it.encode(), kind, accept) for it in bodies])
    return [it.body.decode() if isinstance(it, Answer) else str(it) for it in found]


def calls(pool) -> list[int]:
    return json.loads(asked(pool, "0", accept="calls")[0])


def test_those_that_are_alike_are_one_call(pool):
    before = len(calls(pool))
    found = asked(pool, "1,2", "3,4\n5,6", "1", "x,y,z\n1", "7,8")
    assert found[:3] == ["[3.]", "[ 7. 11.]", "[1.]"]
    assert found[3].startswith("The body is no text/csv")
    assert found[4] == "[15.]"
    assert calls(pool)[before:] == [4, 1, 1]


def test_a_bad_one_harms_no_neighbour(pool):
    assert asked(pool, "1,2", "-1,0", "3,4") == ["[3.]", "ValueError: a row of -1", "[7.]"]
    assert asked(pool, "1,2", "-2,0", "3,4") == [
        "[3.]", "The process with the model ended: exit code 3.", "[7.]",
    ]  # fmt: skip


def test_what_has_no_rows_is_asked_by_itself(pool):
    assert asked(pool, "1,2", "-3,0", "3,4") == ["[3.]", "one two", "[7.]"]
    assert asked(pool, "1,2", "-4,0", "3,4") == ["[3.]", "whole", "[7.]"]


def test_a_process_that_is_silent_answers_nobody(pool):
    worker = pool._idle.get()
    worker._process.send_signal(signal.SIGSTOP)
    worker._socket.settimeout(0.05)
    pool._idle.put(worker)
    assert all("said nothing for" in it for it in asked(pool, "1,2", "3,4"))
    assert asked(pool, "1,2") == ["[3.]"]


@pytest.mark.parametrize(
    ("values", "whole"),
    [
        ([np.ones((1, 2)), np.zeros((2, 2))], [[1, 1], [0, 0], [0, 0]]),
        ([sparse.csr_matrix([[0, 1.0]]), sparse.csr_matrix([[2.0, 0]])], [[0, 1], [2, 0]]),
        (
            [pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"a": [3], "b": [4]})],
            [[1, 2], [3, 4]],
        ),
        ([["a"], ["b", "c"]], ["a", "b", "c"]),
    ],
)
def test_rows_are_joined_and_taken_apart(values, whole):
    kinds = [joining.alike(it) for it in values]
    assert kinds[0] is not None
    assert kinds == kinds[:1] * len(values)
    joined = joining.joined(values)
    dense = joined.toarray() if sparse.issparse(joined) else joined
    assert np.array_equal(dense, whole)
    counts = [joining.length(it) for it in values]
    for part, value in zip(joining.apart(joined, counts), values, strict=True):
        assert joining.length(part) == joining.length(value)
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(part, value)


def test_matrices_of_xgboost_are_joined_with_what_is_missing_and_what_is_nought():
    rows = np.array([[0, np.nan, 1], [2, 0, np.nan], [np.nan, 3, 0], [0, 0, 0]], np.float32)
    labels = np.array([0, 1, 2, 3], np.float32)
    model = xgboost.train({"nthread": 1, "min_child_weight": 0}, xgboost.DMatrix(rows, labels), 5)
    parts = [xgboost.DMatrix(rows[:1]), xgboost.DMatrix(rows[1:3]), xgboost.DMatrix(rows[3:])]
    assert len({joining.alike(it) for it in parts}) == 1
    found = joining.apart(model.predict(joining.joined(parts)), [1, 2, 1])
    for part, expected in zip(found, map(model.predict, parts), strict=True):
        assert part.tolist() == expected.tolist()
    sparse_one = xgboost.DMatrix(sparse.csr_matrix(rows[3:]))  # all of its row is missing
    assert model.predict(joining.joined([parts[0], sparse_one]))[1] == model.predict(sparse_one)[0]
    narrow = xgboost.DMatrix(rows[:, :2])
    margin = xgboost.DMatrix(rows[:1], base_margin=[1.0])
    assert joining.alike(narrow) != joining.alike(parts[0])
    assert joining.alike(margin) is None


def test_several_outputs_are_taken_apart_by_name():
    found = joining.apart({"a": np.arange(3), "b": [4, 5, 6]}, [1, 2])
    assert found[0]["a"].tolist() == [0]
    assert found[1]["b"] == [5, 6]
    for odd in ({"a": "words"}, np.float32(1), np.arange(4), (1, 2, 3)):
        with pytest.raises(joining.NotAlike):
            joining.apart(odd, [1, 2])


@pytest.mark.parametrize("value", ["text", 1.5, np.arange(3), None, {"a": np.ones((1, 2))}])
def test_what_cannot_be_joined(value):
    assert joining.alike(value) is None


def test_kinds_that_differ_are_not_alike():
    different = [
        np.ones((1, 2)), np.ones((1, 3)), np.ones((1, 2), int), pd.DataFrame({"a": [1]}),
        pd.DataFrame({"b": [1]}), pd.DataFrame({"a": [1.5]}),
    ]  # fmt: skip
    assert len({joining.alike(it) for it in different}) == len(different)


@pytest.mark.parametrize("named", [("x",), ("a", "b")])
def test_onnx_models_are_asked_together(tmp_path, named):
    pytest.importorskip("onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx_models.added(*named))
    pool = pool_of(tmp_path, "onnx")
    bodies = ["1,2", "3,4"]
    together, alone = asked(pool, *bodies), [asked(pool, it)[0] for it in bodies]
    assert together == alone
    pool.close()
