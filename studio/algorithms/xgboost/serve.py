"""Predictions of XGBoost models over HTTP, in the formats of AWS's container."""

import csv
import io
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from studio.algorithms import batching, inference, model_host
from studio.algorithms.base import UserError, cpus
from studio.algorithms.joining import Question, Steps
from studio.algorithms.model_host import Loaded
from studio.algorithms.server import Answer, Invocation, RequestError, is_batch
from studio.algorithms.sharing import Shared
from studio.algorithms.xgboost import IMAGE
from studio.algorithms.xgboost.train import LIBSVM_BASE

_OFFERED = (inference.CSV, inference.JSON, inference.JSON_LINES, inference.RECORDIO)
_CSV_ANSWER = "text/csv; charset=utf-8"
_VOTED = ("multi:softmax", "binary:hinge")
_CLASS_KEYS = ("predicted_label", "labels", "raw_score", "raw_scores")
_PROBABILITY_KEYS = (*_CLASS_KEYS, "probability", "probabilities")
_KEYS = {
    "binary:logistic": _PROBABILITY_KEYS,
    "multi:softprob": _PROBABILITY_KEYS,
    "binary:logitraw": _CLASS_KEYS,
    "binary:hinge": _CLASS_KEYS,
    "multi:softmax": _CLASS_KEYS,
}
"""Objective -> keys of SAGEMAKER_INFERENCE_OUTPUT that it has; every other one is NaN."""
_log = logging.getLogger(__name__)

Predictions = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """Boosters that answer together."""

    boosters: tuple[xgboost.Booster, ...]
    features: int
    classes: int
    """Number of classes of a classifier; 0 for other objectives."""
    objective: str
    libsvm_base: int


def serve() -> None:
    """Load the model and serve it until SIGTERM, or those that come and go. Raises UserError when
    the one cannot be loaded."""
    model_host.serve(_loaded)


def _loaded(folder: Path) -> Loaded:
    model = steps(load(folder))
    return Loaded(batching.asking(model.predict, model.together))


def load(folder: Path) -> Model:
    """The model in a folder. Raises UserError."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    ) if folder.is_dir() else []  # fmt: skip
    if not files:
        raise UserError("The model archive holds no XGBoost model.")
    if os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true").lower() != "true":
        files = files[:1]
    boosters = tuple(_booster(path) for path in files)
    first = boosters[0]
    learner = json.loads(first.save_config())["learner"]
    objective = learner["objective"]["name"]
    given = int(learner["learner_model_param"].get("num_class", 0))
    return Model(
        boosters=boosters,
        features=first.num_features(),
        classes=2 if objective.startswith("binary:") else given,
        objective=objective,
        libsvm_base=int(first.attr(LIBSVM_BASE) or 0),
    )


def steps(model: Model) -> Steps:
    """How the model answers."""
    compute = Shared(partial(predict, model), cpus())
    return Steps(partial(read, model), compute, partial(_write, model))


def read(model: Model, invocation: Invocation) -> Question:
    """What a request asks. Raises RequestError."""
    kind = inference.content_type(invocation.content_type, IMAGE.requests)
    default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or inference.CSV
    wanted = inference.accept(invocation.accept, _OFFERED, default)
    rows = inference.decode(
        invocation.body, kind, inference.LibsvmColumns(model.libsvm_base, model.features)
    )
    if rows.shape[1] != model.features:
        raise RequestError(
            400,
            f"Feature size of {kind} inference data {rows.shape[1]} is not consistent with "
            f"feature size of trained model {model.features}.",
        )
    return Question(rows, wanted)


def _write(model: Model, predictions: Predictions, wanted: str) -> Answer:
    keys = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "").replace(" ", "").lower()
    if keys:
        return _encode_selected(model, predictions, keys.split(","), wanted)
    return _encode(predictions, wanted)


def predict(model: Model, rows: Any) -> Predictions:
    """[n], or [n, classes] for multi:softprob: the boosters' mean, or the class most vote for."""
    answers = [_predict_one(booster, rows) for booster in model.boosters]
    if len(answers) == 1:
        return answers[0]
    stacked = np.stack(answers)
    if model.objective in _VOTED:
        classes = np.arange(max(model.classes, 2), dtype=np.float32)
        votes = (stacked[:, :, None] == classes).sum(axis=0)
        return np.asarray(votes.argmax(axis=1), np.float32)
    return np.asarray(stacked.mean(axis=0), np.float32)


def _booster(path: Path) -> xgboost.Booster:
    content = path.read_bytes()
    # A pickle begins so, and may run any code when it is loaded.
    if content[:1] == b"\x80":
        raise UserError(
            f"The model file '{path.name}' is a Python pickle, which is not loaded because it may "
            "run any code: save the model with Booster.save_model instead."
        )
    _log.info("Loading the model from %s", path)
    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise UserError(f"Model at {path} cannot be loaded: it is no XGBoost model.") from error
    # Where it was trained says nothing about where it serves. Requests run side by side already,
    # and XGBoost's threads would cost a small one more than its prediction: see Shared.
    booster.set_param({"device": "cpu", "nthread": 1})
    return booster


def _predict_one(booster: xgboost.Booster, rows: Any) -> Predictions:
    try:
        values = booster.inplace_predict(rows, validate_features=False)
    except xgboost.core.XGBoostError:
        # The linear booster predicts from a matrix only.
        values = booster.predict(xgboost.DMatrix(rows), validate_features=False)
    return np.asarray(values, np.float32)


def _encode(predictions: Predictions, wanted: str) -> Answer:
    values = predictions.tolist()
    if wanted == inference.CSV:
        separator = "\n" if is_batch() else ","
        return Answer(separator.join(map(str, values)).encode(), _CSV_ANSWER)
    return Answer(inference.encode([{"score": value} for value in values], wanted), wanted)


def _encode_selected(
    model: Model, predictions: Predictions, keys: Sequence[str], wanted: str
) -> Answer:
    rows = [_selected(model, value, keys) for value in predictions]
    if wanted != inference.CSV:
        return Answer(inference.encode(rows, wanted), wanted)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([json.dumps(value) for value in row.values()])
    return Answer(text.getvalue().removesuffix("\n").encode(), _CSV_ANSWER)


def _selected(model: Model, value: Any, keys: Sequence[str]) -> dict[str, Any]:
    """The keys of SAGEMAKER_INFERENCE_OUTPUT for one prediction."""
    known = _KEYS.get(model.objective, ("predicted_score",))
    contents = _class_contents(model, value) if model.objective in _KEYS else {}
    contents["predicted_score"] = value.tolist()
    return {key: contents[key] if key in known else float("nan") for key in keys}


def _class_contents(model: Model, value: Any) -> dict[str, Any]:
    labels = list(range(model.classes))
    if model.objective == "multi:softprob":
        scores = value.tolist()
        label: float = int(np.argmax(value))
        score = max(scores)
    else:
        score = float(value)
        scores = [1.0 - score, score]
        thresholds = {"binary:logistic": 0.5, "binary:logitraw": 0.0}
        threshold = thresholds.get(model.objective)
        label = score if threshold is None else int(score > threshold)
    return {
        "predicted_label": label,
        "labels": labels,
        "raw_score": score,
        "raw_scores": scores,
        "probability": score,
        "probabilities": scores,
    }
