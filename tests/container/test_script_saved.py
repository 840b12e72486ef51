"""Models of scikit-learn and LightGBM without a script, in real processes."""

import json
import pickle

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from studio.algorithms.server import Invocation
from studio.container.script import saved, serving

ROWS = np.random.default_rng(1).normal(size=(200, 2))


def answered(folder, framework: str, body: str = "1,2\n3,4\n"):
    pool = serving._pool(folder, folder, framework, 1)
    try:
        return json.loads(pool.predict(Invocation(body.encode(), "text/csv", "")).body)
    finally:
        pool.close()


def load(folder, framework: str = "sklearn"):
    return saved.HANDLERS[framework, "model_fn"](str(folder))


def test_what_joblib_and_pickle_wrote(tmp_path):
    model = LinearRegression().fit(ROWS, ROWS[:, 0] + 2 * ROWS[:, 1])
    joblib.dump(model, tmp_path / "model.joblib")
    (tmp_path / "scaler.pkl").write_bytes(b"another file")
    assert answered(tmp_path, "sklearn") == pytest.approx([5, 11])
    (tmp_path / "model.joblib").unlink()
    (tmp_path / "scaler.pkl").write_bytes(pickle.dumps(model))
    assert load(tmp_path).predict([[1, 2]]) == pytest.approx([5])


def test_which_of_several_is_the_model(tmp_path):
    with pytest.raises(NotImplementedError, match="no model_fn"):
        load(tmp_path)
    for name in ("a.pkl", "b.joblib"):
        (tmp_path / name).write_bytes(b"")
    for framework in ("sklearn", "lightgbm"):
        with pytest.raises(ValueError, match=r"The model has a\.pkl, b\.joblib: have model_fn"):
            load(tmp_path, framework)


def test_a_text_of_lightgbm(tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    data = lightgbm.Dataset(ROWS, ROWS[:, 0] > 0)
    model = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 5)
    model.save_model(tmp_path / "model.txt")
    expected = model.predict(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    assert answered(tmp_path, "lightgbm") == expected
