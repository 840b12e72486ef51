"""Models that say themselves how they are called: MLflow's format, and ONNX.

In the user's interpreter, Python 3.9 or newer: mlflow and pandas, or onnxruntime, are imported when
needed. A pickle in an MLflow model is loaded by mlflow here, in the isolation of the server's run.
"""

import io
import json
import os
from typing import Any

from studio.container.script import handlers
from studio.container.script.handlers import CSV, JSON, NPY, Handler, Refused

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
"""ONNX's names of types -> numpy's, where they are not alike."""


def _mlflow_model(folder: str) -> Any:
    from mlflow import pyfunc

    path = _found(folder, lambda name: name == "MLmodel", "MLmodel, the file that MLflow writes")
    return pyfunc.load_model(os.path.dirname(path))  # noqa: PTH120


def _mlflow_input(body: Any, content_type: str) -> Any:
    """What MLflow's own server takes: JSON with dataframe_split, dataframe_records, instances or
    inputs, CSV with names of columns. Rows alone are taken too."""
    kind = content_type.partition(";")[0].strip()
    try:
        if kind == JSON:
            return _mlflow_json(json.loads(body))
        if kind == CSV:
            return _frame_of_csv(body)
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(400, f"The body is no {kind} that MLflow takes: {error}") from error
    return handlers.decoded(body, content_type)


def _mlflow_json(document: Any) -> Any:
    import numpy
    import pandas

    if not isinstance(document, dict):
        document = {"instances": document}
    if "dataframe_split" in document:
        split = document["dataframe_split"]
        return pandas.DataFrame(split["data"], columns=split.get("columns"))
    if "dataframe_records" in document:
        return pandas.DataFrame(document["dataframe_records"])
    given = document["instances"] if "instances" in document else document["inputs"]
    if isinstance(given, dict):
        return {name: numpy.array(value) for name, value in given.items()}
    records = isinstance(given, list) and given and isinstance(given[0], dict)
    return pandas.DataFrame(given) if records else numpy.array(given)


def _frame_of_csv(body: str) -> Any:
    """The first line has names unless all of it are numbers."""
    import pandas

    first = body.lstrip().partition("\n")[0]
    header = None if all(map(_number, first.split(","))) else 0
    return pandas.read_csv(io.StringIO(body), header=header)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _mlflow_predicted(data: Any, model: Any) -> Any:
    return model.predict(_named(data, model.metadata.get_input_schema()))


def _named(data: Any, schema: Any) -> Any:
    """Rows without names as the table that the model's signature asks for."""
    import pandas

    if schema is None or schema.is_tensor_spec() or isinstance(data, dict):
        return data
    names, width = schema.input_names(), getattr(data, "shape", (0, 0))[-1]
    nameless = all(not isinstance(it, str) for it in getattr(data, "columns", ()))
    if nameless and len(names) == width:
        data = pandas.DataFrame(getattr(data, "values", data), columns=names)
    types = dict(zip(names, schema.pandas_types()))  # noqa: B905  Python 3.9 has no strict
    numbers = {name: it for name, it in types.items() if getattr(it, "kind", "") in "iuf"}
    # Text has whole numbers where the model has others: MLflow would refuse them.
    known = [name for name in numbers if name in getattr(data, "columns", ())]
    return data.astype({name: numbers[name] for name in known}) if known else data


def _mlflow_output(prediction: Any, accept: str) -> Any:
    records = hasattr(prediction, "columns")
    if accept.partition(";")[0].strip() == JSON:
        rows = prediction.to_dict(orient="records") if records else prediction
        return handlers.encoded({"predictions": rows}, accept)
    return handlers.encoded(prediction, accept)


def _onnx_model(folder: str) -> Any:
    import onnxruntime

    path = _found(folder, lambda name: name.endswith(".onnx"), "a file that ends in .onnx")
    options = onnxruntime.SessionOptions()
    # Workers run side by side: each is given one core.
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        path, options, providers=onnxruntime.get_available_providers()
    )


def _onnx_input(body: Any, content_type: str) -> Any:
    """Rows, or in JSON an object with each input by its name."""
    import numpy

    if content_type.partition(";")[0].strip() == JSON and body.lstrip()[:1] == "{":
        try:
            return {name: numpy.array(it) for name, it in json.loads(body).items()}
        except ValueError as error:
            raise Refused(400, f"The body is no {JSON}: {error}") from error
    return handlers.decoded(body, content_type)


def _onnx_predicted(data: Any, model: Any) -> Any:
    """What the model's one output is, or each output by its name."""
    inputs = model.get_inputs()
    if not isinstance(data, dict):
        data = _split(data, [it.name for it in inputs])
    missing = [it.name for it in inputs if it.name not in data]
    if missing:
        raise Refused(400, f"The model asks for the input {', '.join(missing)}.")
    given = {it.name: data[it.name].astype(_type(it.type)) for it in inputs}
    found = model.run(None, given)
    if len(found) == 1:
        return found[0]
    names = [it.name for it in model.get_outputs()]
    return dict(zip(names, found))  # noqa: B905  Python 3.9 has no strict


def _split(rows: Any, names: Any) -> Any:
    """Rows for the one input, or a column for each of several."""
    if len(names) == 1:
        return {names[0]: rows}
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise Refused(400, f"A row has a value for each of the inputs {', '.join(names)}.")
    return {name: rows[:, [number]] for number, name in enumerate(names)}


def _type(name: str) -> str:
    return _TYPES.get(name) or name[len("tensor(") : -1]


def _onnx_output(prediction: Any, accept: str) -> Any:
    """CSV and npy have room for one output: the first."""
    if isinstance(prediction, dict) and accept.partition(";")[0].strip() in (CSV, NPY):
        prediction = next(iter(prediction.values()))
    return handlers.encoded(prediction, accept)


def _found(folder: str, wanted: Any, called: str) -> str:
    """The one file in the folder, or in a folder of it, that is wanted."""
    paths = [
        os.path.join(place, name)  # noqa: PTH118  pathlib is slow to import
        for place, _, names in os.walk(folder)
        for name in names
        if wanted(name)
    ]
    if not paths:
        raise ValueError(f"The model has no {called.removeprefix('a ')}.")
    least = min(it.count(os.sep) for it in paths)
    best = [it for it in paths if it.count(os.sep) == least]
    if len(best) > 1:
        names = ", ".join(sorted(os.path.relpath(it, folder) for it in best))
        raise ValueError(f"The model has {names}: have model_fn(model_dir) say which.")
    return best[0]


HANDLERS: dict[Any, Handler] = {
    ("mlflow", "model_fn"): _mlflow_model,
    ("mlflow", "input_fn"): _mlflow_input,
    ("mlflow", "predict_fn"): _mlflow_predicted,
    ("mlflow", "output_fn"): _mlflow_output,
    ("onnx", "model_fn"): _onnx_model,
    ("onnx", "input_fn"): _onnx_input,
    ("onnx", "predict_fn"): _onnx_predicted,
    ("onnx", "output_fn"): _onnx_output,
}
"""(framework, name) -> what is called where `inference.py` says nothing else."""
