"""One XGBoost training job: channels to matrices, boosting, the model file.

It writes AWS's lines: `[0]#011train-logloss:0.55#011validation-logloss:0.56`, the tab escaped as
AWS's logs show it and its metric definitions expect it.
"""

import logging
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from scipy import sparse

from studio.algorithms import formats
from studio.algorithms.base import Environment, Termination, UserError, cpus
from studio.algorithms.formats import Data
from studio.algorithms.xgboost import MAXIMIZED, hyperparameters, metrics, version

MODEL_FILE = "xgboost-model"
LIBSVM_BASE = "libsvm_base"
"""Attribute of the booster: the number that libsvm's first column had in training."""

_ACCEPTED = formats.Accepted(
    formats=(formats.CSV, formats.LIBSVM, formats.PARQUET, formats.RECORDIO),
    default=formats.LIBSVM,
    missing=True,
    delimiters=",;\t| ",
)
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
    _check_hosts(environment)
    train_data, validation_data = _read_data(environment, bool(values.get("csv_weights")))
    matrices = {"train": _matrix(train_data, values, "train")}
    _log.info("Single node training.")
    _log.info("Train matrix has %d rows and %d columns", train_data.rows, train_data.columns)
    if validation_data is not None:
        matrices["validation"] = _matrix(validation_data, values, "validation")
        _log.info("Validation matrix has %d rows", validation_data.rows)
    with termination.deferred():
        booster = boost(tag, values, matrices, termination)
        if termination.requested and not values.get("save_model_on_termination"):
            _log.info("Stopped; save_model_on_termination is not set, so no model is saved")
            return
        booster.set_attr(**{LIBSVM_BASE: str(train_data.base)})
        save(booster, environment.model)


def boost(
    tag: str,
    values: Mapping[str, Any],
    matrices: Mapping[str, xgboost.DMatrix],
    termination: Termination,
) -> xgboost.Booster:
    """`xgboost.train` with AWS's defaults and lines. Raises UserError for what XGBoost refuses."""
    names = values.get("eval_metric") or _default_metrics(tag, values)
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
            num_boost_round=values["num_round"],
            evals=[(matrix, name) for name, matrix in matrices.items()],
            custom_metric=metrics.custom_metric(own, objective),
            verbose_eval=False,
            callbacks=_callbacks(values, names, matrices, termination),
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
    """Writes the line of each round; ends the training when the job is told to stop."""

    def __init__(self, termination: Termination) -> None:
        super().__init__()
        self._termination = termination

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        parts = [f"[{epoch}]"]
        for split, scores in evals_log.items():
            parts += [f"{split}-{name}:{values[-1]:.5f}" for name, values in scores.items()]
        sys.stdout.write("#011".join(parts) + "\n")
        sys.stdout.flush()
        return self._termination.requested


def _callbacks(
    values: Mapping[str, Any],
    names: list[str],
    matrices: Mapping[str, xgboost.DMatrix],
    termination: Termination,
) -> list[xgboost.callback.TrainingCallback]:
    callbacks: list[xgboost.callback.TrainingCallback] = [_Rounds(termination)]
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


def _check_hosts(environment: Environment) -> None:
    if len(environment.hosts) > 1:
        raise UserError(
            f"The job asks for {len(environment.hosts)} instances; this XGBoost trains on one: "
            "set the instance count to 1."
        )


def _read_data(environment: Environment, weights: bool) -> tuple[Data, Data | None]:
    if "train" not in environment.channels:
        raise UserError("Missing required channel: train")
    unknown = sorted(set(environment.channels) - {"train", "validation"})
    if unknown:
        raise UserError(f"Extraneous channel found: {', '.join(unknown)}")
    accepted = replace(_ACCEPTED, weights=weights)
    data = formats.read_channel(environment.channels["train"], accepted)
    if "validation" not in environment.channels:
        return data, None
    return _aligned(data, formats.read_channel(environment.channels["validation"], accepted))


def _aligned(first: Data, second: Data) -> tuple[Data, Data]:
    """Both tables with the same columns: sparse ones may differ in base and width."""
    if not (sparse.issparse(first.features) and sparse.issparse(second.features)):
        if first.columns != second.columns:
            raise UserError(
                f"Channel 'train' has {first.columns} features and channel 'validation' has "
                f"{second.columns}: they must have the same columns."
            )
        return first, second
    base = min(first.base, second.base)
    width = max(data.columns + data.base - base for data in (first, second))
    return _shifted(first, base, width), _shifted(second, base, width)


def _shifted(data: Data, base: int, width: int) -> Data:
    matrix = data.features
    columns = matrix.indices + (data.base - base)
    shape = (matrix.shape[0], width)
    moved = sparse.csr_matrix((matrix.data, columns, matrix.indptr), shape=shape)
    return replace(data, features=moved, base=base)


def _matrix(data: Data, values: Mapping[str, Any], channel: str) -> xgboost.DMatrix:
    objective = values.get("objective", "reg:squarederror")
    if data.labels is None:
        raise UserError(f"Channel '{channel}' has no labels.")
    _check_labels(data.labels, objective, values.get("num_class", 0), channel)
    if data.weights is not None and not (data.weights >= 0).all():
        raise UserError(f"Channel '{channel}' has weights that are negative or missing.")
    matrix = xgboost.DMatrix(
        data.features,
        label=data.labels,
        weight=data.weights,
        qid=data.groups,
        nthread=values.get("nthread", cpus()),
    )
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
