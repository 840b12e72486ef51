"""Steps that the flows share: a bucket with rows, a training job, an endpoint."""

import json
from typing import Any

from botocore.exceptions import ClientError
from waiting import eventually

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
UNDER_WAY = ("Creating", "Updating", "RollingBack")
ROWS = b"".join(b"%d,%d,%d\n" % (n % 2, n, 2 * n) for n in range(60))


def channel(uri: str, name: str = "train", content_type: str = "text/csv") -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {
        "ChannelName": name,
        "ContentType": content_type,
        "DataSource": {"S3DataSource": source},
    }


def training(name: str, bucket: str, **values: Any) -> dict:
    """A CreateTrainingJob request: XGBoost on `train/` of `bucket`."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel(f"s3://{bucket}/train")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 5,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {"num_round": "2", "objective": "binary:logistic"},
        **values,
    }


def ended(sagemaker: Any, name: str) -> dict:
    """The job once it is done."""

    def look() -> dict | None:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return eventually(look)


HOLD = """
import os, time
while not os.path.exists("/opt/ml/go"):
    time.sleep(0.05)
"""
"""Python of a job that goes on when it is told to."""


def let_go(studio: Any, job: str) -> None:
    """End what HOLD is in the training job `job`, on each of its hosts: it is in Training."""
    for spec in studio.home.glob("runs/*/spec.json"):
        if json.loads(spec.read_text())["env"].get("TRAINING_JOB_NAME") == job:
            (spec.parent / "ml" / "go").touch()


def configure(sagemaker: Any, name: str, artifact: str, **variant: Any) -> None:
    """A model and an endpoint configuration, both called `name`."""
    container = {"Image": XGBOOST, "ModelDataUrl": artifact}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    first = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **variant,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[first])


def settled(sagemaker: Any, name: str) -> dict:
    """The endpoint once it is neither created nor updated any more."""

    def look() -> dict | None:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        return None if endpoint["EndpointStatus"] in UNDER_WAY else endpoint

    return eventually(look)


def gone(sagemaker: Any, name: str) -> bool:
    try:
        sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        return "Could not find endpoint" in str(error)
    return False
