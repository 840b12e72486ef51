"""From the answer to CreateTrainingJob to the first line of the user's own code."""

import statistics
import time
from typing import Any

from benchmarks import running
from benchmarks.harness import Row

_JOBS = 21


def run() -> list[Row]:
    with running.studio() as it:
        sagemaker, logs = it.client("sagemaker"), it.client("logs")
        it.client("s3").create_bucket(Bucket="bench")
        waits = [_first_line(sagemaker, logs, f"submit-{number}") for number in range(_JOBS)]
    name = "CreateTrainingJob acknowledged to first line of user code"
    p95 = statistics.quantiles(waits, n=20)[-1]
    return [
        Row(f"{name}, p50 of {_JOBS}", statistics.median(waits), "s", "0.6 s"),
        Row(f"{name}, p95", p95, "s", ""),
    ]


def _first_line(sagemaker: Any, logs: Any, name: str) -> float:
    """The user's code prints the time; both clocks are this machine's."""
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::000000000000:role/StudioExecutionRole",
        AlgorithmSpecification={
            "TrainingImage": "python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", "import time; print(time.time())"],
        },
        OutputDataConfig={"S3OutputPath": "s3://bench/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    acknowledged = time.time()
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] != "InProgress":
            break
        time.sleep(0.05)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(job["FailureReason"])
    group = "/aws/sagemaker/TrainingJobs"
    lines = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")["events"]
    return float(lines[0]["message"]) - acknowledged
