"""Experiments as AWS's own packages track them: `smexperiments`, and Run of two generations."""

import pytest
from sdk_programs import PYTHONS, run

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not all(python.exists() for python in PYTHONS.values()), reason="`make setup` makes them"
    ),
]


@pytest.fixture(scope="module")
def told(studio, tmp_path_factory):
    """What the programs told: both run at the same time."""
    folder = tmp_path_factory.mktemp("experiments")
    return run(("v2_experiments", "v3_experiments"), studio.env, folder)


def test_trackers_of_sagemaker_experiments(told):
    values = told["v2_experiments"].values
    assert values["parameters"] == {"mean": 0.1307, "std": 0.3081, "kind": "torch", "epochs": 3.0}
    assert (values["status"], values["epochs"]) == ("Completed", 4.0)
    assert values["inputs"] == ["data"]
    assert values["outputs"] == {"prepared": None, "notes": "text/plain"}
    assert values["charts"] == {
        "scores": "Table",
        "curve": "PrecisionRecallCurve",
        "roc": "ROCCurve",
        "confusion": "ConfusionMatrix",
    }
    assert values["components"] == values["searched"] == ["Preprocessing"]
    assert values["trials"] == ["cnn-1"]
    assert values["left"] == []


def test_the_table_of_an_experiment(told):
    values = told["v2_experiments"].values
    assert values["row"] == ["Preprocessing", 0.1307, "torch"]
    assert {"TrialComponentName", "mean", "data - Value", "Trials", "Experiments"} <= set(
        values["columns"]
    )


def test_runs_of_version_2(told):
    values = told["v2_experiments"].values
    assert values["same"] == values["existing"] == "first"
    assert values["runs"] == ["first"]
    assert values["losses"] == {"Min": 0.01, "Max": 1.0, "Last": 0.01, "Count": 26.0}
    assert (values["lr"], values["completed"]) == (0.2, "Completed")
    assert values["groups"] == ["Default-Run-Group-digits"]


def test_runs_of_version_3(told):
    values = told["v3_experiments"].values
    assert (values["runs"], values["status"]) == (["one"], "Completed")
    assert values["parameters"] == {
        "lr": {"NumberValue": 0.1},
        "optimizer": {"StringValue": "adam"},
    }
    assert values["loss"] == {"Count": 26, "Min": 0.01, "Max": 1.0, "Last": 0.01}


def test_nobody_else_hears_of_it(told):
    assert [it.strangers for it in told.values()] == [[], []]
