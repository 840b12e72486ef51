"""linear-learner: linear models for regression and classification, many trained at once.

Light to import: the control plane reads `IMAGE`; numbers load with the program.
"""

from studio.algorithms.image import Image
from studio.algorithms.inputs import CSV, RECORDIO, Accepted, Input, Inputs

LOSSES = {
    "binary_classifier": ("logistic", "hinge_loss"),
    "multiclass_classifier": ("softmax_loss",),
    "regressor": (
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ),
}
"""The losses that each predictor type takes; the first one is what `auto` means."""

LOSS_CRITERIA = ("loss_function", "cross_entropy_loss")
CRITERIA = (
    "accuracy",
    "f1",
    "f_beta",
    "precision_at_target_recall",
    "recall_at_target_precision",
    *LOSS_CRITERIA,
)
"""What a binary classifier may be selected by."""

_LINE = r"#quality_metric: host=\S+, "

_FINAL = {
    "absolute_loss": r"absolute_loss <loss>=(\S+)",
    "binary_classification_accuracy": r"binary_classification_accuracy <score>=(\S+)",
    "binary_f_beta": r"binary_f_\S+ <score>=(\S+)",
    "dcg": r"dcg <score>=(\S+)",
    "macro_f_beta": r"macro_f_\S+ <score>=(\S+)",
    "macro_precision": r"macro_precision <score>=(\S+)",
    "macro_recall": r"macro_recall <score>=(\S+)",
    "mse": r"mse <loss>=(\S+)",
    "multiclass_accuracy": r"multiclass_accuracy <score>=(\S+)",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+ <score>=(\S+)",
    "precision": r"precision <score>=(\S+)",
    "recall": r"recall <score>=(\S+)",
    "roc_auc_score": r"roc_auc_score <score>=(\S+)",
}
"""Scores of the final model, by the name that metrics have and the text that log lines have."""

_TRAIN = ("absolute_loss", "binary_classification_accuracy", "binary_f_beta", "mse")
"""Final scores on training data: printed when there is no validation; a model may have 40 metrics
in all."""


def _final(split: str, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{split}:{name}", f"{_LINE}{split} {_FINAL[name]}") for name in names)


IMAGE = Image(
    name="linear-learner",
    repositories=("linear-learner",),
    tags=("1", "latest"),
    module="studio.algorithms.linear_learner",
    uri="382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
    metrics=(
        *_final("validation", tuple(_FINAL)),
        ("validation:rmse", _LINE + r"validation rmse <loss>=(\S+)"),
        (
            "validation:objective_loss",
            _LINE + r"epoch=\S+, validation \S+_objective <loss>=(\S+)",
        ),
        ("validation:objective_loss:final", _LINE + r"validation \S+_objective <loss>=(\S+)"),
        *_final("test", tuple(_FINAL)),
        ("test:objective_loss", _LINE + r"test \S+_objective <loss>=(\S+)"),
        *_final("train", _TRAIN),
        ("train:objective_loss", _LINE + r"epoch=\S+, train \S+_objective <loss>=(\S+)"),
        ("train:objective_loss:final", _LINE + r"train \S+_objective <loss>=(\S+)"),
        ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
        (
            "train:throughput",
            r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
        ),
    ),
    title="Linear learner",
    description="Linear models for regression and classification: many are trained at once, the "
    "best one is kept.",
    inputs=Inputs(
        channels=(
            Input("train", "Labelled rows; in CSV the label is the first column.", required=True),
            Input("validation", "Rows that choose the best of the models."),
            Input("test", "Rows that the best model is scored on."),
        ),
        accepted=Accepted(formats=(RECORDIO, CSV), default=RECORDIO),
    ),
    requests=(
        "text/csv",
        "application/json",
        "application/jsonlines",
        "application/x-recordio-protobuf",
    ),
)
