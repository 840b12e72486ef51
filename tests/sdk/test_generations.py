"""Three generations of AWS's SDK, unmodified, each in a virtual environment of its own.

The whole tutorials run with the hook, shorter programs without it, as where no hook can run. The
tutorials do run without it, up to the remote functions, for which the SDKs then know an image in
Python 3.8 and 3.10 only. But they take two to four minutes, most of it asleep between two questions
about a job, which the shorter programs ask themselves. Nothing of all this speaks to anybody but
Studio.
"""

import re

import pytest
from sdk_programs import PYTHONS, bare, run

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not all(python.exists() for python in PYTHONS.values()), reason="`make setup` makes them"
    ),
]

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
BUCKET = "sagemaker-us-east-1-000000000000"


@pytest.fixture(scope="module")
def told(studio, tmp_path_factory):
    """What the programs of a kind told: all of them run at the same time."""
    folder = tmp_path_factory.mktemp("hooked")
    return run(("v1", "v2", "v3"), studio.env, folder)


@pytest.mark.parametrize(("generation", "metric"), [("v1", "error"), ("v2", "logloss")])
def test_tutorials_of_the_older_generations(told, generation, metric):
    values = told[generation].values
    assert (values["role"], values["bucket"]) == (ROLE, BUCKET)
    assert values["salary_error"] < 8_000
    assert values["accuracy"] > 0.88
    assert values["status"] == "InService"
    assert re.fullmatch(r"s3://\S+/output/model\.tar\.gz", values["attached"])
    assert {f"train:{metric}", f"validation:{metric}"} <= set(values["metrics"])
    assert values["kmeans"].endswith("/output/model.tar.gz")
    assert "Training job completed" in told[generation].output


def test_tutorials_of_the_newest_generation(told):
    values = told["v3"].values
    assert (values["role"], values["bucket"]) == (ROLE, BUCKET)
    assert values["accuracy"] > 0.88
    assert values["batch"] == values["accuracy"]
    assert values["listed"]
    assert values["status"] == "InService"
    assert values["script"] == "Completed"


def test_scripts_train_and_serve(told):
    assert told["v1"].values["products"] == [[5.0, 10.0]]
    assert told["v2"].values["products"] == [[5.0, 10.0]]
    # The SDK approves what it deploys.
    assert told["v2"].values["registered"] == ["model-package/bank-v2/1", "Approved", True]
    for rank in ("0", "1"):
        assert f"launched {rank} of 2 at algo-1 True" in told["v2"].output
    assert ": ValueError: a factor of -1.0" in told["v2"].values["failure"]
    assert 'Command "python3 both.py --factor -1' in told["v2"].values["failure"]


def test_processors_run_scripts_and_folders_of_source(told):
    said = {generation: each.values["processed"] for generation, each in told.items()}
    assert said == {"v1": ["alone"], "v2": ["alone", "helped"], "v3": ["alone", "helped"]}


def test_remote_functions_run_in_the_environment_of_their_program(told):
    for generation in ("v2", "v3"):
        values = told[generation].values
        assert values["remote"] == [values["own"], "HELLO"]
        assert "in the job: hello" in told[generation].output
    assert told["v2"].values["error"] == "'nothing of that name'"


@pytest.fixture(scope="module")
def bare_told(studio, tmp_path_factory):
    """What the programs told that ran without the hook, all of them at the same time."""
    folder = tmp_path_factory.mktemp("bare")
    env = bare(studio, folder / "home")
    return run(("v1_bare", "v2_bare", "v3_bare"), env, folder)


def test_without_the_hook_the_lists_of_endpoints_lead_here(bare_told):
    for told in bare_told.values():
        assert (told.values["role"], told.values["bucket"]) == (ROLE, BUCKET)
    assert bare_told["v1_bare"].values["answers"] == 5
    assert bare_told["v2_bare"].values["answers"] == 5
    assert bare_told["v3_bare"].values["status"] == "Completed"


def test_one_endpoint_has_many_models(bare_told):
    values = bare_told["v2_bare"].values
    assert values["models"] == ["towns/one.tar.gz"]
    assert values["same"]


def test_models_in_a_line(bare_told):
    assert bare_told["v2_bare"].values["line"] == [True, "InService", True]


def test_nobody_else_hears_of_it(told, bare_told):
    every = told | bare_told
    assert {name: each.strangers for name, each in every.items()} == {name: [] for name in every}
