"""Image URIs of any region lead to the programs that run here; others are refused by name."""

import sys

import pytest

from studio.api import images
from studio.errors import ValidationException

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


def test_python_is_this_python_and_needs_a_command():
    for tag in (VERSION, f"{VERSION}-slim", "latest"):
        assert images.find(f"python:{tag}").needs_command
    with pytest.raises(ValidationException):
        images.find("python:2.7")


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
