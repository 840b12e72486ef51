"""The serving program: one model behind `/invocations`, in the formats of AWS's k-means."""

import logging
from typing import Any

import numpy as np
from scipy import sparse

from studio.algorithms import inference, server
from studio.algorithms.base import UserError, base_folder
from studio.algorithms.kmeans import model
from studio.algorithms.kmeans.model import Model
from studio.algorithms.server import Answer, Invocation, RequestError

log = logging.getLogger(__name__)

ACCEPTED = (inference.CSV, inference.JSON, inference.JSON_LINES, inference.RECORDIO)
OFFERED = (inference.JSON, inference.JSON_LINES, inference.RECORDIO, inference.CSV)


def serve(tag: str) -> None:
    """Load the model of `base_folder()` and serve until told to stop."""
    del tag
    try:
        loaded = model.load(base_folder() / "model")
    except ValueError as error:
        raise UserError(f"Unable to load the model: {error}") from error
    log.info("Serving %d clusters of %d features", len(loaded.centers), loaded.feature_dim)
    server.serve(lambda invocation: answer(loaded, invocation))


def answer(loaded: Model, invocation: Invocation) -> Answer:
    """The clusters of one request. Raises RequestError."""
    kind = inference.content_type(invocation.content_type, ACCEPTED, inference.CSV)
    reply = inference.accept(invocation.accept, OFFERED, inference.JSON)
    points = inference.decode(invocation.body, kind)
    _check(points, loaded)
    labels, squared = loaded.assign(points)
    pairs = list(zip(labels.tolist(), np.sqrt(squared).tolist(), strict=True))
    if reply == inference.CSV:
        lines = "\n".join(f"{float(label)},{distance}" for label, distance in pairs)
        return Answer(lines.encode(), inference.CSV)
    rows = [
        {"distance_to_cluster": distance, "closest_cluster": float(label)}
        for label, distance in pairs
    ]
    return Answer(inference.encode(rows, reply), reply)


def _check(points: Any, loaded: Model) -> None:
    found = int(points.shape[1])
    if found != loaded.feature_dim:
        raise RequestError(
            400,
            f"The rows of the payload have {found} features, but the model was trained on "
            f"{loaded.feature_dim}.",
        )
    values = points.data if sparse.issparse(points) else points
    if not np.isfinite(values).all():
        raise RequestError(400, "The payload has a feature that is missing or not finite.")
