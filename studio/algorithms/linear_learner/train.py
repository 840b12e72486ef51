"""The training program: channels in, the best model out.

Reads and checks what the job was given, lets `fitting` do the work, and reports the final scores.
"""

import io
import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from scipy import sparse

from studio.algorithms import formats, hosts, recordio, streams
from studio.algorithms.base import Environment, Termination, UserError
from studio.algorithms.hosts import Group
from studio.algorithms.linear_learner import IMAGE, crew, fitting, hyperparameters, metrics, model
from studio.algorithms.linear_learner.fitting import Fit, Table
from studio.algorithms.linear_learner.journal import Log
from studio.algorithms.linear_learner.losses import Array, Matrix
from studio.algorithms.linear_learner.settings import Settings, read

log = logging.getLogger(__name__)

CHUNK = 10_000
"""Examples that are scored at a time."""


def train(tag: str, environment: Environment, termination: Termination) -> None:
    """Run one training job. Raises UserError for what the customer can mend."""
    del tag
    given = environment.hyperparameters
    log.info("Reading provided configuration from hyperparameters.json: %s", json.dumps(given))
    settings = read(given)
    log.info("Final configuration: %s", json.dumps(_configuration(given)))
    IMAGE.inputs.check(environment.channels)
    with hosts.joined(environment) as group:
        tables = _tables(environment, settings, group)
        if group.first:
            _fit(environment, settings, tables, termination, group)
        else:
            with termination.deferred():
                crew.help_out(group, settings)


def _fit(
    environment: Environment,
    settings: Settings,
    tables: Mapping[str, Table],
    termination: Termination,
    group: Group,
) -> None:
    width = settings.feature_dim or tables["train"].features.shape[1]
    for name, table in tables.items():
        check_width(table, name, int(width))
    check_batch(tables["train"], settings)
    journal = Log(environment.current_host, termination)
    with termination.deferred():
        train, validation = tables["train"], tables.get("validation")
        fit = fitting.fit(settings, train, validation, journal, partial(crew.lead, group))
        environment.model.mkdir(parents=True, exist_ok=True)
        model.save(fit.model, environment.model)
    for name in ("validation", "test") if "validation" in tables else ("train", "test"):
        if name in tables:
            journal.scores(name, final_scores(fit, tables[name], settings))
        else:
            log.info("%s data is not provided.", name.capitalize())
    journal.finished(fit)


def final_scores(fit: Fit, table: Table, settings: Settings) -> dict[str, float]:
    """The scores of the final model on raw examples, the objective first."""
    trained, labels = fit.model, table.labels
    parts = [
        trained.raw(table.features[first : first + CHUNK]) for first in range(0, table.count, CHUNK)
    ]
    raw = np.concatenate(parts)
    if settings.predictor_type == "multiclass_classifier":
        classes = labels.astype(np.int64)
        objective = fit.loss.value(raw.T, classes)
        score = trained.link(raw)
        rest = metrics.multiclass(
            score.T, classes, settings.criterion.f_beta, settings.accuracy_top_k
        )
    else:
        objective = fit.loss.value(raw[:, 0], labels)
        score = trained.link(raw)
        if settings.predictor_type == "binary_classifier":
            predicted = trained.label(score)
            rest = metrics.binary(score, predicted, labels, settings.criterion.f_beta)
        else:
            rest = metrics.regression(score, labels)
    return {fit.loss.objective: float(objective.mean()), **rest}


def check_table(table: Table, channel: str, settings: Settings) -> None:
    """Labels and features that training can use. Raises UserError that names the first fault."""
    _check_finite(table, channel)
    labels = table.labels
    if settings.predictor_type == "regressor":
        return
    top = settings.num_classes - 1 if settings.predictor_type == "multiclass_classifier" else 1
    wrong = (labels < 0) | (labels > top) | (labels != np.floor(labels))
    if wrong.any():
        row = int(np.argmax(wrong))
        expected = (
            "The label must be 0 or 1 for predictor_type 'binary_classifier'"
            if settings.predictor_type == "binary_classifier"
            else f"The label must be an integer from 0 to num_classes - 1 ({top}) for "
            "predictor_type 'multiclass_classifier'"
        )
        raise UserError(
            f"Label {labels[row]:g} of record {row} in channel '{channel}' is out of range. "
            f"{expected}."
        )


