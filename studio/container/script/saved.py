"""Models of scikit-learn and LightGBM that are saved under their usual names.

In the user's interpreter, Python 3.9 or newer. A pickle is loaded there, in the isolation of the
server's run: an archive may have brought an inference.py just as well, which could do no less.
"""

import os
from typing import Any

from studio.container.script import handlers
from studio.container.script.handlers import Handler

_PICKLES = (".joblib", ".pkl", ".pickle")
_TEXT = ".txt"


def _sklearn_model(folder: str) -> Any:
    path = _file(folder, _PICKLES)
    return handlers.default("", "model_fn")(folder) if path is None else _unpickled(path)


def _lightgbm_model(folder: str) -> Any:
    path = _file(folder, (_TEXT, *_PICKLES))
    if path is None:
        return handlers.default("", "model_fn")(folder)
    if not path.endswith(_TEXT):
        return _unpickled(path)
    import lightgbm

    return lightgbm.Booster(model_file=path)


def _lightgbm_predicted(data: Any, model: Any) -> Any:
    # Workers run side by side: each is given one core.
    return model.predict(data, num_threads=1)


def _unpickled(path: str) -> Any:
    # scikit-learn brings it, and it reads plain pickles as well
    import joblib

    return joblib.load(path)


def _file(folder: str, suffixes: "tuple[str, ...]") -> "str | None":
    """The file `model` with one of the suffixes, or the one file that has one."""
    found = sorted(it for it in os.listdir(folder) if it.endswith(suffixes))  # noqa: PTH208
    names = [it for it in found if it.startswith("model.")] or found
    if len(names) > 1:
        raise ValueError(f"The model has {', '.join(names)}: have model_fn(model_dir) say which.")
    return os.path.join(folder, names[0]) if names else None  # noqa: PTH118


HANDLERS: "dict[Any, Handler]" = {
    ("sklearn", "model_fn"): _sklearn_model,
    ("lightgbm", "model_fn"): _lightgbm_model,
    ("lightgbm", "predict_fn"): _lightgbm_predicted,
}
"""(framework, name) -> what is called where `inference.py` says nothing else."""
