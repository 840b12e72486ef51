"""The queue: 1,000 jobs of 0.1 s over 8 slots, all done, none twice, in order within a priority;
and what 100 jobs that run cost the control plane."""

import json
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import jobs, processes, running
from benchmarks.clocks import until
from benchmarks.harness import Row, at_most

_JOBS, _SLOTS, _RUNNING = 1_000, 8, 100
_PATIENCE_SECONDS = 1800.0
_WATCHED_SECONDS = 30.0
_CPUS = 2  # of an ml.m5.large
_CHATTY = "while true; do echo 'loss=0.5'; sleep 1; done"


def run(count: int = _JOBS) -> list[Row]:
    return [*_burst(count), *_supervision()]


def _burst(count: int) -> list[Row]:
    """Every tenth job has a priority, and goes before those that have none."""
    with running.studio(cpu_slots=str(_SLOTS * _CPUS)) as it:
        sagemaker = it.client("sagemaker")
        it.client("s3").create_bucket(Bucket="bench")
        before = processes.cpu_seconds(it.pid)
        begun = time.monotonic()
        for number in range(count):
            sagemaker.create_training_job(**_request(number))
        until(lambda: not _going(sagemaker), _PATIENCE_SECONDS, "all jobs end")
        seconds = time.monotonic() - begun
        spent = processes.cpu_seconds(it.pid) - before
        started = [_started(sagemaker, number) for number in range(count)]
        runs = sum(1 for _ in (it.home / "runs").iterdir())
    name = f"burst of {count} jobs of 0.1 s on {_SLOTS} slots"
    return [
        Row(name, seconds, "s", at_most(120 * count / _JOBS)),
        Row(f"{name}: jobs started twice", runs - count, "", at_most(0)),
        Row(f"{name}: overtaken within a priority by more than {_SLOTS} others",
            sum(map(_overtakes, (started[::10], [it for n, it in enumerate(started) if n % 10]))),
            "", at_most(0)),
        Row(f"{name}: CPU of the control plane a job", 1000 * spent / count, "ms"),
    ]  # fmt: skip


def _supervision() -> Iterator[Row]:
    for what, command in (("quiet", "sleep 600"), ("that print a metric a second", _CHATTY)):
        with running.studio(cpu_slots=str(_RUNNING * _CPUS)) as it:
            sagemaker = it.client("sagemaker")
            it.client("s3").create_bucket(Bucket="bench")
            for number in range(_RUNNING):
                wanted = jobs.request(f"job-{number}", "sh", "-c", command, seconds=600)
                wanted["AlgorithmSpecification"]["MetricDefinitions"] = [
                    {"Name": "loss", "Regex": "loss=([0-9.]+)"}
                ]
                sagemaker.create_training_job(**wanted)
            until(lambda: len(_training(sagemaker)) == _RUNNING, 300.0, "all jobs train")  # noqa: B023
            time.sleep(10)  # what starting them left to do
            share = _share(it.pid)
        name = f"control plane, {_RUNNING} jobs {what}"
        yield Row(name, 100 * share, "% of a core", at_most(5) if what == "quiet" else None)


def _share(pid: int) -> float:
    """Of a core that a process uses, for a while."""
    before, begun = processes.cpu_seconds(pid), time.monotonic()
    time.sleep(_WATCHED_SECONDS)
    return (processes.cpu_seconds(pid) - before) / (time.monotonic() - begun)


def _request(number: int) -> dict[str, Any]:
    tags = [] if number % 10 else [{"Key": "studio:priority", "Value": "1"}]
    return {**jobs.request(f"burst-{number:05}", "sleep", "0.1"), "Tags": tags}


def _going(sagemaker: Any) -> list[dict[str, Any]]:
    listed = sagemaker.list_training_jobs(StatusEquals="InProgress")
    return list(listed["TrainingJobSummaries"])


def _training(sagemaker: Any) -> list[dict[str, Any]]:
    listed = sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=100)
    return [it for it in listed["TrainingJobSummaries"] if it["SecondaryStatus"] == "Training"]


def _started(sagemaker: Any, number: int) -> Any:
    """When a job began to train; it has to have come to a good end."""
    job = sagemaker.describe_training_job(TrainingJobName=f"burst-{number:05}")
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(json.dumps(job, default=str))
    return job["TrainingStartTime"]


def _overtakes(starts: list[Any]) -> int:
    """Jobs before which more than a slot's worth of younger ones began."""
    order = [number for _, number in sorted((at, number) for number, at in enumerate(starts))]
    return sum(place - number > _SLOTS for place, number in enumerate(order))
