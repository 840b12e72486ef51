"""What clients are told: values, SDK files, and what must not be set."""

import json
import os
from dataclasses import replace

import pytest

from studio import environment
from studio.settings import load_settings

URL, ROUTER = "http://127.0.0.1:5001", "http://127.0.0.1:5002"


@pytest.fixture
def settings(tmp_path):
    return load_settings(tmp_path, region="eu-central-1", account="123456789012")


def told(settings, **environ):
    return environment.client_environment(settings, URL, ROUTER, environ)


def test_addresses_region_and_key(settings):
    values = told(settings)
    key = json.loads((settings.home / "credentials.json").read_text())
    assert values["AWS_ENDPOINT_URL"] == values["STUDIO_URL"] == URL
    assert values["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"] == ROUTER
    assert values["AWS_DEFAULT_REGION"] == values["AWS_REGION"] == "eu-central-1"
    assert values["AWS_ACCESS_KEY_ID"] == key["access_key_id"]
    assert values["AWS_SECRET_ACCESS_KEY"] == key["secret_access_key"]
    assert not set(values) & set(environment.REMOVED)
    assert told(settings) == values


def test_the_hook_comes_first_and_the_rest_stays(settings):
    hook = str(environment.hook_folder())
    assert told(settings)["PYTHONPATH"] == hook
    mine = told(settings, PYTHONPATH=f"/a{os.pathsep}/b")["PYTHONPATH"]
    assert mine == os.pathsep.join([hook, "/a", "/b"])
    assert told(settings, PYTHONPATH=mine)["PYTHONPATH"] == mine


def test_an_external_s3(settings):
    values = told(replace(settings, s3_endpoint="https://s3.example.org"))
    assert values["AWS_ENDPOINT_URL_S3"] == "https://s3.example.org"


def test_the_sdk_configuration_follows_the_settings(settings):
    path = told(settings)["SAGEMAKER_USER_CONFIG_OVERRIDE"]
    document = json.loads((settings.home / "sdk" / "config.yaml").read_text())
    assert path == str(settings.home / "sdk" / "config.yaml")
    modules = document["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["TelemetryOptOut"] is True
    assert modules["Session"] == {"DefaultS3Bucket": "sagemaker-eu-central-1-123456789012"}
    role = "arn:aws:iam::123456789012:role/StudioExecutionRole"
    assert document["SageMaker"]["TrainingJob"] == {"RoleArn": role}
    told(replace(settings, role_name="Other"))
    document = json.loads((settings.home / "sdk" / "config.yaml").read_text())
    assert document["SageMaker"]["Model"]["ExecutionRoleArn"].endswith("role/Other")
