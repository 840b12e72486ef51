"""The training program: channels in, centres out.

Checks what the job was given, lets `online` and `lloyd` do the work, and reports as AWS's jobs do.
"""

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from studio.algorithms import formats, hosts, streams
from studio.algorithms.base import Environment, Termination, UserError
from studio.algorithms.kmeans import IMAGE, geometry, hyperparameters, lloyd, model
from studio.algorithms.kmeans.geometry import Points
from studio.algorithms.kmeans.hyperparameters import Settings
from studio.algorithms.kmeans.model import Model
from studio.algorithms.kmeans.online import Part, Stream

log = logging.getLogger(__name__)

POLISHED = 50
"""Points of the sample for each cluster that are enough to move centres by."""


def train(tag: str, environment: Environment, termination: Termination) -> None:
    """Run one training job. Raises UserError for what the customer can mend."""
    del tag
    given = environment.hyperparameters
    log.info("Reading provided configuration from hyperparameters.json: %s", json.dumps(given))
    settings = hyperparameters.read(given)
    log.info("Final configuration: %s", json.dumps(_configuration(given)))
    IMAGE.inputs.check(environment.channels)
    if given.get("extra_center_factor", "auto") == "auto":
        log.info("'extra_center_factor' was set to 'auto', evaluated to %d.", settings.factor)
    report = Lines(environment.current_host, settings.epochs, termination)
    with hosts.joined(environment) as group:
        with termination.deferred():
            part = _pass_over(environment, settings, report)
            parts = [Part.read(packed) for packed in group.collect(part.packed())]
            if not group.first:
                return
            fitted, msd = finish(settings, [it for it in parts if len(it.weights)], report)
            report.quality("train", "msd", msd)
            model.save(fitted, environment.model)
        if "test" in environment.channels:
            values = scores(fitted, _batches(environment, "test", settings, 0))
            report.scores({name: values[name] for name in settings.metrics})
        else:
            log.info("Test data is not provided.")
        report.finished()


def _batches(
    environment: Environment, name: str, settings: Settings, epoch: int
) -> Iterator[Points]:
    """The checked points of one epoch of a channel."""
    first = 0
    channel = environment.channels[name]
    for data in formats.batches(channel, IMAGE.inputs.accepted, settings.batch, epoch):
        check(data.features, name, settings.feature_dim, first)
        first += data.rows
        yield data.features


def check(points: Points, channel: str, width: int, first: int) -> None:
    """As many features as announced, all finite. Raises UserError that names the first fault."""
    if points.shape[1] != width:
        raise UserError(
            f"Channel '{channel}' has {points.shape[1]} features, but feature_dim is {width}."
        )
    values = points.data if sparse.issparse(points) else points
    # The sum of finite numbers in float64 is finite, and takes one pass without a copy.
    if not np.isfinite(values.sum(dtype=np.float64)):
        table = points.toarray() if sparse.issparse(points) else points
        row, column = divmod(int(np.argmax(~np.isfinite(table))), width)
        raise UserError(
            f"Feature {column} of record {first + row} in channel '{channel}' is not a finite "
            "number: k-means does not accept missing or infinite values."
        )


def finish(settings: Settings, parts: Sequence[Part], report: "Lines") -> tuple[Model, float]:
    """(model, mean squared distance) out of the online centres and samples of all hosts.

    Lloyd's algorithm shrinks the centres; what the sample can still better is bettered.
    """
    origin = parts[0].origin
    points = np.concatenate([part.moved(part.positions, origin) for part in parts])
    weights = np.concatenate([part.weights for part in parts])
    if len(points) < settings.k:
        raise UserError(
            f"The online centers met only {len(points)} groups of records, fewer than k = "
            f"{settings.k}: use a k of at most {len(points)}."
        )
    log.info("shrinking %d centers into %d", len(points), settings.k)
    rng = np.random.default_rng(settings.seed)
    centers = lloyd.shrink(points, weights, settings.k, settings.lloyd, rng, report.attempt)
    sample = np.concatenate([part.moved(part.sample, origin) for part in parts])
    shares = np.concatenate([part.shares() for part in parts])
    whole = all(part.complete for part in parts)
    if whole or len(sample) >= POLISHED * settings.k:
        centers, _ = lloyd.refine(sample, shares, centers, settings.lloyd)
    gaps = geometry.squared(sample, centers, geometry.nearest(sample, centers))
    raw = (centers + origin).astype(np.float32)
    return Model(raw), float(shares @ gaps / shares.sum())


