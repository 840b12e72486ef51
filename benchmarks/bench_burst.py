"""A burst of jobs that sleep for 0.1 s, far more than there are slots: all done, in order."""

import time
from typing import Any

from benchmarks import jobs, processes, running
from benchmarks.clocks import until
from benchmarks.harness import Row, at_most

_JOBS, _SLOTS = 1_000, 8
_PATIENCE_SECONDS = 1800.0
_CPUS = 2  # of an ml.m5.large


def run(count: int = _JOBS) -> list[Row]:
    with running.studio(cpu_slots=str(_SLOTS * _CPUS)) as it:
        sagemaker = it.client("sagemaker")
        it.client("s3").create_bucket(Bucket="bench")
        before = processes.cpu_seconds(it.pid)
        begun = time.monotonic()
        for number in range(count):
            sagemaker.create_training_job(**jobs.request(f"burst-{number:05}", "sleep", "0.1"))
        until(lambda: not _going(sagemaker), _PATIENCE_SECONDS, "all jobs end")
        seconds = time.monotonic() - begun
        late = _overtakes(sagemaker, count)
        spent = processes.cpu_seconds(it.pid) - before
    name = f"burst of {count} jobs of 0.1 s on {_SLOTS} slots"
    return [
        Row(name, seconds, "s", at_most(300 * count / _JOBS)),
        Row(f"{name}: jobs overtaken by more than {_SLOTS} others", late, "", at_most(0)),
        Row(f"{name}: CPU of the control plane a job", 1000 * spent / count, "ms"),
    ]


def _going(sagemaker: Any) -> list[dict[str, Any]]:
    listed = sagemaker.list_training_jobs(StatusEquals="InProgress")
    return list(listed["TrainingJobSummaries"])


def _overtakes(sagemaker: Any, count: int) -> int:
    """Jobs before which more than a slot's worth of younger ones began."""
    starts = []
    for number in range(count):
        job = sagemaker.describe_training_job(TrainingJobName=f"burst-{number:05}")
        if job["TrainingJobStatus"] != "Completed":
            raise RuntimeError(job["FailureReason"])
        starts.append((job["TrainingStartTime"], number))
    order = [number for _, number in sorted(starts)]
    return sum(place - number > _SLOTS for place, number in enumerate(order))
