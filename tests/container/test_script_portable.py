"""ONNX models as scripts' servers call them; requests as MLflow's own server takes them."""

import json

import numpy as np
import onnx_models
import pytest

from studio.container.script import portable
from studio.container.script.handlers import Refused

JSON, CSV = "application/json", "text/csv"


def handler(framework: str, name: str):
    return portable.HANDLERS[framework, name]


def answer(folder, body: str, content_type: str, accept: str = JSON):
    pytest.importorskip("onnxruntime")
    model = handler("onnx", "model_fn")(str(folder))
    data = handler("onnx", "input_fn")(body, content_type)
    said = handler("onnx", "output_fn")(handler("onnx", "predict_fn")(data, model), accept)
    return json.loads(said) if accept == JSON else said.decode()


def test_rows_go_to_the_one_input_in_its_type(tmp_path):
    (tmp_path / "model.onnx").write_bytes(onnx_models.added("x"))
    assert answer(tmp_path, "[[1, 2], [3, 4]]", JSON) == [[2, 4], [6, 8]]
    assert answer(tmp_path, "1,2\n3,4\n", CSV, CSV) == "2.0,4.0\n6.0,8.0\n"
    assert answer(tmp_path, '{"x": [[1.5]]}', JSON) == [[3]]


def test_columns_go_to_several_inputs_and_outputs_have_names(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "sums.onnx").write_bytes(onnx_models.added("a", "b", type_=7))
    assert answer(tmp_path, "1,2\n3,4\n", CSV) == {"sum": [[3], [7]], "first": [[1], [3]]}
    assert answer(tmp_path, "1,2\n", CSV, CSV) == "3\n"
    with pytest.raises(Refused, match="a, b"):
        answer(tmp_path, "1,2,3\n", CSV)
    with pytest.raises(Refused, match="input b"):
        answer(tmp_path, '{"a": [[1]]}', JSON)
    with pytest.raises(Refused, match="no application/json"):
        answer(tmp_path, "{", JSON)


def test_which_file_is_the_model(tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(ValueError, match=r"no file that ends in \.onnx"):
        handler("onnx", "model_fn")(str(tmp_path))
    for name in ("one.onnx", "two.onnx"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"one\.onnx, two\.onnx: have model_fn"):
        handler("onnx", "model_fn")(str(tmp_path))


@pytest.mark.parametrize(
    "body",
    [
        '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}',
        '{"dataframe_records": [{"a": 1, "b": 2}]}',
        '{"instances": [{"a": 1, "b": 2}]}',
    ],
)
def test_json_of_mlflow_with_names_is_a_table(body):
    frame = handler("mlflow", "input_fn")(body, JSON)
    assert frame.to_dict(orient="records") == [{"a": 1, "b": 2}]


def test_json_of_mlflow_without_names_is_an_array():
    for body in ("[[1, 2]]", '{"instances": [[1, 2]]}', '{"inputs": [[1, 2]]}'):
        np.testing.assert_array_equal(handler("mlflow", "input_fn")(body, JSON), [[1, 2]])
    named = handler("mlflow", "input_fn")('{"inputs": {"x": [1]}}', JSON)
    np.testing.assert_array_equal(named["x"], [1])
    with pytest.raises(Refused):
        handler("mlflow", "input_fn")('{"rows": [[1]]}', JSON)


def test_csv_of_mlflow_has_names_or_not():
    with_names = handler("mlflow", "input_fn")("a,b\n1,2\n", CSV)
    assert list(with_names.columns) == ["a", "b"]
    without = handler("mlflow", "input_fn")("1,2\n3,4\n", CSV)
    assert without.shape == (2, 2)
