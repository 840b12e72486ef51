"""What a job of linear-learner makes of its hyperparameters.

Knows no data: what depends on data (`auto` step sizes) is settled in `fitting`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from studio.algorithms.linear_learner import LOSSES, hyperparameters
from studio.algorithms.linear_learner.losses import Shape
from studio.algorithms.linear_learner.selection import Criterion
from studio.algorithms.linear_learner.variations import Asked

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
    """The settings of a job. Raises Invalid with every fault."""
    value = hyperparameters.read(given)
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


def _loss(value: Mapping[str, Any]) -> str:
    loss: str = value["loss"]
    return LOSSES[value["predictor_type"]][0] if loss == "auto" else loss
