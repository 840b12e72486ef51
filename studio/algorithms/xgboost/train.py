"""One XGBoost training job: channels to matrices, boosting, the model file.

It writes AWS's lines: `[0]#011train-logloss:0.55#011validation-logloss:0.56`, the tab escaped as
AWS's logs show it and its metric definitions expect it.
"""

import logging
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from studio.algorithms import formats, hosts, streams
from studio.algorithms.base import Environment, Termination, UserError, cpus
from studio.algorithms.formats import Data
from studio.algorithms.hosts import Group
from studio.algorithms.xgboost import (
    IMAGE,
    MAXIMIZED,
    checkpoints,
    distributed,
    hyperparameters,
    metrics,
    version,
)

MODEL_FILE = "xgboost-model"
LIBSVM_BASE = "libsvm_base"
"""Attribute of the booster: the number that libsvm's first column had in training."""

_NOT_PARAMETERS = (
    "num_round", "csv_weights", "early_stopping_rounds", "eval_metric",
    "save_model_on_termination", "_tuning_objective_metric", *hyperparameters.IGNORED,
)  # fmt: skip
_GONE_UPDATERS = ("distcol", "grow_local_histmaker", "grow_skmaker")
_log = logging.getLogger(__name__)


def train(tag: str, environment: Environment, termination: Termination) -> None:
    """Train and leave the model in `environment.model`. Raises UserError."""
    logging.captureWarnings(True)
    _log.info("Running XGBoost %s in algorithm mode", xgboost.__version__)
    values = hyperparameters.read(environment.hyperparameters)
    for name in set(values).intersection(hyperparameters.IGNORED):
        _log.info("Hyperparameter %s has no effect in this version of XGBoost", name)
    _check_hosts(environment, values)
    with hosts.joined(environment) as group:
        tables = distributed.aligned(
            group, _read_data(environment, bool(values.get("csv_weights")))
        )
        matrices = {name: _matrix(data, values, name) for name, data in tables.items()}
        _log_sizes(group, tables)
        with termination.deferred(), distributed.connected(group):
            run = _run(tag, values, environment, group, termination)
            booster = boost(run, matrices)
            stopped = distributed.any_host(termination.requested)
        if not group.first:
            return
        if stopped and not values.get("save_model_on_termination"):
            _log.info("Stopped; save_model_on_termination is not set, so no model is saved")
            return
        booster.set_attr(**{LIBSVM_BASE: str(tables["train"].base)})
        save(booster, environment.model)


@dataclass(frozen=True)
class Run:
    """What boosting needs to know beside the data.

    `begun` is a model that has had `start` rounds, empty for none. `talks` says whether this host
    prints the lines and writes the checkpoints, the latter into a folder that may be None.
    """

    tag: str
    values: Mapping[str, Any]
    termination: Termination
    talks: bool = True
    checkpoints: Path | None = None
    begun: bytes = b""
    start: int = 0


def boost(run: Run, matrices: Mapping[str, xgboost.DMatrix]) -> xgboost.Booster:
    """`xgboost.train` with AWS's defaults and lines. Raises UserError for what XGBoost refuses."""
    values = run.values
    names = values.get("eval_metric") or _default_metrics(run.tag, values)
    objective = values.get("objective", "reg:squarederror")
    own = [name for name in names if metrics.is_custom(name)]
    native = [name for name in names if not metrics.is_custom(name)]
    parameters = _parameters(values)
    if native:
        parameters["eval_metric"] = native
    elif own:
        parameters["disable_default_eval_metric"] = 1
    try:
        return xgboost.train(
            parameters,
            matrices["train"],
            num_boost_round=max(values["num_round"] - run.start, 0),
            evals=[(matrix, name) for name, matrix in matrices.items()],
            custom_metric=metrics.custom_metric(own, objective, distributed.gathered),
            verbose_eval=False,
            callbacks=_callbacks(run, names, matrices),
            xgb_model=bytearray(run.begun) if run.begun else None,
        )
    except xgboost.core.XGBoostError as error:
        if "bad_alloc" in str(error):
            raise MemoryError("XGBoost ran out of memory") from error
        raise UserError(f"XGBoost refuses the job: {_first_sentence(error)}") from error


def save(booster: xgboost.Booster, folder: Path) -> None:
    """Write the model in XGBoost's own format, all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{MODEL_FILE}"
    temporary.write_bytes(booster.save_raw("ubj"))
    temporary.replace(folder / MODEL_FILE)


class _Rounds(xgboost.callback.TrainingCallback):
    """Writes the line of each round; ends the training when a host is told to stop."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        parts = [f"[{self._run.start + epoch}]"]
        for split, scores in evals_log.items():
            parts += [f"{split}-{name}:{values[-1]:.5f}" for name, values in scores.items()]
        if self._run.talks:
            sys.stdout.write("#011".join(parts) + "\n")
            sys.stdout.flush()
        return distributed.any_host(self._run.termination.requested)


def _callbacks(
    run: Run, names: list[str], matrices: Mapping[str, xgboost.DMatrix]
) -> list[xgboost.callback.TrainingCallback]:
    callbacks: list[xgboost.callback.TrainingCallback] = [_Rounds(run)]
    if run.checkpoints and run.talks:
        callbacks.append(checkpoints.Save(run.checkpoints, run.start))
    values = run.values
    rounds = values.get("early_stopping_rounds")
    if rounds:
        metric = names[-1] if names else None
        stop = xgboost.callback.EarlyStopping(
            rounds=rounds,
            # XGBoost may write a threshold differently; its last metric needs no name.
            metric_name=metric if any(map(metrics.is_custom, names)) else None,
            data_name="validation" if "validation" in matrices else "train",
            maximize=metric.partition("@")[0] in MAXIMIZED if metric else None,
            save_best=values.get("booster") != "gblinear",
        )
        callbacks.append(stop)
    return callbacks


