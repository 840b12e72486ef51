"""Gradient boosted trees: SageMaker's `xgboost` and `sagemaker-xgboost` images.

Importing the package imports neither NumPy nor XGBoost: the control plane reads `IMAGE`.
"""

from studio.algorithms.image import Image
from studio.algorithms.inputs import CSV, LIBSVM, PARQUET, RECORDIO, Accepted, Input, Inputs

MAXIMIZED = (
    "accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg",
    "precision", "precision_macro", "precision_micro", "r2", "recall", "recall_macro",
    "recall_micro",
)  # fmt: skip
"""Metrics that are better when larger."""
MINIMIZED = (
    "aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik",
    "interval-regression-accuracy", "logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse",
    "poisson-nloglik", "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip

# A line goes on with #011, which is no space: (\S+) would take the next metric along.
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_TRAIN_METRICS = ("auc", "error", "logloss", "mae", "merror", "mlogloss", "rmse")
_VERSIONS = (
    "0.90-1", "0.90-2", "1.0-1", "1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5",
)  # fmt: skip


def _metric(split: str, name: str) -> tuple[str, str]:
    return f"{split}:{name}", rf".*\[[0-9]+\].*#011{split}-{name}:{_NUMBER}.*"


IMAGE = Image(
    name="xgboost",
    repositories=("xgboost", "sagemaker-xgboost"),
    tags=("1", "latest", *_VERSIONS, *(f"{version}-cpu-py3" for version in _VERSIONS)),
    module="studio.algorithms.xgboost",
    uri="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    # A request may name 40 definitions, so the answer has no more.
    metrics=(
        *(_metric("validation", name) for name in sorted((*MAXIMIZED, *MINIMIZED))),
        *(_metric("train", name) for name in _TRAIN_METRICS),
    ),
    title="XGBoost",
    description="Gradient boosted trees for tables: regression, classification and ranking.",
    inputs=Inputs(
        channels=(
            Input("train", "Labelled rows; in CSV the label is the first column.", required=True),
            Input("validation", "Rows that metrics and early stopping are judged on."),
        ),
        accepted=Accepted(
            formats=(CSV, LIBSVM, PARQUET, RECORDIO),
            default=LIBSVM,
            missing=True,
            delimiters=",;\t| ",
        ),
        missing="Missing required channel: {name}",
        unknown="Extraneous channel found: {name}",
    ),
    requests=("text/csv", "text/libsvm", "application/x-recordio-protobuf"),
)


def version(tag: str) -> tuple[int, int]:
    """(major, minor) of the XGBoost release that a tag stands for."""
    if tag in ("1", "latest"):
        return 0, 72
    major, minor = tag.partition("-")[0].split(".")
    return int(major), int(minor)
