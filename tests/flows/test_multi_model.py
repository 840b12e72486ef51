"""Endpoints of many models and of several containers, on a real Studio."""

import io
import json
import os
import signal
import tarfile
from concurrent.futures import ThreadPoolExecutor

import boto3
import flow
import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError
from waiting import eventually

BUCKET, NAME = "many-models", "many"


def booster(constant: float) -> bytes:
    """The archive of a model that answers `constant` to everything."""
    rows = xgboost.DMatrix(np.zeros((2, 2)), label=[constant] * 2)
    model = xgboost.train({"base_score": constant, "max_depth": 1}, rows, 1)
    return packed("xgboost-model", bytes(model.save_raw("json")))


def packed(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture(scope="module")
def clients(studio):
    return {
        name: studio.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime", "cloudwatch")
    } | {"studio": studio.client("studio")}


@pytest.fixture(scope="module")
def many(studio, clients):
    """An endpoint with room for two models, and four of them in S3."""
    s3 = clients["s3"]
    s3.create_bucket(Bucket=BUCKET)
    for number in range(4):
        s3.put_object(Bucket=BUCKET, Key=f"models/{number}.tar.gz", Body=booster(number))
    s3.put_object(Bucket=BUCKET, Key="models/bad.tar.gz", Body=packed("xgboost-model", b"no"))
    create(clients["sagemaker"], NAME, STUDIO_LOADED_MODELS="2")
    flow.settled(clients["sagemaker"], NAME)
    return NAME


def create(sagemaker, name: str, **environment: str) -> None:
    container = {
        "Image": flow.XGBOOST,
        "Mode": "MultiModel",
        "ModelDataUrl": f"s3://{BUCKET}/models/",
        "Environment": environment,
    }
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=flow.ROLE)
    deploy(sagemaker, name)


def deploy(sagemaker, name: str) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def ask(clients, target: str, endpoint: str = NAME, body: bytes = b"0,0") -> float:
    answer = clients["sagemaker-runtime"].invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="text/csv", TargetModel=target
    )
    return float(answer["Body"].read())


def refused(clients, target: str, endpoint: str = NAME) -> dict:
    with pytest.raises(ClientError) as caught:
        ask(clients, target, endpoint)
    return caught.value.response


def test_a_request_names_its_model(clients, many):
    assert [ask(clients, f"{number}.tar.gz") for number in (0, 1, 2, 3, 0)] == [0, 1, 2, 3, 0]
    assert ask(clients, "/3.tar.gz") == 3
