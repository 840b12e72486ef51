"""Three generations of AWS's SDK, unmodified, each in a virtual environment of its own.

Every program runs with the hook; those that can, without it too, as in a program that no hook
reaches. Nothing of them speaks to anybody but Studio.
"""

import re

import pytest
from sdk_programs import PYTHONS, finish, start

pytestmark = [
    pytest.mark.timeout(400),
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
    names = ("v1", "v2", "v3", "v2_remote", "v3_remote")
    running = {name: start(name, studio.env, folder) for name in names}
    return {name: finish(name, process, folder) for name, process in running.items()}


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_tutorials_of_the_older_generations(told, generation):
    values = told[generation].values
    assert (values["role"], values["bucket"]) == (ROLE, BUCKET)
    assert values["salary_error"] < 8_000
    assert values["accuracy"] > 0.88
    assert values["status"] == "InService"
    assert re.fullmatch(r"s3://\S+/output/model\.tar\.gz", values["attached"])
    assert {"train:logloss", "validation:logloss"} <= set(values["metrics"])
    assert values["kmeans"].endswith("/output/model.tar.gz")
    assert "Training job completed" in told[generation].output


def test_tutorials_of_the_newest_generation(told):
    values = told["v3"].values
    assert (values["role"], values["bucket"]) == (ROLE, BUCKET)
    assert values["accuracy"] > 0.88
    assert values["listed"]
    assert values["status"] == "InService"
    assert values["script"] == "Completed"


def test_remote_functions_run_in_the_environment_of_their_program(told):
    for name in ("v2_remote", "v3_remote"):
        values = told[name].values
        assert values["executable"] == values["own"]
        assert values["text"] == "HELLO"
        assert "in the job: hello" in told[name].output
    assert told["v2_remote"].values["error"] == "'nothing of that name'"
    assert told["v2_remote"].values["squares"] == [9, 16]


def test_nobody_else_hears_of_it(told):
    assert {name: each.strangers for name, each in told.items()} == {name: [] for name in told}
