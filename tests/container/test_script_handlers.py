"""The handlers that `inference.py` leaves out: bodies to arrays and back, and XGBoost's own."""

import io
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xgboost
from scipy import sparse

from studio.container.script import handlers, job
from studio.container.script.handlers import Refused

TABLE = np.array([[1.0, 2.0], [3.0, 4.0]])


def saved(save, value) -> bytes:
    buffer = io.BytesIO()
    save(buffer, value)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[[1, 2], [3, 4]]", "application/json"),
        ("1,2\n3,4\n", "text/csv; charset=utf-8"),
        (saved(np.save, TABLE), "application/x-npy"),
    ],
)
def test_a_body_is_an_array(body, kind):
    np.testing.assert_array_equal(handlers.decoded(body, kind), TABLE)


def test_rows_stay_rows_however_few_there_are():
    assert handlers.decoded("1,2,3", "text/csv").shape == (1, 3)
    assert handlers.decoded("1\n2\n3\n", "text/csv").shape == (3, 1)
    packed = saved(sparse.save_npz, sparse.csr_matrix(TABLE))
    assert handlers.decoded(packed, "application/x-npz").toarray().tolist() == TABLE.tolist()


def test_a29_a_pickle_is_never_loaded():
    hostile = saved(lambda to, it: np.save(to, it, allow_pickle=True), np.array([{"a": 1}]))
    with pytest.raises(Refused, match="no application/x-npy"):
        handlers.decoded(hostile, "application/x-npy")
    with pytest.raises(Refused, match="not supported") as caught:
        handlers.decoded(hostile, "application/python-pickle")
    assert caught.value.status == 415


def load(path, map_location):
    """As torch.jit.load."""
    if path.read_bytes() != b"script":
        raise RuntimeError("PytorchStreamReader failed locating file constants.pkl")
    return path.name, map_location


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"net.pth": b"script"}, "net.pth"),
        ({"model.pt": b"script", "optimizer.pt": b""}, "model.pt"),
        ({"a.pt": b"script", "b.pt": b"script"}, "The model has a.pt, b.pt: have model_fn"),
        ({"model.pt": b"weights"}, "model.pt is no TorchScript: save the model by"),
        ({"model.txt": b""}, "The script has no model_fn"),
    ],
)
def test_the_model_of_pytorch_is_its_one_file(tmp_path, monkeypatch, files, said):
    cpu = SimpleNamespace(is_available=lambda: False)
    jit = SimpleNamespace(load=lambda path, map_location: load(Path(path), map_location))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(jit=jit, cuda=cpu))
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    model_fn = handlers.default("pytorch", "model_fn")
    if said in files:
        assert model_fn(str(tmp_path)) == (said, "cpu")
    else:
        with pytest.raises((ValueError, NotImplementedError), match=re.escape(said)):
            model_fn(str(tmp_path))


def test_what_only_the_server_of_aws_reads_is_named(monkeypatch):
    monkeypatch.setenv("HF_TASK", "fill-mask")
    with pytest.raises(NotImplementedError, match="reads HF_TASK and HF_MODEL_ID: give the model"):
        handlers.default("sklearn", "model_fn")("/none")


def test_a_prediction_is_a_body():
    assert json.loads(handlers.encoded({"a": TABLE}, "application/json")) == {"a": TABLE.tolist()}
    assert handlers.encoded(TABLE, "text/csv") == b"1.0,2.0\n3.0,4.0\n"
    assert handlers.encoded(np.float32(0.5), "text/csv") == b"0.5\n"
    back = np.load(io.BytesIO(handlers.encoded(TABLE, "application/x-npy")))
    np.testing.assert_array_equal(back, TABLE)
    with pytest.raises(Refused) as refused:
        handlers.encoded(TABLE, "image/png")
    assert refused.value.status == 406


def test_xgboost_serves_without_functions(tmp_path):
    rows = np.arange(40, dtype=np.float32).reshape(20, 2)
    labels = (rows[:, 0] > 20).astype(float)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, labels), 5)
    (tmp_path / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    model = handlers.default("xgboost", "model_fn")(str(tmp_path))
    read, predict = (handlers.default("xgboost", name) for name in ("input_fn", "predict_fn"))
    expected = booster.predict(xgboost.DMatrix(rows[-1:]))
    for body, kind in (("38,39", "text/csv"), (b"1 0:38 1:39", "text/libsvm")):
        np.testing.assert_allclose(predict(read(body, kind), model), expected)
    with pytest.raises(Refused, match="no text/libsvm"):
        read(b"1 a:b", "text/libsvm")


def test_hyperparameters_are_arguments():
    given = {
        "name": '"x"',
        "plain": "x y",
        "n": "3",
        "on": "true",
        "list": "[1, 2]",
        "none": "null",
    }
    words = job.arguments({name: job.value(text) for name, text in given.items()})
    assert words == [
        *("--list", "[1,2]", "-n", "3", "--name", "x", "--none", ""),
        *("--on", "True", "--plain", "x y"),
    ]
