"""The hyperparameters of XGBoost as a table, and the rules between them.

Names, ranges and texts of errors are those of AWS's container. It imports no XGBoost.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from studio.algorithms.hyperparameters import (
    NO_EFFECT,
    Fault,
    Hyperparameter,
    Interval,
    Invalid,
    When,
    Wording,
    parse,
)
from studio.algorithms.xgboost import MAXIMIZED, MINIMIZED

OBJECTIVES = (
    "binary:hinge", "binary:logistic", "binary:logitraw", "count:poisson", "multi:softmax",
    "multi:softprob", "rank:map", "rank:ndcg", "rank:pairwise", "reg:absoluteerror", "reg:gamma",
    "reg:linear", "reg:logistic", "reg:pseudohubererror", "reg:squarederror",
    "reg:squaredlogerror", "reg:tweedie", "survival:aft", "survival:cox",
)  # fmt: skip

_WORDING = Wording(
    unknown="Extraneous hyperparameter found: {name}",
    missing="Missing required hyperparameter: {name}",
    ill_typed="Hyperparameter {name}: could not parse value '{value}', which is not {expected}",
    out_of_range="Hyperparameter {name}: {value} is not in {valid}",
)
_THRESHOLD_METRICS = ("error", "ndcg", "map")
_TREE_UPDATERS = (
    "grow_colmaker", "distcol", "grow_histmaker", "grow_local_histmaker", "grow_skmaker",
    "grow_quantile_histmaker", "sync", "refresh", "prune",
)  # fmt: skip
_GROWERS = (*_TREE_UPDATERS[:4], "grow_quantile_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_UNIT, _POSITIVE, _FROM_ZERO = Interval(0, 1), Interval(0, open_low=True), Interval(0)
_SHARE = Interval(0, 1, open_low=True)
_FLAG, _COUNT = Interval(0, 1), Interval(1)


_DART = When("booster", ("dart",))


def _objective(*names: str) -> When:
    return When("objective", names)


_MULTI = _objective("multi:softmax", "multi:softprob")


def _metric_with_threshold(text: str) -> bool:
    name, at, threshold = text.partition("@")
    try:
        float(threshold.removesuffix("-"))
    except ValueError:
        return False
    return bool(at) and name in _THRESHOLD_METRICS


def _row(name: str, kind: str, default: Any = None, **rest: Any) -> Hyperparameter:
    return Hyperparameter(name, kind, default, **rest)


TABLE: tuple[Hyperparameter, ...] = (
    _row("num_round", "integer", required=True, range=_COUNT, tunable=Interval(1, 4000),
         help="Rounds of boosting: trees, or trees per class."),
    _row("objective", "choice", "reg:squarederror", choices=OBJECTIVES,
         common=True, help="What is learnt, and the loss that is minimised."),
    _row("num_class", "integer", range=Interval(2),
         common=True, when=_MULTI,
         help="Number of classes; required for multi:softmax and multi:softprob."),
    _row("eval_metric", "choices", choices=tuple(sorted((*MAXIMIZED, *MINIMIZED))),
         valid=_metric_with_threshold,
         common=True,
         help="Metrics of each round, comma-separated; the default depends on the objective. "
              "error, ndcg and map take a threshold: error@0.7, ndcg@10."),
    _row("early_stopping_rounds", "integer", range=_COUNT,
         common=True,
         help="Stop when the last metric on validation did not improve for so many rounds."),
    _row("booster", "choice", "gbtree", choices=("gbtree", "gblinear", "dart"),
         help="Trees, a linear model, or trees with dropout."),
    _row("eta", "float", 0.3, range=_UNIT, tunable=Interval(0.1, 0.5), aliases=("learning_rate",),
         common=True, help="Shrinkage of each step."),
    _row("gamma", "float", 0, range=_FROM_ZERO, tunable=Interval(0, 5), aliases=("min_split_loss",),
         common=True, help="Loss that a split must save."),
    _row("max_depth", "integer", 6, range=_FROM_ZERO, tunable=Interval(0, 10),
         common=True, help="Depth of a tree; 0: no limit."),
    _row("min_child_weight", "float", 1, range=_FROM_ZERO, tunable=Interval(0, 120),
         common=True, help="Least sum of instance weights in a leaf."),
    _row("max_delta_step", "float", 0, range=_FROM_ZERO, tunable=Interval(0, 10),
         help="Limit of a leaf's step; 0: none."),
    _row("subsample", "float", 1, range=_SHARE, tunable=Interval(0.5, 1),
         common=True, help="Share of the rows that a tree sees."),
    _row("sampling_method", "choice", "uniform", choices=("uniform", "gradient_based"),
         help="How rows are sampled; gradient_based needs a GPU."),
    _row("colsample_bytree", "float", 1, range=_SHARE, tunable=Interval(0.5, 1),
         common=True, help="Share of the columns that a tree sees."),
    _row("colsample_bylevel", "float", 1, range=_SHARE, tunable=Interval(0.1, 1),
         help="Share of the columns that a level sees."),
    _row("colsample_bynode", "float", 1, range=_SHARE, tunable=Interval(0.1, 1),
         help="Share of the columns that a split sees."),
    _row("lambda", "float", 1, range=_FROM_ZERO, tunable=Interval(0, 1000),
         aliases=("reg_lambda",), common=True, help="L2 penalty of the weights."),
    _row("alpha", "float", 0, range=_FROM_ZERO, tunable=Interval(0, 1000), aliases=("reg_alpha",),
         common=True, help="L1 penalty of the weights."),
    _row("scale_pos_weight", "float", 1, range=_POSITIVE,
         common=True, help="Weight of the positive rows."),
    _row("base_score", "float", 0.5, range=_FROM_ZERO, help="Prediction before the first tree."),
    _row("csv_weights", "integer", 0, range=_FLAG,
         help="1: the second CSV column is the weight of the row."),
    _row("tree_method", "choice", "auto", choices=("auto", "exact", "approx", "hist", "gpu_hist"),
         help="How splits are found; gpu_hist is hist on a GPU."),
    _row("device", "text", help="cpu, cuda or cuda:N."),
    _row("grow_policy", "choice", "depthwise", choices=("depthwise", "lossguide"),
         help="Which leaf is split next."),
    _row("max_leaves", "integer", 0, range=_FROM_ZERO, help="Leaves of a tree; 0: no limit."),
    _row("max_bin", "integer", 256, range=Interval(2), help="Bins of a column's histogram."),
    _row("num_parallel_tree", "integer", 1, range=_COUNT, help="Trees of each round."),
    _row("monotone_constraints", "literal", range=Interval(-1, 1),
         help="-1, 0 or 1 per column: (1, 0, -1). tree_method must be exact or hist."),
    _row("interaction_constraints", "literal", range=_FROM_ZERO,
         help="Groups of columns that may meet in a tree: [[0, 1], [2, 3, 4]]."),
    _row("updater", "choices", choices=(*_TREE_UPDATERS, *_LINEAR_UPDATERS),
         help="Steps that build or change trees, comma-separated."),
    _row("process_type", "choice", "default", choices=("default", "update"),
         help="Build trees, or update those of a model."),
    _row("refresh_leaf", "integer", 1, range=_FLAG, help="With the updater refresh: leaves too."),
    _row("sample_type", "choice", "uniform", choices=("uniform", "weighted"),
         when=_DART, help="dart: how dropped trees are chosen."),
    _row("normalize_type", "choice", "tree", choices=("tree", "forest"),
         when=_DART, help="dart: weight of the new trees."),
    _row("rate_drop", "float", 0.0, range=_UNIT,
         when=_DART, help="dart: share of trees that are dropped."),
    _row("one_drop", "integer", 0, range=_FLAG,
         when=_DART, help="dart: 1: drop one tree at least."),
    _row("skip_drop", "float", 0.0, range=_UNIT,
         when=_DART, help="dart: probability to drop none."),
    _row("tweedie_variance_power", "float", 1.5, range=Interval(1, 2, True, True),
         when=_objective("reg:tweedie"), help="reg:tweedie: variance of the distribution."),
    _row("huber_slope", "float", 1.0, range=_POSITIVE,
         when=_objective("reg:pseudohubererror"), help="reg:pseudohubererror: its slope."),
    _row("aft_loss_distribution", "choice", "normal", choices=("normal", "logistic", "extreme"),
         when=_objective("survival:aft"), help="survival:aft: distribution of the noise."),
    _row("aft_loss_distribution_scale", "float", 1.0, range=_POSITIVE,
         when=_objective("survival:aft"), help="survival:aft: scale of the noise."),
    _row("nthread", "integer", range=_COUNT, help="Threads; default: all that the job has."),
    _row("seed", "integer", 0, range=Interval(-(2**31), 2**31 - 1),
         common=True, help="Random seed."),
    _row("verbosity", "integer", 1, range=Interval(0, 3),
         help="Messages of XGBoost: 0 none, 1 warnings, 2 information, 3 everything."),
    _row("save_model_on_termination", "boolean", False,
         help="Whether a stopped job keeps the model of its last round."),
    _row("predictor", "choice", "auto", choices=("auto", "cpu_predictor", "gpu_predictor"),
         help="Accepted; XGBoost chooses by itself."),
    _row("dsplit", "choice", choices=("row", "col"), help=NO_EFFECT),
    _row("sketch_eps", "float", 0.03, range=Interval(0, 1, True, True),
         help="Accepted without effect: see max_bin."),
    _row("single_precision_histogram", "boolean", False, help=NO_EFFECT),
    _row("deterministic_histogram", "boolean", True, help=NO_EFFECT),
    _row("prob_buffer_row", "float", 1.0, range=_SHARE, help=NO_EFFECT),
    _row("lambda_bias", "float", 0, range=_UNIT, help=NO_EFFECT),
    _row("use_dask_gpu_training", "boolean", False, help=NO_EFFECT),
    _row("_kfold", "integer", range=Interval(2), help="Not supported: cross-validation."),
    _row("_num_cv_round", "integer", range=_COUNT, help="Not supported: cross-validation."),
    _row("_tuning_objective_metric", "text", help="Set by tuning jobs."),
)  # fmt: skip

IGNORED = (
    "predictor", "dsplit", "sketch_eps", "single_precision_histogram", "deterministic_histogram",
    "prob_buffer_row", "lambda_bias", "use_dask_gpu_training",
)  # fmt: skip
"""Accepted because AWS's container does; this XGBoost no longer knows them."""