def _run(
    tag: str,
    values: Mapping[str, Any],
    environment: Environment,
    group: Group,
    termination: Termination,
) -> Run:
    """Every host goes on from the last checkpoint of the first one."""
    folder = checkpoints.folder(environment)
    begun, start = checkpoints.last(folder) if folder and group.first else (b"", 0)
    start = int(group.announce(str(start).encode()))
    begun = group.announce(begun)
    if start:
        _log.info("Checkpoint loaded; resuming from iteration %d", start)
    return Run(tag, values, termination, group.first, folder, begun, start)


def _parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """What XGBoost calls its parameters."""
    parameters = {name: value for name, value in values.items() if name not in _NOT_PARAMETERS}
    parameters.setdefault("objective", "reg:squarederror")
    parameters.setdefault("nthread", cpus())
    if parameters["objective"] == "reg:linear":
        parameters["objective"] = "reg:squarederror"
    if parameters.get("tree_method") == "gpu_hist":
        parameters.update(tree_method="hist", device="cuda")
    for name in ("monotone_constraints", "interaction_constraints"):
        if name in parameters:
            parameters[name] = str(parameters[name])
    if "updater" in parameters:
        known = [name for name in parameters.pop("updater") if name not in _GONE_UPDATERS]
        parameters |= {"updater": ",".join(known)} if known else {}
    return parameters


def _default_metrics(tag: str, values: Mapping[str, Any]) -> list[str]:
    """XGBoost 1.3 changed the default metric of classifiers: a tag keeps that of its version."""
    if version(tag) >= (1, 3):
        return []
    objective = values.get("objective", "")
    if objective == "binary:logistic":
        return ["error"]
    return ["merror"] if objective.startswith("multi:") else []


def _check_hosts(environment: Environment, values: Mapping[str, Any]) -> None:
    if len(environment.hosts) > 1 and values.get("booster") == "gblinear":
        raise UserError("booster 'gblinear' trains on one host only: set InstanceCount to 1.")


def _log_sizes(group: Group, tables: Mapping[str, Data]) -> None:
    many = len(group.hosts) > 1
    _log.info("Distributed node training." if many else "Single node training.")
    train_data = tables["train"]
    _log.info("Train matrix has %d rows and %d columns", train_data.rows, train_data.columns)
    if "validation" in tables:
        _log.info("Validation matrix has %d rows", tables["validation"].rows)


def _read_data(environment: Environment, weights: bool) -> dict[str, Data | None]:
    """The tables of this host, by channel; None where one of several hosts got no file."""
    IMAGE.inputs.check(environment.channels)
    accepted = replace(IMAGE.inputs.accepted, weights=weights)
    tables: dict[str, Data | None] = {}
    for name in (channel.name for channel in IMAGE.inputs.channels):
        if name in environment.channels:
            try:
                tables[name] = formats.read_channel(environment.channels[name], accepted)
            except streams.EmptyChannel:
                if len(environment.hosts) == 1:
                    raise
                tables[name] = None
    return tables


def _matrix(data: Data, values: Mapping[str, Any], channel: str) -> xgboost.DMatrix:
    objective = values.get("objective", "reg:squarederror")
    if data.labels is None:
        raise UserError(f"Channel '{channel}' has no labels.")
    _check_labels(data.labels, objective, values.get("num_class", 0), channel)
    if data.weights is not None and not (data.weights >= 0).all():
        raise UserError(f"Channel '{channel}' has weights that are negative or missing.")
    try:
        matrix = xgboost.DMatrix(
            data.features,
            label=data.labels,
            weight=data.weights,
            qid=data.groups,
            nthread=values.get("nthread", cpus()),
        )
    except xgboost.core.XGBoostError as error:
        raise UserError(
            f"XGBoost refuses the data of channel '{channel}': {_first_sentence(error)}"
        ) from error
    if objective == "survival:aft":
        matrix.set_float_info("label_lower_bound", data.labels)
        matrix.set_float_info("label_upper_bound", data.labels)
    return matrix


def _check_labels(labels: Any, objective: str, classes: int, channel: str) -> None:
    """Raises UserError that names the first label that the objective does not take."""
    if objective.startswith("multi:"):
        good = (labels >= 0) & (labels < classes) & (labels == np.floor(labels))
        rule = f"label must be in [0, num_class), that is an integer from 0 to {classes - 1}"
    elif objective.startswith("binary:") or objective == "reg:logistic":
        good = (labels >= 0) & (labels <= 1)
        rule = "label must be in [0,1] for logistic regression"
    elif objective in ("count:poisson", "reg:tweedie", "rank:ndcg", "rank:map", "rank:pairwise"):
        good, rule = labels >= 0, "label must be nonnegative"
    elif objective == "reg:gamma":
        good, rule = labels > 0, "label must be positive"
    else:
        good, rule = np.isfinite(labels), "label must be a number"
    if not good.all():
        row = int(np.argmin(good))
        raise UserError(
            f"Row {row + 1} of channel '{channel}' has the label {labels[row]:g}: {rule} "
            f"(objective {objective})."
        )


def _first_sentence(error: Exception) -> str:
    """XGBoost's message without time, source file and stack."""
    line = str(error).strip().splitlines()[0]
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", line)
