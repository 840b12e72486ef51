"""Image URIs of any region lead to the programs that run here; others are refused by name."""

import sys

import pytest

from studio.api import images
from studio.errors import ValidationException
from studio.runners import interpreters
from studio.settings import Settings

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    "uri",
    [
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:3.0-5",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:0.90-2-cpu-py3",
        "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1",
        "390948362332.dkr.ecr.cn-northwest-1.amazonaws.com.cn/xgboost:latest",
        "xgboost:1",
    ],
)
def test_xgboost_of_any_region(uri):
    program = images.find(uri)
    assert program.entrypoint[:4] == (sys.executable, "-P", "-m", "studio.algorithms.xgboost")
    assert program.entrypoint[-1] == uri.rpartition(":")[2]
    assert "validation:auc" in dict(program.metrics)


def test_linear_learner_of_any_region():
    for registry in ("382416733822.dkr.ecr.us-east-1", "438346466558.dkr.ecr.eu-west-1"):
        program = images.find(f"{registry}.amazonaws.com/linear-learner:1")
        assert "studio.algorithms.linear_learner" in program.entrypoint


def test_python_needs_a_command_and_an_interpreter_of_its_version(tmp_path):
    settings = Settings(home=tmp_path)
    for tag in (VERSION, f"{VERSION}-slim", f"{VERSION}.1-slim-bookworm", "latest"):
        assert images.find(f"python:{tag}").needs_command
        assert images.interpreter(settings, f"python:{tag}", {}) == ""
    with pytest.raises(ValidationException, match="not found"):
        images.find("python:2.7")
    with pytest.raises(ValidationException, match="STUDIO_PYTHON, or in the setting job_python"):
        images.interpreter(settings, "python:3.8", {})


def test_an_interpreter_by_its_path(tmp_path):
    settings = Settings(home=tmp_path, job_python=sys.executable)
    assert images.interpreter(settings, "python:latest", {}) == sys.executable
    assert images.interpreter(settings, "xgboost:1", {"STUDIO_PYTHON": "/no"}) == ""
    for wrong in ("python3", "/bin/../bin/python3", "/etc/passwd", "/bin/sh", str(tmp_path)):
        with pytest.raises(ValidationException, match="STUDIO_PYTHON"):
            images.interpreter(settings, "python:latest", {"STUDIO_PYTHON": wrong})


def test_no_environment_shows_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("bin/python", f"lib/python{VERSION}/os.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch(mode=0o755)
    with pytest.raises(ValueError, match="belongs to no Python environment"):
        interpreters.find(str(tmp_path / "bin/python"))


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:9.9-9", "1.7-1"),
        ("pytorch-training:2.1.0-cpu-py310", "linear-learner"),
        ("alpine\nRUN id", "Invalid image URI"),
        ("-v/:/host", "Invalid image URI"),
        ("img@sha256:zz", "Invalid image URI"),
        ("", "Invalid image URI"),
    ],
)
def test_what_does_not_run_here_is_named_with_what_does(uri, named):
    with pytest.raises(ValidationException, match=named):
        images.find(uri)
