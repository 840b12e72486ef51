"""The serving program: one model behind `/invocations`, in linear-learner's formats."""

import logging
from typing import Any

import numpy as np
from scipy import sparse

from studio.algorithms import inference, server
from studio.algorithms.base import UserError, base_folder
from studio.algorithms.linear_learner import model
from studio.algorithms.linear_learner.model import Model
from studio.algorithms.server import Answer, Invocation, RequestError

log = logging.getLogger(__name__)

ACCEPTED = (inference.CSV, inference.JSON, inference.JSON_LINES, inference.RECORDIO)
OFFERED = (inference.JSON, inference.JSON_LINES, inference.RECORDIO)


def serve(tag: str) -> None:
    """Load the model of `base_folder()` and serve until told to stop."""
    del tag
    try:
        loaded = model.load(base_folder() / "model")
    except ValueError as error:
        raise UserError(f"Unable to load the model: {error}") from error
    log.info("Serving a %s of %d features", loaded.predictor_type, loaded.feature_dim)
    server.serve(lambda invocation: answer(loaded, invocation))


def answer(loaded: Model, invocation: Invocation) -> Answer:
    """The predictions for one request."""
    kind = inference.content_type(invocation.content_type, ACCEPTED, inference.CSV)
    reply = inference.accept(invocation.accept, OFFERED, inference.JSON)
    features = inference.decode(invocation.body, kind)
    _check(features, loaded)
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


def _check(features: Any, loaded: Model) -> None:
    found = int(features.shape[1])
    if found != loaded.feature_dim:
        raise RequestError(
            400,
            f"The rows of the payload have {found} features, but the model was trained on "
            f"{loaded.feature_dim}. A request holds the features only, without the label.",
        )
    values = features.data if sparse.issparse(features) else features
    if not np.isfinite(values).all():
        raise RequestError(400, "The payload has a feature that is missing or not finite.")
