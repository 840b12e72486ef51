"""A burst of jobs that sleep for 0.1 s, far more than there are slots: all done, in order."""

import time
from typing import Any

from benchmarks import running
from benchmarks.harness import Row

_JOBS, _SLOTS = 1_000, 8
_CPUS = 2  # of an ml.m5.large


def run(jobs: int = _JOBS) -> list[Row]:
    with running.studio(cpu_slots=str(_SLOTS * _CPUS)) as it:
        sagemaker = it.client("sagemaker")
        it.client("s3").create_bucket(Bucket="bench")
        before = _cpu_seconds(it.pid)
        begun = time.monotonic()
        for number in range(jobs):
            _create(sagemaker, f"burst-{number:05}")
        while sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]:
            time.sleep(0.5)
        seconds = time.monotonic() - begun
        late = _overtakes(sagemaker, jobs)
        spent = _cpu_seconds(it.pid) - before
    name = f"burst of {jobs} jobs of 0.1 s on {_SLOTS} slots"
    return [
        Row(name, seconds, "s", f"{300 * jobs / _JOBS:g} s"),
        Row(f"{name}: jobs overtaken by more than {_SLOTS} others", late, "", "0"),
        Row(f"{name}: CPU of the control plane a job", 1000 * spent / jobs, "ms", ""),
    ]


def _create(sagemaker: Any, name: str) -> None:
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::000000000000:role/StudioExecutionRole",
        AlgorithmSpecification={
            "TrainingImage": "python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sleep", "0.1"],
        },
        OutputDataConfig={"S3OutputPath": "s3://bench/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )


def _overtakes(sagemaker: Any, jobs: int) -> int:
    """Jobs before which more than a slot's worth of younger ones began."""
    starts = []
    for number in range(jobs):
        job = sagemaker.describe_training_job(TrainingJobName=f"burst-{number:05}")
        if job["TrainingJobStatus"] != "Completed":
            raise RuntimeError(job["FailureReason"])
        starts.append((job["TrainingStartTime"], number))
    order = [number for _, number in sorted(starts)]
    return sum(place - number > _SLOTS for place, number in enumerate(order))


def _cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