def read(given: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters that were given, parsed. Raises Invalid with every fault."""
    values = parse(TABLE, given, _WORDING)
    faults = list(_conflicts(values))
    if faults:
        raise Invalid(faults)
    return values


def _conflicts(values: Mapping[str, Any]) -> Iterator[Fault]:
    objective = values.get("objective", "reg:squarederror")
    tree_method = values.get("tree_method")
    metrics = values.get("eval_metric", [])
    if objective.startswith("multi:") and "num_class" not in values:
        text = "Require input for parameter 'num_class' for multi-classification"
        yield Fault("num_class", text)
    if not objective.startswith("multi:") and "num_class" in values:
        text = "Do not need to setup parameter 'num_class' for learning task other than "
        yield Fault("num_class", f"{text}multi-classification.")
    if "auc" in metrics and not objective.startswith(("binary:", "rank:")):
        text = "Metric 'auc' can only be applied for classification and ranking problems."
        yield Fault("eval_metric", text)
    if "aft-nloglik" in metrics and objective != "survival:aft":
        text = "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective."
        yield Fault("eval_metric", text)
    for name, methods in _CONSTRAINTS.items():
        if name in values and tree_method not in methods:
            yield Fault(name, _TREE_METHOD.format(name=name, methods=_either(methods)))
    for name in sorted({"_kfold", "_num_cv_round"} & values.keys()):
        text = "_kfold and _num_cv_round ask for cross-validation, which is not supported here."
        yield Fault(name, text)
    if "updater" in values:
        for text in _updater_conflicts(values["updater"], values):
            yield Fault("updater", text)


_TREE_METHOD = "{name} can be used only when the tree_method parameter is set to either {methods}."
_CONSTRAINTS = {
    "monotone_constraints": ("exact", "hist"),
    "interaction_constraints": ("exact", "hist", "approx"),
}


def _either(words: tuple[str, ...]) -> str:
    *first, last = map(repr, words)
    return f"{', '.join(first)} or {last}"


def _updater_conflicts(updaters: list[str], values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("booster") == "gblinear":
        if len(updaters) != 1 or updaters[0] not in _LINEAR_UPDATERS:
            yield f"Linear updater should be one of these options: {', '.join(_LINEAR_UPDATERS)}."
    elif values.get("process_type") == "update":
        if not set(updaters) <= {"refresh", "prune"}:
            yield "process_type 'update' can only be used with updater 'refresh' and 'prune'"
    elif not set(updaters) <= set(_TREE_UPDATERS):
        yield f"Tree updater should be selected from these options: {', '.join(_TREE_UPDATERS)}."
    elif sum(updater in _GROWERS for updater in updaters) > 1:
        yield f"Only one tree grow plugin can be selected. Choose one of: {', '.join(_GROWERS)}."
