"""The hyperparameters of linear-learner: the documented table, and the rules between its rows.

Source: AWS's page "Linear learner hyperparameters", and the default configuration that its jobs
print. It imports no NumPy; what a job makes of the values is in `settings`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from studio.algorithms.hyperparameters import (
    FIRST_PARTY,
    NO_EFFECT,
    Fault,
    Hyperparameter,
    Interval,
    Invalid,
    When,
    parse,
    with_defaults,
)
from studio.algorithms.linear_learner import CRITERIA, LOSSES

_AUTO = ("auto",)
_POSITIVE = Interval(low=0, open_low=True)
_NATURAL = Interval(low=1)
_NOT_NEGATIVE = Interval(low=0)
_FRACTION = Interval(low=0, high=1, open_low=True, open_high=True)
_DECAY = Interval(low=0, high=1, open_high=True)

_BINARY = When("predictor_type", ("binary_classifier",))
_MULTICLASS = When("predictor_type", ("multiclass_classifier",))
_REGRESSOR = When("predictor_type", ("regressor",))
_ADAM = When("optimizer", ("auto", "adam"))
_SCHEDULED = When("use_lr_scheduler", ("true",))


def _selected_by(criterion: str) -> When:
    return When("binary_classifier_model_selection_criteria", (criterion,))


_Row = Hyperparameter

TABLE = (
    _Row("predictor_type", "choice", required=True, choices=tuple(LOSSES),
         help="What is predicted: one of two classes, one of several, or a number."),
    _Row("feature_dim", "integer", "auto", range=_NATURAL, words=_AUTO,
         help="Number of features; auto: as many as the data has."),
    _Row("num_classes", "integer", range=Interval(1, 1_000_000), common=True, when=_MULTICLASS,
         help="Number of classes, 3 or more; labels are 0 to num_classes - 1."),
    _Row("accuracy_top_k", "integer", 3, range=_NATURAL, when=_MULTICLASS,
         help="A prediction counts as right when the label is among its k best classes."),
    _Row("balance_multiclass_weights", "boolean", False, when=_MULTICLASS,
         help="Give each class the same weight in the loss."),
    _Row("beta_1", "float", "auto", range=_DECAY, words=_AUTO, when=_ADAM,
         help="Adam: decay of the mean of gradients."),
    _Row("beta_2", "float", "auto", range=_DECAY, words=_AUTO, when=_ADAM,
         help="Adam: decay of the mean of squared gradients."),
    _Row("bias_lr_mult", "float", "auto", range=_POSITIVE, words=_AUTO,
         help="The bias learns at this multiple of the learning rate."),
    _Row("bias_wd_mult", "float", "auto", range=_NOT_NEGATIVE, words=_AUTO,
         help="The bias has this multiple of the L2 penalty."),
    _Row("binary_classifier_model_selection_criteria", "choice", "accuracy", choices=CRITERIA,
         common=True, when=_BINARY,
         help="Which of the models is kept, judged on validation, else on training data."),
    _Row("early_stopping_patience", "integer", 3, range=_NATURAL,
         help="Epochs without improvement after which training ends."),
    _Row("early_stopping_tolerance", "float", 0.001, range=_NOT_NEGATIVE,
         help="Relative change of the loss that counts as an improvement."),
    _Row("epochs", "integer", 15, range=_NATURAL, common=True,
         help="Passes over the training data at most."),
    _Row("f_beta", "float", 1.0, range=_POSITIVE, when=_BINARY,
         help="Beta of the F score: above 1 recall counts more, below 1 precision."),
    _Row("huber_delta", "float", 1.0, range=_NOT_NEGATIVE, when=When("loss", ("huber_loss",)),
         help="Where the Huber loss turns from squared to absolute."),
    _Row("init_bias", "float", 0.0, help="The bias before training."),
    _Row("init_method", "choice", "uniform", choices=("uniform", "normal"),
         help="Distribution of the weights before training."),
    _Row("init_scale", "float", 0.07, range=_POSITIVE, when=When("init_method", ("uniform",)),
         help="Uniform weights lie between this and its negative."),
    _Row("init_sigma", "float", 0.01, range=_POSITIVE, when=When("init_method", ("normal",)),
         help="Standard deviation of normal weights."),
    _Row("l1", "float", "auto", range=_NOT_NEGATIVE, words=_AUTO, tunable=Interval(1e-7, 1),
         common=True, help="L1 penalty of the weights; 0: none."),
    _Row("learning_rate", "float", "auto", range=_POSITIVE, words=_AUTO,
         tunable=Interval(1e-5, 1), common=True, help="Step size of the optimizer."),
    _Row("loss", "choice", "auto", common=True,
         choices=("auto", *(name for names in LOSSES.values() for name in names)),
         help="Loss that is minimised. auto: logistic for two classes, softmax_loss for several, "
              "squared_loss for numbers."),
    _Row("loss_insensitivity", "float", 0.01, range=_POSITIVE,
         when=When("loss", ("eps_insensitive_squared_loss", "eps_insensitive_absolute_loss")),
         help="Errors up to this size cost nothing."),
    _Row("lr_scheduler_factor", "float", "auto", range=_FRACTION, words=_AUTO, when=_SCHEDULED,
         help="The learning rate is multiplied by this after each lr_scheduler_step."),
    _Row("lr_scheduler_minimum_lr", "float", "auto", range=_POSITIVE, words=_AUTO,
         when=_SCHEDULED, help="The learning rate does not fall below this."),
    _Row("lr_scheduler_step", "integer", "auto", range=_NATURAL, words=_AUTO, when=_SCHEDULED,
         help="Optimizer steps between two decreases of the learning rate."),
    _Row("margin", "float", 1.0, range=_NOT_NEGATIVE, when=When("loss", ("hinge_loss",)),
         help="Margin of the hinge loss."),
    _Row("mini_batch_size", "integer", 1000, range=_NATURAL, tunable=Interval(100, 5000),
         common=True, help="Records of one step; no more than channel train has."),
    _Row("momentum", "float", "auto", range=_DECAY, words=_AUTO, when=When("optimizer", ("sgd",)),
         help="Momentum of sgd."),
    _Row("normalize_data", "boolean", True, words=_AUTO, common=True,
         help="Scale each feature to standard deviation 1 for training."),
    _Row("normalize_label", "boolean", "auto", words=_AUTO, when=_REGRESSOR,
         help="Scale the label to standard deviation 1 for training."),
    _Row("num_calibration_samples", "integer", "auto", range=_NATURAL, words=_AUTO,
         help="Records of validation that choose the threshold of a classifier."),
    _Row("num_models", "integer", "auto", range=_NATURAL, words=_AUTO, common=True,
         help="Models that are trained at once, with other penalties and learning rates each."),
    _Row("num_point_for_scaler", "integer", 10_000, range=_NATURAL,
         help="Records from which means and deviations are estimated."),
    _Row("optimizer", "choice", "auto", choices=("auto", "sgd", "adam", "rmsprop"),
         help="How steps are taken; auto: adam."),
    _Row("positive_example_weight_mult", "float", 1.0, range=_POSITIVE,
         words=("balanced", "auto"), tunable=Interval(1e-5, 1e5), common=True, when=_BINARY,
         help="Weight of label 1 against label 0; balanced: both classes weigh the same."),
    _Row("quantile", "float", 0.5, range=_FRACTION, when=When("loss", ("quantile_loss",)),
         help="Quantile that is predicted."),
    _Row("target_precision", "float", 0.8, range=_FRACTION,
         when=_selected_by("recall_at_target_precision"),
         help="Precision at which recall is compared."),
    _Row("target_recall", "float", 0.8, range=_FRACTION,
         when=_selected_by("precision_at_target_recall"),
         help="Recall at which precision is compared."),
    _Row("unbias_data", "boolean", "auto", words=_AUTO,
         help="Shift each feature to mean 0 for training."),
    _Row("unbias_label", "boolean", "auto", words=_AUTO, when=_REGRESSOR,
         help="Shift the label to mean 0 for training."),
    _Row("use_bias", "boolean", True, tunable=("true", "false"),
         help="Whether the model has a bias."),
    _Row("use_lr_scheduler", "boolean", True, help="Whether the learning rate falls over time."),
    _Row("wd", "float", "auto", range=_NOT_NEGATIVE, words=_AUTO, tunable=Interval(1e-7, 1),
         common=True, help="L2 penalty of the weights (weight decay); 0: none."),
    # What the service and AWS's own defaults add; only the first one means something here.
    _Row("_tuning_objective_metric", "text", "", help="Set by tuning jobs."),
    *(
        _Row(name, "text", "", help=NO_EFFECT)
        for name in (
            "_kvstore", "_num_kv_servers", "_num_gpus", "_log_level", "_enable_profiler",
            "force_dense",
        )
    ),
)  # fmt: skip


def read(given: Mapping[str, str]) -> dict[str, Any]:
    """The values of all hyperparameters, parsed; "auto" stays. Raises Invalid with every fault."""
    values = with_defaults(TABLE, parse(TABLE, given, FIRST_PARTY))
    if faults := [*_not_finite(values), *_classes(values), *_losses(values)]:
        raise Invalid(faults)
    return values


def _not_finite(values: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            text = FIRST_PARTY.ill_typed.format(name=name, value=value, expected="a finite number")
            yield Fault(name, text)


def _classes(values: Mapping[str, Any]) -> Iterator[Fault]:
    if values["predictor_type"] != "multiclass_classifier":
        return
    classes = values["num_classes"]
    if classes is None:
        yield Fault(
            "num_classes",
            "num_classes must be provided when predictor_type is 'multiclass_classifier': "
            "the labels are expected to be integers from 0 to num_classes - 1.",
        )
    elif classes < 3:
        yield Fault(
            "num_classes",
            f"num_classes is {classes}, but a multiclass_classifier needs at least 3 classes. "
            "Use predictor_type 'binary_classifier' for 2.",
        )


def _losses(values: Mapping[str, Any]) -> Iterator[Fault]:
    kind, loss = values["predictor_type"], values["loss"]
    if loss not in ("auto", *LOSSES[kind]):
        yield Fault(
            "loss",
            f"loss '{loss}' cannot be used with predictor_type '{kind}'. "
            f"Use one of: {', '.join(('auto', *LOSSES[kind]))}.",
        )
