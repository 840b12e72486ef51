import pytest

from studio.algorithms.base import UserError
from studio.algorithms.hyperparameters import (
    FIRST_PARTY,
    Hyperparameter,
    Interval,
    parse,
    with_defaults,
)
from studio.algorithms.xgboost import hyperparameters as xgboost
from studio.algorithms.xgboost import version

_TABLE = (
    Hyperparameter("epochs", "integer", 15, required=True, range=Interval(1)),
    Hyperparameter("rate", "float", "auto", range=Interval(0, open_low=True), words=("auto",)),
    Hyperparameter("bias", "boolean", True),
    Hyperparameter("groups", "literal", range=Interval(0)),
)


def test_values_are_parsed() -> None:
    given = {"epochs": '"5"', "rate": "auto", "bias": "True", "groups": "[[0, 1], (2,)]"}
    values = parse(_TABLE, given, FIRST_PARTY)
    assert values == {"epochs": 5, "rate": "auto", "bias": True, "groups": [[0, 1], (2,)]}
    assert with_defaults(_TABLE, {"epochs": 1})["rate"] == "auto"


def test_every_violation_is_reported_at_once() -> None:
    with pytest.raises(UserError) as caught:
        parse(_TABLE, {"rate": "0", "bias": "maybe", "epoch": "3"}, FIRST_PARTY)
    assert str(caught.value).splitlines() == [
        "Additional hyperparameters are not allowed ('epoch' was unexpected) "
        "(caused by ValidationError)",
        "No value(s) were specified for 'epochs' which are required hyperparameter(s) "
        "(caused by ValidationError)",
        "'0' is not valid for hyperparameter 'rate': it must be in 'auto' or (0, +inf) "
        "(caused by ValidationError)",
        "'maybe' is not true or false for hyperparameter 'bias' (caused by ValidationError)",
    ]


@pytest.mark.parametrize("text", ["nan", "1e", "", "0x10"])
def test_a_number_that_is_none(text: str) -> None:
    with pytest.raises(UserError, match="rate"):
        parse(_TABLE, {"epochs": "1", "rate": text}, FIRST_PARTY)


def test_a_literal_runs_no_code() -> None:
    with pytest.raises(UserError, match="groups"):
        parse(_TABLE, {"epochs": "1", "groups": "[__import__('os').getpid()]"}, FIRST_PARTY)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"max_dept": "3"}, "Extraneous hyperparameter found: max_dept"),
        ({"eta": "abc"}, "Hyperparameter eta: could not parse value 'abc'"),
        ({"max_depth": "5.0"}, "Hyperparameter max_depth: could not parse value '5.0'"),
        ({"eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0 is not in (0, 1]"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"objective": "binary:x"}, "Hyperparameter objective: binary:x is not in ['binary:hinge'"),
        ({"eval_metric": "auc,nope"}, "Hyperparameter eval_metric: auc,nope is not in"),
        ({"eval_metric": "auc@3"}, "Hyperparameter eval_metric: auc@3 is not in"),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        ({"num_class": "3"}, "Do not need to setup parameter 'num_class'"),
        ({"eval_metric": "auc"}, "Metric 'auc' can only be applied for classification and rank"),
        ({"monotone_constraints": "(1, 0)"}, "monotone_constraints can be used only when"),
        ({"interaction_constraints": "[[0, 1]]"}, "interaction_constraints can be used only when"),
        ({"_kfold": "5"}, "cross-validation, which is not supported"),
        ({"booster": "gblinear", "updater": "prune"}, "Linear updater should be one of"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin"),
        ({"process_type": "update", "updater": "grow_colmaker"}, "process_type 'update'"),
    ],
)
def test_xgboost_errors_are_those_of_aws(given: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        xgboost.read(({"num_round": "1"} | given) if given else {})
    assert message in str(caught.value)


def test_xgboost_values_and_aliases() -> None:
    given = {"num_round": "50", "learning_rate": "0.2", "reg_alpha": "1", "min_split_loss": "4",
             "eval_metric": "error@0.7, ndcg@10-", "tree_method": "hist", "objective": "rank:ndcg",
             "monotone_constraints": "(1, 0, -1)"}  # fmt: skip
    assert xgboost.read(given) == {
        "num_round": 50,
        "eta": 0.2,
        "alpha": 1.0,
        "gamma": 4.0,
        "eval_metric": ["error@0.7", "ndcg@10-"],
        "tree_method": "hist",
        "objective": "rank:ndcg",
        "monotone_constraints": (1, 0, -1),
    }


def test_tags_name_versions() -> None:
    tags = ("1", "latest", "0.90-2-cpu-py3", "1.7-1", "3.0-5")
    assert [version(tag) for tag in tags] == [(0, 72), (0, 72), (0, 90), (1, 7), (3, 0)]
