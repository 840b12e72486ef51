"""The hook in real interpreters: Debian's Python, and the virtual environment with AWS's SDK."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from studios import CLEAN, ROOT
from waiting import PATIENCE_SECONDS

from studio import environment

SDK = ROOT / ".venv-sdk" / "bin" / "python"
SYSTEM = Path("/usr/bin/python3")
HERE = "http://127.0.0.1:1"
ACTIVE = {"STUDIO_URL": HERE, "AWS_ENDPOINT_URL": HERE, "AWS_DEFAULT_REGION": "us-east-1"}

needs_sdk = pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
pythons = pytest.mark.parametrize(
    "python",
    [
        Path(sys.executable),
        pytest.param(
            SYSTEM, marks=pytest.mark.skipif(not SYSTEM.exists(), reason="no Python of the system")
        ),
        pytest.param(SDK, marks=needs_sdk),
    ],
)


def python_says(python, code, path="", **variables):
    hook = str(environment.hook_folder())
    extra = {"PYTHONPATH": f"{hook}:{path}" if path else hook}
    if "sagemaker" in code:
        extra["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
    done = subprocess.run(
        [python, "-c", code],
        env={**CLEAN, **extra, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


FINDERS = "import sys; print(sum(type(f).__module__ == 'sitecustomize' for f in sys.meta_path))"


@pythons
def test_it_acts_only_when_both_variables_agree(python):
    assert python_says(python, FINDERS, **ACTIVE) == "1"
    assert python_says(python, FINDERS) == "0"
    assert python_says(python, FINDERS, STUDIO_URL=HERE) == "0"
    assert python_says(python, FINDERS, **(ACTIVE | {"AWS_ENDPOINT_URL": "http://other"})) == "0"


@pythons
def test_it_imports_nothing_that_python_does_not(python):
    code = (
        "import sys; slow = {'pathlib', 'typing', 'logging', 'threading', 'botocore', 'inspect'}; "
        "print(sorted(slow & sys.modules.keys()))"
    )
    bare = subprocess.run(
        [python, "-c", code], env=CLEAN, capture_output=True, text=True, check=True
    )
    assert python_says(python, code, **ACTIVE) == bare.stdout.strip()


@pythons
def test_another_sitecustomize_runs_too(python, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.mine = __file__\n")
    code = "import sys, sitecustomize; print(sys.mine == sitecustomize.__file__); " + FINDERS
    assert python_says(python, code, tmp_path, **ACTIVE) == "True\n1"
    assert python_says(python, code, tmp_path) == "True\n0"


@pythons
def test_another_sitecustomize_that_fails_is_named(python, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('mine is broken')\n")
    with pytest.raises(AssertionError, match="mine is broken"):
        python_says(python, "pass", tmp_path, **ACTIVE)


CLOCK = """
import sys, json, time as real
import sagemaker.session as session
begun, first = real.monotonic(), session.time.time()
for _ in range(3):
    session.time.sleep(10)
second = session.time.time()
print(json.dumps({
    "slept": real.monotonic() - begun,
    "told": second - first,
    "deadline": second > first + 20,
    "now": abs(real.time() - second),
    "sleep": real.sleep is session.time.sleep,
    "elsewhere": __import__("sagemaker.utils").utils.time is real,
}))
"""


@needs_sdk
def test_polls_are_short_elapsed_time_is_not_and_deadlines_are_real():
    said = json.loads(python_says(SDK, CLOCK, **ACTIVE))
    assert said["slept"] < 20  # ten times what it takes; it would be 30
    assert said["told"] >= 29
    assert not said["deadline"]
    assert said["now"] < 20
    assert not said["sleep"]
    assert said["elsewhere"]


PLACES = """
import logging
logging.getLogger("sagemaker.config").setLevel("WARNING")
import jsonschema, sagemaker.config.config as config
import sagemaker.session as session
from sagemaker.estimator import Estimator
print(session.sts_regional_endpoint("eu-west-1"), hasattr(Estimator.fit.__wrapped__, "__wrapped__"))
check, checked, refused = jsonschema.validate, [], []
jsonschema.validate = lambda *given: (checked.append(given), check(*given))
for version in ("1.0", "1.0", "1.0", 7, 7):
    try:
        config.validate_sagemaker_config({"SchemaVersion": version})
    except config.jsonschema.ValidationError as error:
        refused.append(error.instance)
