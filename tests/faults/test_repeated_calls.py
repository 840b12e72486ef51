"""A call whose answer is lost is repeated by the client, and carried out once."""

import json
import os
import random
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from faults.proxy import fault_proxy
from flows.flow import XGBOOST
from studios import run_studio, running_studio

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
# Not the halves of an answer: botocore's JSON services take those for the whole.
BREAKS = ("cut", "reset")


def client_through(studio, proxy, **config):
    """boto3 with the retries that it has by default."""
    session = boto3.Session(
        studio.env["AWS_ACCESS_KEY_ID"],
        studio.env["AWS_SECRET_ACCESS_KEY"],
        region_name=studio.env["AWS_DEFAULT_REGION"],
    )
    config = Config(proxies={"http": proxy}, retries={"mode": "standard"}, **config)
    return session.client("sagemaker", endpoint_url=studio.url, config=config)


class Chance:
    """Breaks `share` of the answers to first attempts, and of those to second ones."""

    def __init__(self, share):
        self.share, self.random = share, random.Random(5)
        self.broken = Counter()

    def __call__(self, head):
        if b"attempt=3" in head or self.random.random() > self.share:
            return "none"
        fault = self.random.choice(BREAKS)
        self.broken[fault] += 1
        return fault


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with running_studio(tmp_path_factory.mktemp("repeated") / "home") as running:
        yield running


def model(name):
    return {
        "ModelName": name,
        "PrimaryContainer": {"Image": XGBOOST},
        "ExecutionRoleArn": ROLE,
    }


def test_lost_answers_cost_nothing(studio):
    """Created, tagged and deleted once each, however many answers were lost on the way."""
    chance = Chance(0.3)
    names = [f"model-{number}" for number in range(80)]
    with fault_proxy(studio.url, chance) as proxy:
        sagemaker = client_through(studio, proxy, max_pool_connections=16)

        def live(name):
            arn = sagemaker.create_model(**model(name))["ModelArn"]
            assert arn.endswith(name)
            tags = sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])["Tags"]
            assert tags == [{"Key": "k", "Value": "v"}]
            if name.endswith("7"):
                sagemaker.delete_model(ModelName=name)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(live, names))
    assert set(chance.broken) == set(BREAKS)
    pages = studio.client("sagemaker").get_paginator("list_models").paginate(NameContains="model-")
    left = [each["ModelName"] for page in pages for each in page["Models"]]
    assert sorted(left) == sorted(name for name in names if not name.endswith("7"))


def job(name):
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sleep", "1000"],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://repeated/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def with_id(sagemaker, attempt):
    """The client with the id of its calls fixed."""

    def fix(context, **_):
        context.setdefault("retries", {})["invocation-id"] = attempt

    sagemaker.meta.events.register("before-call.sagemaker", fix)
    return sagemaker


def test_a14_attempts_in_parallel_make_one_job(studio):
    studio.client("s3").create_bucket(Bucket="repeated")
    sagemaker = with_id(studio.client("sagemaker", max_pool_connections=50), "the-same")
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(sagemaker.create_training_job, **job("one")) for _ in range(50)]
        arns = {call.result()["TrainingJobArn"] for call in calls}
    assert len(arns) == 1
    listed = studio.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert [each["TrainingJobArn"] for each in listed] == list(arns)
    other = {**job("one"), "StoppingCondition": {"MaxRuntimeInSeconds": 700}}
    refused(sagemaker.create_training_job, other, "ResourceInUse")
    refused(studio.client("sagemaker").create_training_job, job("one"), "ResourceInUse")


def test_a_repeated_stop_and_delete_succeed_again(studio):
    """Even when the thing is gone, and even when a new one has its name."""
    plain = studio.client("sagemaker")
    sagemaker = with_id(studio.client("sagemaker"), "first")
    sagemaker.create_model(**model("m"))
    sagemaker.delete_model(ModelName="m")
    plain.create_model(**model("m"))
    sagemaker.delete_model(ModelName="m")
    assert plain.describe_model(ModelName="m")["ModelName"] == "m"
    refused(plain.delete_model, {"ModelName": "unknown"}, "ValidationException")
    arn = plain.describe_model(ModelName="m")["ModelArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    plain.delete_tags(ResourceArn=arn, TagKeys=["a"])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    assert plain.list_tags(ResourceArn=arn)["Tags"] == []


def test_what_a_repeated_create_refers_to_may_be_gone(studio):
    sagemaker = with_id(studio.client("sagemaker"), "refers")
    variant = {
        "VariantName": "v",
        "ModelName": "referred",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    request = {"EndpointConfigName": "refers", "ProductionVariants": [variant]}
    sagemaker.create_model(**model("referred"))
    first = sagemaker.create_endpoint_config(**request)
    sagemaker.delete_model(ModelName="referred")
    again = sagemaker.create_endpoint_config(**request)
    assert again["EndpointConfigArn"] == first["EndpointConfigArn"]
    request["EndpointConfigName"] = "refers-too"
    refused(sagemaker.create_endpoint_config, request, "ValidationException")


def test_kill_between_commit_and_answer(studio):
    """The control plane dies after it stored and before the client knows."""
    killed = threading.Event()

    def kill_once(head):
        if killed.is_set():
            return "none"
        killed.set()
        os.kill(json.loads((studio.home / "pid.json").read_text())["pid"], signal.SIGKILL)
        run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
        return "cut"

    with fault_proxy(studio.url, kill_once) as proxy:
        sagemaker = client_through(studio, proxy)
        arn = sagemaker.create_model(**model("m-survivor"))["ModelArn"]
    assert killed.is_set()
    models = studio.client("sagemaker").list_models(NameContains="survivor")["Models"]
    assert [each["ModelArn"] for each in models] == [arn]


def refused(call, request, code):
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