def scores(fitted: Model, batches: Iterable[Points]) -> dict[str, float]:
    """The scores of a model on raw points: mean and sum of squared distances."""
    total, count = 0.0, 0
    for points in batches:
        total += float(fitted.assign(points)[1].sum())
        count += points.shape[0]
    return {"msd": total / count, "ssd": total}


def _pass_over(environment: Environment, settings: Settings, report: "Lines") -> Part:
    """All epochs of this host's training data."""
    stream = Stream(settings, report.termination, np.random.default_rng(settings.seed))
    for number in range(settings.epochs):
        started = time.time()
        try:
            points = _batches(environment, "train", settings, number)
            count = stream.epoch(points, number == 0)
        except streams.EmptyChannel:
            # A host may get no file of a channel that is sharded.
            if len(environment.hosts) == 1:
                raise
            count = 0
        report.epoch(number, count, started)
        if report.termination.requested or not count:
            break
    return stream.part(settings.feature_dim)


def _configuration(given: Mapping[str, str]) -> dict[str, str]:
    """Every hyperparameter, as it was given or by default."""
    defaults = {row.name: row.default_text for row in hyperparameters.TABLE if row.default_text}
    return {**defaults, **given}


class Lines:
    """The log lines of a job."""

    def __init__(self, host: str, epochs: int, termination: Termination) -> None:
        self.host = host
        self.epochs = epochs
        self.termination = termination
        self._started = time.time()
        self._total = 0

    def epoch(self, number: int, count: int, started: float) -> None:
        now = time.time()
        self._total += count
        log.info("processed a total of %d examples", count)
        done = round(100 * (number + 1) / self.epochs, 1)
        log.info("#progress_metric: host=%s, completed %s %% of epochs", self.host, done)
        values = {
            "Number of Records Since Last Reset": count,
            "Total Records Seen": self._total,
            "update.time": (now - started) * 1000,
        }
        self._metrics(values, started, {"epoch": number, "Meta": "training_data_iter"})
        pace = count / max(now - started, 1e-9)
        log.info("#throughput_metric: host=%s, train throughput=%s records/second", self.host, pace)

    def attempt(self, trial: int, loss: float) -> None:
        log.info("local kmeans attempt #%d. Current mean square distance %f", trial, loss)

    def quality(self, split: str, name: str, value: float) -> None:
        log.info("#quality_metric: host=%s, %s %s <loss>=%s", self.host, split, name, value)

    def scores(self, values: Mapping[str, float]) -> None:
        """The scores on test data, in both of AWS's spellings."""
        for name, value in values.items():
            log.info("#test_score (%s) : %s", self.host, (name, value))
        for name, value in values.items():
            self.quality("test", name, value)

    def finished(self) -> None:
        self._metrics({"totaltime": (time.time() - self._started) * 1000}, self._started, {})

    def _metrics(self, values: Mapping[str, float], start: float, where: Mapping[str, Any]) -> None:
        """One `#metrics` line: a JSON document without the prefix of other lines."""
        document = {
            "StartTime": start,
            "EndTime": time.time(),
            "Dimensions": {
                "Algorithm": "AWS/KMeansWebscale",
                "Host": self.host,
                "Operation": "training",
                **where,
            },
            "Metrics": {
                name: {"sum": float(value), "count": 1, "min": value, "max": value}
                for name, value in values.items()
            },
        }
        sys.stdout.write(f"#metrics {json.dumps(document)}\n")
        sys.stdout.flush()
