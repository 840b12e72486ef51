"""XGBoost on two hosts of one core beside one host of two cores: seconds of training, by jobs."""

import io
import statistics
from typing import Any

import numpy as np

from benchmarks import running
from benchmarks.harness import Row, times_at_most
from benchmarks.jobs import ROLE
from benchmarks.running import Running

_XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_ROWS, _COLUMNS, _SHARDS = 200_000, 40, 2
_RUNS = 3
_GIVEN = {
    "objective": "binary:logistic", "max_depth": "6", "eta": "0.2", "num_round": "60",
    "base_score": "0.5", "eval_metric": "logloss",
}  # fmt: skip


def run() -> list[Row]:
    """Ideal is the time of one host with as many cores; the bound is 1.3 times that."""
    with running.studio(cpu_slots="2") as studio:
        s3 = studio.client("s3")
        s3.create_bucket(Bucket="bench")
        for number, body in enumerate(_shards()):
            s3.put_object(Bucket="bench", Key=f"train/{number}.csv", Body=body)
        one, two = [], []
        # Alternating, so that a change of the machine's load meets both.
        for number in range(_RUNS):
            one.append(_seconds(studio, f"one-{number}", 1, "2"))
            two.append(_seconds(studio, f"two-{number}", 2, "1"))
    pairs = [after / before for before, after in zip(one, two, strict=True)]
    return [
        Row(
            name="XGBoost on two hosts: training",
            value=statistics.median(two),
            unit="s",
            floor=times_at_most(1.3),
            peer="one host, as many cores",
            peer_value=statistics.median(one),
            ratio=statistics.median(pairs),
        )
    ]


def _shards() -> list[bytes]:
    random = np.random.default_rng(1)
    made = []
    for _ in range(_SHARDS):
        features = random.normal(size=(_ROWS // _SHARDS, _COLUMNS)).astype(np.float32)
        labels = (features[:, 0] + features[:, 1] * features[:, 2] > 0).astype(np.float32)
        text = io.BytesIO()
        np.savetxt(text, np.column_stack([labels, features]), delimiter=",", fmt="%.5g")
        made.append(text.getvalue())
    return made


def _seconds(studio: Running, name: str, hosts: int, threads: str) -> float:
    """From the first round to the last: reading CSV is not what hosts are for."""
    sagemaker = studio.client("sagemaker")
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": "s3://bench/train",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": _XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={**_GIVEN, "nthread": threads},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": source},
            }
        ],
        OutputDataConfig={"S3OutputPath": "s3://bench/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    return _rounds(studio, name)


def _rounds(studio: Running, name: str) -> float:
    logs: Any = studio.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, logStreamNamePrefix=f"{name}/"
    )
    times = [it["timestamp"] for page in pages for it in page["events"] if "#011" in it["message"]]
    return float(max(times) - min(times)) / 1000
