"""The functions that `inference.py` leaves out, as the framework's own container has them.

Python 3.9 or newer, in the user's interpreter: numpy, and the framework, are imported when needed.
Pickles are loaded by the user's model_fn alone; what comes over the wire never is.
"""

import io
import json
import os
from collections.abc import Callable
from typing import Any

JSON, CSV, NPY, NPZ = "application/json", "text/csv", "application/x-npy", "application/x-npz"
LIBSVM = ("text/libsvm", "text/x-libsvm")
Handler = Callable[..., Any]


class Refused(Exception):
    """The request is answered with `status` and this sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def default(framework: str, name: str) -> Handler:
    """The handler `model_fn`, `input_fn`, `predict_fn` or `output_fn` of a framework."""
    return _OWN.get((framework, name)) or _COMMON[name]


def decoded(body: Any, content_type: str) -> Any:
    """A body as an array, with rows in its first dimension. Raises Refused."""
    import numpy

    kind = content_type.partition(";")[0].strip()
    try:
        if kind == JSON:
            return numpy.array(json.loads(body))
        if kind == CSV:
            return _rows([line for line in body.splitlines() if line.strip()])
        if kind == NPY:
            return numpy.load(io.BytesIO(body), allow_pickle=False)
        if kind == NPZ:
            from scipy import sparse

            return sparse.load_npz(io.BytesIO(body))
    except (ValueError, OSError, KeyError) as error:
        raise Refused(400, f"The body is no {kind}: {error}") from error
    raise Refused(415, f"Content type {kind} is not supported; there are {JSON}, {CSV}, {NPY}.")


def _rows(lines: Any) -> Any:
    """float64 [n, d]. Raises ValueError."""
    import numpy

    try:
        return numpy.array([list(map(float, line.split(","))) for line in lines]).reshape(
            len(lines), -1
        )
    except ValueError:  # a cell is empty or no number: a tenth as fast, it knows what to do
        return numpy.genfromtxt(lines, delimiter=",").reshape(len(lines), -1)


def encoded(prediction: Any, accept: str) -> bytes:
    """A prediction as a body. Raises Refused."""
    kind = accept.partition(";")[0].strip()
    if kind == JSON:
        return json.dumps(prediction, default=_plain).encode()
    if kind == CSV:
        return _csv(prediction).encode()
    if kind == NPY:
        import numpy

        buffer = io.BytesIO()
        numpy.save(buffer, numpy.asarray(prediction), allow_pickle=False)
        return buffer.getvalue()
    raise Refused(406, f"Accept {kind} is not supported; there are {JSON}, {CSV}, {NPY}.")


def _csv(prediction: Any) -> str:
    import numpy

    rows = numpy.asarray(prediction)
    lines = rows.reshape(len(rows), -1).tolist() if rows.ndim else [[rows.item()]]
    return "".join(",".join(map(str, line)) + "\n" for line in lines)


def _plain(it: Any) -> Any:
    if hasattr(it, "tolist"):
        return it.tolist()
    raise TypeError(f"{type(it).__name__} cannot be written as JSON")


def _no_model(_folder: str) -> Any:
    if os.environ.get("HF_TASK") or os.environ.get("HF_MODEL_ID"):
        raise NotImplementedError(
            "Only AWS's own server reads HF_TASK and HF_MODEL_ID: give the model an inference.py "
            "whose model_fn(model_dir) returns a transformers.pipeline."
        )
    raise NotImplementedError(
        "The script has no model_fn(model_dir), which loads the model that it trained."
    )


def _predicted(data: Any, model: Any) -> Any:
    return model.predict(data)


def _xgboost_model(folder: str) -> Any:
    import xgboost

    path = os.path.join(folder, "xgboost-model")  # noqa: PTH118
    if not os.path.isfile(path):  # noqa: PTH113
        return _no_model(folder)
    with open(path, "rb") as file:  # noqa: PTH123
        return xgboost.Booster(model_file=bytearray(file.read()))  # a name would tell its format


def _xgboost_input(body: Any, content_type: str) -> Any:
    import xgboost

    if content_type.partition(";")[0].strip() in LIBSVM:
        return xgboost.DMatrix(_libsvm(body))
    return xgboost.DMatrix(decoded(body, content_type))


def _libsvm(body: bytes) -> Any:
    """Rows of `[label] column:value ...`. Raises Refused."""
    from scipy import sparse

    values, columns, ends = [], [], [0]
    try:
        for line in body.decode().splitlines():
            for word in line.split():
                column, colon, value = word.partition(":")
                if colon:
                    columns.append(int(column))
                    values.append(float(value))
            ends.append(len(values))
        return sparse.csr_matrix((values, columns, ends))
    except ValueError as error:
        raise Refused(400, f"The body is no text/libsvm: {error}") from error


def _xgboost_predicted(data: Any, model: Any) -> Any:
    import xgboost

    raw = isinstance(model, xgboost.Booster)
    return model.predict(data, validate_features=False) if raw else model.predict(data)


def _torch_model(folder: str) -> Any:
    import torch

    found = sorted(name for name in os.listdir(folder) if name.endswith((".pt", ".pth")))  # noqa: PTH208
    names = [name for name in found if name in ("model.pt", "model.pth")] or found
    if not names:
        return _no_model(folder)
    if len(names) > 1:
        raise ValueError(f"The model has {', '.join(names)}: have model_fn(model_dir) say which.")
    path = os.path.join(folder, names[0])  # noqa: PTH118
    try:
        return torch.jit.load(path, map_location=_device())
    except RuntimeError as error:
        raise ValueError(
            f"{names[0]} is no TorchScript: save the model by torch.jit.script(model).save(...), "
            "or have model_fn(model_dir) in inference.py load it."
        ) from error


def _torch_input(body: Any, content_type: str) -> Any:
    import torch

    array = decoded(body, content_type)
    text = content_type.partition(";")[0].strip() in (JSON, CSV)
    tensor = torch.from_numpy(array)
    return (tensor.float() if text else tensor).to(_device())


def _torch_predicted(data: Any, model: Any) -> Any:
    import torch

    with torch.no_grad():
        model = model.to(_device())
        model.train(False)  # as eval() does: dropout and the like are off
        return model(data)


def _torch_output(prediction: Any, accept: str) -> Any:
    if hasattr(prediction, "detach"):
        prediction = prediction.detach().cpu().numpy()
    return encoded(prediction, accept)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


_COMMON: dict[str, Handler] = {
    "model_fn": _no_model,
    "input_fn": decoded,
    "predict_fn": _predicted,
    "output_fn": encoded,
}
_OWN: dict[Any, Handler] = {
    ("xgboost", "model_fn"): _xgboost_model,
    ("xgboost", "input_fn"): _xgboost_input,
    ("xgboost", "predict_fn"): _xgboost_predicted,
    ("pytorch", "model_fn"): _torch_model,
    ("pytorch", "input_fn"): _torch_input,
    ("pytorch", "predict_fn"): _torch_predicted,
    ("pytorch", "output_fn"): _torch_output,
}
