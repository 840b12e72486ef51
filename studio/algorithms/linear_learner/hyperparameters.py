"""The hyperparameters of linear-learner: the documented table, and what a job makes of it.

Source: AWS's page "Linear learner hyperparameters", and the default configuration that its jobs
print. Knows no data: what depends on data (`auto` step sizes) is settled in `fitting`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from studio.algorithms.base import UserError
from studio.algorithms.hyperparameters import (
    FIRST_PARTY,
    Hyperparameter,
    Interval,
    parse,
    with_defaults,
)
from studio.algorithms.linear_learner.losses import LOSSES, Shape
from studio.algorithms.linear_learner.selection import CRITERIA, Criterion
from studio.algorithms.linear_learner.variations import Asked

_AUTO = ("auto",)
_POSITIVE = Interval(low=0, open_low=True)
_NATURAL = Interval(low=1)
_NOT_NEGATIVE = Interval(low=0)
_FRACTION = Interval(low=0, high=1, open_low=True, open_high=True)
_DECAY = Interval(low=0, high=1, open_high=True)

_Row = Hyperparameter

TABLE = (
    _Row("predictor_type", "choice", required=True, choices=tuple(LOSSES)),
    _Row("feature_dim", "integer", "auto", range=_NATURAL, words=_AUTO),
    _Row("num_classes", "integer", range=Interval(1, 1_000_000)),
    _Row("accuracy_top_k", "integer", 3, range=_NATURAL),
    _Row("balance_multiclass_weights", "boolean", False),
    _Row("beta_1", "float", "auto", range=_DECAY, words=_AUTO),
    _Row("beta_2", "float", "auto", range=_DECAY, words=_AUTO),
    _Row("bias_lr_mult", "float", "auto", range=_POSITIVE, words=_AUTO),
    _Row("bias_wd_mult", "float", "auto", range=_NOT_NEGATIVE, words=_AUTO),
    _Row("binary_classifier_model_selection_criteria", "choice", "accuracy", choices=CRITERIA),
    _Row("early_stopping_patience", "integer", 3, range=_NATURAL),
    _Row("early_stopping_tolerance", "float", 0.001, range=_NOT_NEGATIVE),
    _Row("epochs", "integer", 15, range=_NATURAL),
    _Row("f_beta", "float", 1.0, range=_POSITIVE),
    _Row("huber_delta", "float", 1.0, range=_NOT_NEGATIVE),
    _Row("init_bias", "float", 0.0),
    _Row("init_method", "choice", "uniform", choices=("uniform", "normal")),
    _Row("init_scale", "float", 0.07, range=_POSITIVE),
    _Row("init_sigma", "float", 0.01, range=_POSITIVE),
    _Row("l1", "float", "auto", range=_NOT_NEGATIVE, words=_AUTO, tunable=Interval(1e-7, 1)),
    _Row("learning_rate", "float", "auto", range=_POSITIVE, words=_AUTO, tunable=Interval(1e-5, 1)),
    _Row(
        "loss",
        "choice",
        "auto",
        choices=("auto", *(name for names in LOSSES.values() for name in names)),
    ),
    _Row("loss_insensitivity", "float", 0.01, range=_POSITIVE),
    _Row("lr_scheduler_factor", "float", "auto", range=_FRACTION, words=_AUTO),
    _Row("lr_scheduler_minimum_lr", "float", "auto", range=_POSITIVE, words=_AUTO),
    _Row("lr_scheduler_step", "integer", "auto", range=_NATURAL, words=_AUTO),
    _Row("margin", "float", 1.0, range=_NOT_NEGATIVE),
    _Row("mini_batch_size", "integer", 1000, range=_NATURAL, tunable=Interval(100, 5000)),
    _Row("momentum", "float", "auto", range=_DECAY, words=_AUTO),
    _Row("normalize_data", "boolean", True, words=_AUTO),
    _Row("normalize_label", "boolean", "auto", words=_AUTO),
    _Row("num_calibration_samples", "integer", "auto", range=_NATURAL, words=_AUTO),
    _Row("num_models", "integer", "auto", range=_NATURAL, words=_AUTO),
    _Row("num_point_for_scaler", "integer", 10_000, range=_NATURAL),
    _Row("optimizer", "choice", "auto", choices=("auto", "sgd", "adam", "rmsprop")),
    _Row(
        "positive_example_weight_mult",
        "float",
        1.0,
        range=_POSITIVE,
        words=("balanced", "auto"),
        tunable=Interval(1e-5, 1e5),
    ),
    _Row("quantile", "float", 0.5, range=_FRACTION),
    _Row("target_precision", "float", 0.8, range=_FRACTION),
    _Row("target_recall", "float", 0.8, range=_FRACTION),
    _Row("unbias_data", "boolean", "auto", words=_AUTO),
    _Row("unbias_label", "boolean", "auto", words=_AUTO),
    _Row("use_bias", "boolean", True, tunable=("true", "false")),
    _Row("use_lr_scheduler", "boolean", True),
    _Row("wd", "float", "auto", range=_NOT_NEGATIVE, words=_AUTO, tunable=Interval(1e-7, 1)),
    # What the service and AWS's own defaults add; only the first one means something here.
    _Row("_tuning_objective_metric", "text", ""),
    *(
        _Row(name, "text", "")
        for name in ("_kvstore", "_num_kv_servers", "_num_gpus", "_log_level", "_enable_profiler")
    ),
    _Row("force_dense", "text", ""),
)

CALIBRATION_SAMPLES = 10_000_000
"""What `num_calibration_samples=auto` means in AWS's default configuration: all there are."""


