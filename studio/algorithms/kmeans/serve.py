"""The serving program: one model behind `/invocations`, in the formats of AWS's k-means."""

import logging
from functools import partial
from pathlib import Path

import numpy as np

from studio.algorithms import batching, inference, model_host
from studio.algorithms.kmeans import IMAGE, model
from studio.algorithms.kmeans.model import Model
from studio.algorithms.model_host import Loaded
from studio.algorithms.server import Answer, Invocation

log = logging.getLogger(__name__)

OFFERED = (inference.JSON, inference.JSON_LINES, inference.RECORDIO, inference.CSV)


def serve(tag: str) -> None:
    """Serve the model of `base_folder()`, or those that come and go, until told to stop."""
    del tag
    model_host.serve(_load)


def _load(folder: Path) -> Loaded:
    loaded = inference.load(model.load, folder)
    log.info("Serving %d clusters of %d features", len(loaded.centers), loaded.feature_dim)
    predict = partial(answer, loaded)
    return Loaded(batching.asking(predict, batching.each(predict)))


def answer(loaded: Model, invocation: Invocation) -> Answer:
    """The clusters of one request. Raises RequestError."""
    kind = inference.content_type(invocation.content_type, IMAGE.requests)
    reply = inference.accept(invocation.accept, OFFERED, inference.JSON)
    points = inference.decode(invocation.body, kind)
    inference.check(points, loaded.feature_dim)
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