print(len(checked), refused)
"""


@needs_sdk
def test_sts_and_telemetry_stay_here_and_what_is_good_is_checked_once():
    aws = python_says(SDK, PLACES).splitlines()
    assert aws == ["https://sts.eu-west-1.amazonaws.com True", "5 [7, 7]"]
    here = python_says(SDK, PLACES, **ACTIVE).splitlines()
    assert here == [f"{HERE} False", "3 [7, 7]"]


WAITERS = """
import boto3
patient = boto3.client("sagemaker").get_waiter("endpoint_in_service")
other = boto3.client("sagemaker", endpoint_url="http://127.0.0.1:2").get_waiter(
    "endpoint_in_service")
asked = []
patient._operation_method = other._operation_method = lambda **given: (
    asked.append(given) or {"EndpointStatus": "InService" if len(asked) > 3 else "Creating"})
patient.wait(EndpointName="x")
print(asked, type(other.wait).__name__, type(patient.wait).__name__)
asked[:] = []
try:
    patient._operation_method = lambda **given: (
        asked.append(given) or {"EndpointStatus": "Creating"})
    patient.wait(EndpointName="x", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
except Exception as error:
    print(error, len(asked) > 2)
"""


@pytest.mark.parametrize("python", [Path(sys.executable), pytest.param(SDK, marks=needs_sdk)])
def test_waiters_of_studio_are_brisk_and_as_patient(python):
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    said = python_says(python, WAITERS, **ACTIVE, **keys).splitlines()
    assert said[0] == f"{[{'EndpointName': 'x'}] * 4} method function"
    assert "Max attempts exceeded" in said[1]
    assert said[1].endswith("True")


def test_an_interpreter_that_was_begun_by_a_way_around_is_named_by_its_place():
    python = Path(sys.executable)
    code = "import sitecustomize as s; print(s._interpreted({}, 'python:3.11', False))"
    around = f"../{Path.cwd().name}/{os.path.relpath(python)}"
    said = python_says(around, code, **ACTIVE)
    assert said == str({"Environment": {"STUDIO_PYTHON": str(python)}})


def test_a_module_that_cannot_be_patched_stays_usable(tmp_path):
    package = tmp_path / "sagemaker"
    package.mkdir()
    (package / "__init__.py").write_text("")
    # No `time` in it, and an emitter that is none: what another version might look like.
    (package / "session.py").write_text("value = 1\n")
    code = "import sagemaker.session as s; print(s.value, s.__loader__.get_source(s.__name__))"
    assert python_says(sys.executable, code, tmp_path, **ACTIVE) == "1 value = 1"


@pytest.mark.parametrize(
    ("utilities", "session"),
    [
        ("utils", "session"),  # v1 and v2
        ("core/common_utils", "core/helper/session_helper"),  # v3
    ],
)
def test_layouts_of_every_generation(tmp_path, utilities, session):
    root = tmp_path / "sagemaker"
    for folder in (root, root / "core", root / "core" / "helper"):
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    names = [f"sagemaker.{path.replace('/', '.')}" for path in (utilities, session)]
    (root / f"{utilities}.py").write_text("def sts_regional_endpoint(region): return 'aws'\n")
    (root / f"{session}.py").write_text(
        f"import time\nfrom {names[0]} import sts_regional_endpoint\n"
        "def address(): return sts_regional_endpoint('eu-west-1')\n"
    )
    code = (
        f"import {names[1]} as session, time\nfirst = session.time.time()\nsession.time.sleep(30)\n"
        "print(session.address(), session.time.time() - first >= 30)"
    )
    assert python_says(sys.executable, code, tmp_path, **ACTIVE) == f"{HERE} True"
