"""The serving program: one model behind `/invocations`, in linear-learner's formats."""

import logging
from functools import partial
from pathlib import Path
from typing import Any

from studio.algorithms import batching, inference, model_host
from studio.algorithms.linear_learner import IMAGE, model
from studio.algorithms.linear_learner.model import Model
from studio.algorithms.model_host import Loaded
from studio.algorithms.server import Answer, Invocation

log = logging.getLogger(__name__)

OFFERED = (inference.JSON, inference.JSON_LINES, inference.RECORDIO)
_ADVICE = " A request holds the features only, without the label."


def serve(tag: str) -> None:
    """Serve the model of `base_folder()`, or those that come and go, until told to stop."""
    del tag
    model_host.serve(_load)


def _load(folder: Path) -> Loaded:
    loaded = inference.load(model.load, folder)
    log.info("Serving a %s of %d features", loaded.predictor_type, loaded.feature_dim)
    predict = partial(answer, loaded)
    return Loaded(batching.asking(predict, batching.each(predict)))


def answer(loaded: Model, invocation: Invocation) -> Answer:
    """The predictions for one request. Raises RequestError."""
    kind = inference.content_type(invocation.content_type, IMAGE.requests)
    reply = inference.accept(invocation.accept, OFFERED, inference.JSON)
    features = inference.decode(invocation.body, kind)
    inference.check(features, loaded.feature_dim, _ADVICE)
    rows = predictions(loaded, features)
    return Answer(inference.encode(rows, reply), reply)


def predictions(loaded: Model, features: Any) -> list[inference.Row]:
    """One prediction a row: `score`, and `predicted_label` of a classifier."""
    score = loaded.score(features)
    if loaded.predictor_type == "regressor":
        return [{"score": value} for value in score.tolist()]
    labels = loaded.label(score).tolist()
    pairs = zip(score.tolist(), labels, strict=True)
    return [{"score": value, "predicted_label": label} for value, label in pairs]
