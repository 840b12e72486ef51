"""A database that was in use for long: 100,000 training jobs that are done."""

import uuid
from pathlib import Path
from typing import Any

from studio.db import migrate
from studio.db.session import Database
from studio.db.tables import RESOURCE, RUN

ACCOUNT, REGION = "000000000000", "us-east-1"
_BATCH = 2_000


def fill(home: Path, count: int) -> None:
    """Store `count` jobs that ended, each with its run, in the database of a stopped home."""
    db = Database(f"sqlite:///{home / 'studio.db'}")
    try:
        migrate.upgrade(db)
        for start in range(0, count, _BATCH):
            jobs = [_job(number) for number in range(start, min(start + _BATCH, count))]
            runs = [_run(job) for job in jobs]
            db.write(lambda c, jobs=jobs: c.execute(RESOURCE.insert(), jobs))
            db.write(lambda c, runs=runs: c.execute(RUN.insert(), runs))
    finally:
        db.close()


def request(name: str) -> dict[str, Any]:
    """A CreateTrainingJob request of the usual size."""
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/train"}
    channel = {"ChannelName": "train", "ContentType": "text/csv"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/StudioExecutionRole",
        "InputDataConfig": [{**channel, "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 5,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {"num_round": "100", "objective": "binary:logistic", "eta": "0.1"},
    }


def _job(number: int) -> dict[str, Any]:
    name, at = f"job-{number:06}", 1_700_000_000_000 + number * 1000
    statuses = ("Starting", "Downloading", "Training", "Uploading", "Completed")
    transitions = [
        {"Status": status, "StartTime": at, "EndTime": at, "StatusMessage": status}
        for status in statuses
    ]
    final = [{"MetricName": "validation:auc", "Value": number % 997 / 997, "Timestamp": at}]
    return {
        "id": uuid.uuid4().hex,
        "account": ACCOUNT,
        "region": REGION,
        "kind": "training-job",
        "name": name,
        "arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}",
        "status": "Failed" if number % 10 == 0 else "Completed",
        "spec": request(name),
        "state": {
            "MetricDefinitions": [],
            "Transitions": transitions,
            "FinalMetricDataList": final,
            "TrainingStartTime": at,
            "TrainingEndTime": at + 500,
        },
        "tags": [{"Key": "team", "Value": f"t{number % 7}"}],
        "desired": "present",
        "generation": 6,
        "created_at": at,
        "modified_at": at + 600,
        "deleted_at": None,
        "due_at": None,
        "owner": "",
    }


def _run(job: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{job['id']}-train-algo-1",
        "resource_id": job["id"],
        "role": "train/algo-1",
        "runner": "process",
        "spec": {"queued": True, "resources": {"cpus": 2, "memory_mb": 1024, "gpus": 0}},
        "handle": {"runner": {}, "final": {"phase": "succeeded"}},
        "phase": "succeeded",
        "exit_code": 0,
        "message": "",
        "created_at": job["created_at"],
        "started_at": job["created_at"],
        "ended_at": job["created_at"] + 500,
    }