@dataclass(frozen=True)
class Settings:
    """A job's hyperparameters, typed. None is `auto` where that depends on the data."""

    predictor_type: str
    loss: str
    num_classes: int = 2
    feature_dim: int | None = None
    epochs: int = 15
    mini_batch_size: int = 1000
    num_models: int | None = None
    use_bias: bool = True
    normalize_data: bool | None = True
    normalize_label: bool | None = None
    unbias_data: bool | None = None
    unbias_label: bool | None = None
    num_point_for_scaler: int = 10_000
    num_calibration_samples: int = CALIBRATION_SAMPLES
    early_stopping_patience: int = 3
    early_stopping_tolerance: float = 0.001
    init_method: str = "uniform"
    init_scale: float = 0.07
    init_sigma: float = 0.01
    init_bias: float = 0.0
    bias_lr_mult: float = 1.0
    bias_wd_mult: float = 0.0
    balance_multiclass_weights: bool = False
    accuracy_top_k: int = 3
    optimizer: str = "adam"
    beta_1: float | None = None
    beta_2: float = 0.999
    momentum: float = 0.0
    balanced: bool = False
    shape: Shape = field(default_factory=Shape)
    criterion: Criterion = field(default_factory=Criterion)
    asked: Asked = field(default_factory=Asked)
    seed: int = 1

    @property
    def classes(self) -> int:
        """Weight rows of one model."""
        return self.num_classes if self.predictor_type == "multiclass_classifier" else 1

    def weighing(self, balance: float) -> Asked:
        """What was asked of each model, given the weight that balances the classes."""
        return replace(self.asked, positive_weight=balance) if self.balanced else self.asked


def read(given: Mapping[str, str]) -> Settings:
    """The settings of a job. Raises UserError with every violation."""
    parsed = parse(TABLE, given, FIRST_PARTY)
    _check_finite(parsed)
    value = with_defaults(TABLE, parsed)
    _check_classes(value)
    known = {name: _known(value[name]) for name in _FIELDS}
    return Settings(
        loss=_loss(value),
        num_classes=_known(value["num_classes"]) or 2,
        num_models=1 if value["_tuning_objective_metric"] else _known(value["num_models"]),
        num_calibration_samples=_known(value["num_calibration_samples"]) or CALIBRATION_SAMPLES,
        optimizer="adam" if value["optimizer"] == "auto" else value["optimizer"],
        balanced=value["positive_example_weight_mult"] == "balanced",
        shape=Shape(**{name: value[name] for name in Shape.__dataclass_fields__}),
        criterion=Criterion(
            name=value["binary_classifier_model_selection_criteria"],
            f_beta=value["f_beta"],
            target_recall=value["target_recall"],
            target_precision=value["target_precision"],
        ),
        asked=_asked(value),
        **known,
        **{name: _known(value[name]) for name in _DEFAULTED if value[name] != "auto"},
    )


_FIELDS = (
    "predictor_type",
    "feature_dim",
    "epochs",
    "mini_batch_size",
    "use_bias",
    "normalize_data",
    "normalize_label",
    "unbias_data",
    "unbias_label",
    "num_point_for_scaler",
    "early_stopping_patience",
    "early_stopping_tolerance",
    "init_method",
    "init_scale",
    "init_sigma",
    "init_bias",
    "balance_multiclass_weights",
    "accuracy_top_k",
    "beta_1",
)
"""Hyperparameters that a field of the same name takes over, None for `auto`."""

_DEFAULTED = ("beta_2", "momentum", "bias_lr_mult", "bias_wd_mult")
"""Those whose `auto` is the default of the field of the same name."""


def _known(value: Any) -> Any:
    return None if value == "auto" else value


def _asked(value: Mapping[str, Any]) -> Asked:
    weight = value["positive_example_weight_mult"]
    binary = value["predictor_type"] == "binary_classifier"
    return Asked(
        learning_rate=_known(value["learning_rate"]),
        wd=_known(value["wd"]),
        l1=_known(value["l1"]),
        use_lr_scheduler=value["use_lr_scheduler"],
        lr_scheduler_step=_known(value["lr_scheduler_step"]),
        lr_scheduler_factor=_known(value["lr_scheduler_factor"]),
        lr_scheduler_minimum_lr=_known(value["lr_scheduler_minimum_lr"]),
        positive_weight=_known(weight) if binary and weight != "balanced" else 1.0,
    )


def _check_finite(parsed: Mapping[str, Any]) -> None:
    for name, value in parsed.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(
                FIRST_PARTY.ill_typed.format(name=name, value=value, expected="a finite number")
            )


def _check_classes(value: Mapping[str, Any]) -> None:
    if value["predictor_type"] != "multiclass_classifier":
        return
    classes = value["num_classes"]
    if classes is None:
        raise UserError(
            "num_classes must be provided when predictor_type is 'multiclass_classifier': "
            "the labels are expected to be integers from 0 to num_classes - 1."
        )
    if classes < 3:
        raise UserError(
            f"num_classes is {classes}, but a multiclass_classifier needs at least 3 classes. "
            "Use predictor_type 'binary_classifier' for 2."
        )


def _loss(value: Mapping[str, Any]) -> str:
    kind, loss = value["predictor_type"], value["loss"]
    if loss == "auto":
        return LOSSES[kind][0]
    if loss not in LOSSES[kind]:
        raise UserError(
            f"loss '{loss}' cannot be used with predictor_type '{kind}'. "
            f"Use one of: {', '.join(('auto', *LOSSES[kind]))}."
        )
    return str(loss)
