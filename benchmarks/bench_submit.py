"""From the answer to CreateTrainingJob to the first line of the user's own code."""

import statistics
import time
from typing import Any

from benchmarks import jobs, running
from benchmarks.clocks import until
from benchmarks.harness import Row, at_most

_JOBS = 21
_PROGRAM = "import time; print(time.time())"


def run() -> list[Row]:
    with running.studio() as it:
        sagemaker, logs = it.client("sagemaker"), it.client("logs")
        it.client("s3").create_bucket(Bucket="bench")
        waits = [_first_line(sagemaker, logs, f"submit-{number}") for number in range(_JOBS)]
    name = "CreateTrainingJob acknowledged to first line of user code"
    p95 = statistics.quantiles(waits, n=20)[-1]
    return [
        Row(f"{name}, p50 of {_JOBS}", statistics.median(waits), "s", at_most(0.6)),
        Row(f"{name}, p95", p95, "s", at_most(2)),
    ]


def _first_line(sagemaker: Any, logs: Any, name: str) -> float:
    """The user's code prints the time; both clocks are this machine's."""
    sagemaker.create_training_job(**jobs.request(name, "python3", "-c", _PROGRAM))
    acknowledged = time.time()
    until(lambda: _status(sagemaker, name) != "InProgress", 90, f"{name} ends", pause=0.05)
    job = sagemaker.describe_training_job(TrainingJobName=name)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(job["FailureReason"])
    group = "/aws/sagemaker/TrainingJobs"
    lines = logs.filter_log_events(logGroupName=group, logStreamNamePrefix=f"{name}/")["events"]
    return float(lines[0]["message"]) - acknowledged


def _status(sagemaker: Any, name: str) -> str:
    return str(sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"])