def check_width(table: Table, channel: str, width: int) -> None:
    """The number of features is the one that was announced, or that `train` has."""
    found = int(table.features.shape[1])
    if found != width:
        raise UserError(
            f"Channel '{channel}' has {found} features, but feature_dim is {width}. Check that "
            "feature_dim counts the features without the label, and that all channels agree."
        )


def check_batch(table: Table, settings: Settings) -> None:
    """A whole mini-batch must be there, as in AWS's algorithm."""
    if table.count < settings.mini_batch_size:
        raise UserError(
            f"mini_batch_size ({settings.mini_batch_size}) is greater than number of examples "
            f"({table.count}) in channel 'train'. Use a mini_batch_size of at most {table.count}."
        )


def _check_finite(table: Table, channel: str) -> None:
    wrong = ~np.isfinite(table.labels)
    if wrong.any():
        raise UserError(
            f"The label of record {int(np.argmax(wrong))} in channel '{channel}' is not a finite "
            "number."
        )
    features = table.features
    values: Array = features.data if sparse.issparse(features) else features
    # The sum of finite numbers in float64 is finite, and takes one pass without a copy.
    if np.isfinite(values.sum(dtype=np.float64)):
        return
    row, column = _first_wrong(features)
    raise UserError(
        f"Feature {column} of record {row} in channel '{channel}' is not a finite number: "
        "linear-learner does not accept missing or infinite values."
    )


def _first_wrong(features: Matrix) -> tuple[int, int]:
    if sparse.issparse(features):
        cells = features.tocoo()
        place = int(np.argmax(~np.isfinite(cells.data)))
        return int(cells.row[place]), int(cells.col[place])
    place = int(np.argmax(~np.isfinite(features)))
    row, column = divmod(place, features.shape[1])
    return row, column


def _tables(environment: Environment, settings: Settings, group: Group) -> dict[str, Table]:
    """The tables of all channels; on hosts but the first, those of the host."""
    tables = {}
    for name in (channel.name for channel in IMAGE.inputs.channels):
        if name in environment.channels:
            own = _table(environment, name, settings)
            parts = [own]
            if environment.channels[name].distribution == "ShardedByS3Key":
                parts = [_unpacked(packed) for packed in group.collect(_packed(own))]
            held = [part for part in parts if part is not None]
            if held:
                tables[name] = _joined(held)
            elif group.first:
                raise UserError(f"Channel '{name}' is empty on every host.")
    return tables


def _table(environment: Environment, name: str, settings: Settings) -> Table | None:
    """The table of this host; None where one of several hosts got no file."""
    try:
        data = formats.read_channel(environment.channels[name], IMAGE.inputs.accepted)
    except streams.EmptyChannel:
        if len(environment.hosts) == 1:
            raise
        return None
    if data.labels is None:
        raise UserError(f"The records of channel '{name}' have no label.")
    table = Table(data.features, data.labels)
    check_table(table, name, settings)
    return table


def _packed(table: Table | None) -> bytes:
    """A table as bytes, for another host."""
    if table is None:
        return b""
    out = io.BytesIO()
    if sparse.issparse(table.features):
        cells = table.features
        np.savez(
            out, labels=table.labels, data=cells.data, columns=cells.indices,
            starts=cells.indptr, shape=cells.shape,
        )  # fmt: skip
    else:
        np.savez(out, labels=table.labels, features=table.features)
    return out.getvalue()


def _unpacked(packed: bytes) -> Table | None:
    """What `_packed` made."""
    if not packed:
        return None
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        if "features" in held:
            return Table(held["features"], held["labels"])
        cells = held["data"], held["columns"], held["starts"]
        return Table(sparse.csr_matrix(cells, shape=tuple(held["shape"])), held["labels"])


def _joined(parts: Sequence[Table]) -> Table:
    joined = recordio.concatenate([recordio.Records(it.features, it.labels) for it in parts])
    assert joined.labels is not None
    return Table(joined.features, joined.labels)


def _configuration(given: Mapping[str, str]) -> dict[str, str]:
    """Every hyperparameter, as it was given or by default."""
    defaults = {row.name: row.default_text for row in hyperparameters.TABLE if row.default_text}
    return {**defaults, **given}
