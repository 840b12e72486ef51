"""Kernels and terminals land at Studio by themselves: no variable set, nothing of ours imported."""

import json
import time

import pytest
import requests
import websocket
from jupyters import TOKEN, ended, running_jupyter
from studios import ROOT
from waiting import PATIENCE_SECONDS

from studio import environment

SDK = ROOT / ".venv-sdk" / "bin" / "python"

BOTO3 = """
import boto3
print(boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"])
boto3.resource("s3").create_bucket(Bucket="from-a-kernel")
print(boto3.client("studio").describe_capacity()["Cpus"]["Total"] > 0)
print(boto3.client("sts").get_caller_identity()["Account"])
"""

WITH_SDK = f"""
import subprocess
code = "import sagemaker as s; print(s.get_execution_role(), s.Session().default_bucket())"
print(subprocess.run(["{SDK}", "-c", code], check=True, capture_output=True, text=True).stdout)
"""

VARIABLES = """
import json, os
print(json.dumps(dict(os.environ)))
"""


def test_boto3_needs_no_configuration(jupyter):
    jupyter.ready()
    jobs, capacity, account = jupyter.run(BOTO3).splitlines()
    assert (jobs, capacity, account) == ("[]", "True", "000000000000")
    assert "<Name>from-a-kernel</Name>" in jupyter.ask("GET", "s3/").text


@pytest.mark.skipif(not SDK.exists(), reason="`make setup` makes .venv-sdk")
def test_the_sdk_needs_no_configuration(jupyter):
    role, bucket = jupyter.run(WITH_SDK).split()
    assert role == "arn:aws:iam::000000000000:role/StudioExecutionRole"
    assert bucket == "sagemaker-us-east-1-000000000000"


def test_a_terminal_finds_studio_too(jupyter):
    name = jupyter.request("POST", "api/terminals").json()["name"]
    address = f"{jupyter.url.replace('http', 'ws', 1)}/terminals/websocket/{name}?token={TOKEN}"
    terminal = websocket.create_connection(address, timeout=PATIENCE_SECONDS)
    try:
        terminal.send(json.dumps(["stdin", 'echo "<$AWS_ENDPOINT_URL>"\r']))
        seen, wanted = "", f"<{jupyter.status()['url']}>"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while wanted not in seen:
            assert time.monotonic() < deadline, seen
            kind, *rest = json.loads(terminal.recv())
            seen += rest[0] if kind == "stdout" else ""
    finally:
        terminal.close()
        jupyter.request("DELETE", f"api/terminals/{name}")


def test_an_address_of_ones_own_wins_as_a_whole(tmp_path):
    """Half of each set would sign with the one's key for the other's address."""
    own = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PROFILE": "mine"}
    home = tmp_path / "home"
    with ended(home), running_jupyter(tmp_path, home, own) as jupyter:
        found = json.loads(jupyter.run(VARIABLES))
        assert own.items() <= found.items()
        assert "AWS_ACCESS_KEY_ID" not in found
        assert "http://127.0.0.1:9" in jupyter.status()["kernels"]


def test_a_users_studio_elsewhere_is_used_and_none_is_started(tmp_path, studio):
    """As a member of a team, whose owner runs it and has given a key."""
    iam = studio.client("iam")
    iam.create_user(UserName="jupyter-ann")
    iam.attach_user_policy(
        UserName="jupyter-ann", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    )
    key = iam.create_access_key(UserName="jupyter-ann")["AccessKey"]
    given = {
        "STUDIO_URL": studio.url,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_PROFILE": "another",
    }
    home = tmp_path / "home"
    with running_jupyter(tmp_path, home, given) as jupyter:
        status = jupyter.ready()
        assert (status["url"], status["home"], status["kernels"]) == (studio.url, "", "")
        assert jupyter.call("ListModels")["Models"] == []
        found = json.loads(jupyter.run(VARIABLES))
    assert found["AWS_ENDPOINT_URL"] == found["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == studio.url
    assert found["AWS_ACCESS_KEY_ID"] == key["AccessKeyId"]
    assert not set(environment.REMOVED) & found.keys()
    assert not home.exists()


def test_a_home_that_cannot_be_does_not_stop_jupyter(tmp_path):
    with running_jupyter(tmp_path, "/proc/no-home") as jupyter:
        status = jupyter.status()
        assert not status["ready"]
        assert "/proc/no-home" in status["problem"]
        refused = jupyter.ask("POST", "aws/sagemaker/ListModels")
        assert refused.status_code == 503
        assert refused.json() == {"__type": "ServiceUnavailable", "message": status["problem"]}
        unknown = requests.get(f"{jupyter.url}/studio/api/status", timeout=30)
        assert unknown.status_code == 403
