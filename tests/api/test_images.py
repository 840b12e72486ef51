"""Image URIs of any region lead to the programs that run here; others are refused by name."""

import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from plane import Plane

from studio.api import images
from studio.errors import ValidationException
from studio.runners import interpreters
from studio.settings import Settings

PROCESSES = Settings(Path("/nowhere"), runner="process")
SETTINGS = Settings(Path("/nowhere"))
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
    program = images.find(SETTINGS, uri)
    assert program.entrypoint[:4] == (sys.executable, "-P", "-m", "studio.algorithms.xgboost")
    assert program.entrypoint[-1] == uri.rpartition(":")[2]
    assert "validation:auc" in dict(program.metrics)


def test_linear_learner_of_any_region():
    for registry in ("382416733822.dkr.ecr.us-east-1", "438346466558.dkr.ecr.eu-west-1"):
        program = images.find(SETTINGS, f"{registry}.amazonaws.com/linear-learner:1")
        assert "studio.algorithms.linear_learner" in program.entrypoint


def test_python_needs_a_command_and_an_interpreter_of_its_version(tmp_path):
    settings = Settings(home=tmp_path)
    for tag in (VERSION, f"{VERSION}-slim", f"{VERSION}.1-slim-bookworm", "latest"):
        program = images.find(settings, f"python:{tag}")
        assert program.framework == "python"
        assert images.interpreter(settings, program, {}) == ""
    with pytest.raises(ValidationException, match="not found"):
        images.require(PROCESSES, images.find(PROCESSES, "python:2.7"))
    with pytest.raises(ValidationException, match="STUDIO_PYTHON, or in the setting job_python"):
        images.interpreter(settings, images.find(settings, "python:3.8"), {})


def test_an_interpreter_by_its_path(tmp_path):
    settings = Settings(home=tmp_path, job_python=sys.executable)
    python, xgboost = (images.find(settings, it) for it in ("python:latest", "xgboost:1"))
    assert images.interpreter(settings, python, {}) == sys.executable
    assert images.interpreter(settings, xgboost, {"STUDIO_PYTHON": "/no"}) == ""
    for wrong in ("python3", "/bin/../bin/python3", "/etc/passwd", "/bin/sh", str(tmp_path)):
        with pytest.raises(ValidationException, match="STUDIO_PYTHON"):
            images.interpreter(settings, python, {"STUDIO_PYTHON": wrong})


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
        ("tensorflow-training:2.1.0-cpu-py310", "linear-learner"),
        ("localhost:5000/pytorch-training:mine", "pytorch-training"),
        ("alpine\nRUN id", "Invalid image URI"),
        ("-v/:/host", "Invalid image URI"),
        ("img@sha256:zz", "Invalid image URI"),
        ("user:secret@registry.example.com/img:1", "Invalid image URI"),
        ("https://registry.example.com/img", "Invalid image URI"),
        ("", "Invalid image URI"),
    ],
)
def test_a35_what_does_not_run_here_is_named_with_what_does(uri, named):
    with pytest.raises(ValidationException, match=named):
        images.require(PROCESSES, images.find(PROCESSES, uri))


@pytest.mark.parametrize(
    ("uri", "scripted", "framework"),
    [
        (
            "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
            True,
            "sklearn",
        ),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", True, "xgboost"),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", False, ""),
        (
            "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.1-cpu-py310",
            True,
            "pytorch",
        ),
        (
            "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.1-cpu-py310",
            False,
            "pytorch",
        ),
        ("python:3.11", True, "python"),
    ],
)
def test_frameworks_run_scripts(uri, scripted, framework):
    program = images.find(SETTINGS, uri, scripted)
    assert program.framework == framework
    assert (program.image is None) == bool(framework)
    assert program.entrypoint[-1] == (framework or "1.7-1")


def test_rows_of_the_setting_come_first():
    rows = "team/*=script:sklearn, pytorch-training:2.1*=team/pytorch:2.1, boost=algorithm:xgboost"
    settings = Settings(home=Path("/nowhere"), images=rows)
    assert images.find(settings, "quay.io/team/train:4", True).framework == "sklearn"
    assert images.find(settings, "pytorch-training:2.1-cpu").container == "team/pytorch:2.1"
    assert images.find(settings, "pytorch-training:2.0-cpu").framework == "pytorch"
    assert images.find(settings, "boost:mine").image.name == "xgboost"


@pytest.mark.parametrize("rows", ["a", "a=", "=b", "a=script:R", "a=algorithm:none", "a=b c"])
def test_a_row_that_cannot_be_read_is_shown(rows):
    with pytest.raises(ValidationException, match="Setting images"):
        images.find(Settings(home=Path("/nowhere"), images=rows), "a:1")


def test_rows_of_a_home_are_replaced_as_a_whole(plane: Plane):
    studio = plane.client("studio")
    first = {"Pattern": "team/*", "Target": "quay.io/team/train:4"}
    second = {"Pattern": "boost", "Target": "algorithm:xgboost"}
    empty = studio.list_image_rows()
    told = studio.update_image_rows(Rows=[first, second], Revision=empty["Revision"])
    assert [it["Pattern"] for it in told["Rows"] if it["Editable"]] == ["team/*", "boost"]
    settings = plane.context.settings
    assert images.find(settings, "localhost:1/team/a:2").container == "quay.io/team/train:4"
    with pytest.raises(ClientError, match="Somebody else has changed the rows"):
        studio.update_image_rows(Rows=[first], Revision=empty["Revision"])
    # As after an answer that was lost.
    again = studio.update_image_rows(Rows=[first, second], Revision=empty["Revision"])
    assert again["Revision"] == told["Revision"]
    studio.update_image_rows(Rows=[], Revision=told["Revision"])
    assert studio.list_image_rows()["Revision"] == empty["Revision"]
    assert images.find(settings, "localhost:1/team/a:2").container == "localhost:1/team/a:2"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("a", "script:R"), "script:sklearn"),
        (("a", "algorithm:none"), "algorithm:xgboost"),
        (("a", "Not An Image"), "two words"),
        (("a", "UPPER/case"), "Invalid image URI"),
        (("a b", "x"), "two words"),
    ],
)
def test_a35_rows_that_say_nothing_are_refused(plane: Plane, row: tuple[str, str], said: str):
    rows = [{"Pattern": row[0], "Target": row[1]}]
    with pytest.raises(ClientError, match=said):
        plane.client("studio").update_image_rows(Rows=rows)
    with pytest.raises(ClientError, match="two rows for a"):
        plane.client("studio").update_image_rows(Rows=[{"Pattern": "a", "Target": "b"}] * 2)
    assert not any(it["Editable"] for it in plane.client("studio").list_image_rows()["Rows"])


def test_rows_that_cannot_be_read_are_told(tmp_path: Path):
    (tmp_path / "images.json").write_text('[{"Pattern": "a"}]')
    with pytest.raises(ValidationException, match="Mend or remove it"):
        images.find(Settings(home=tmp_path), "a:1")
