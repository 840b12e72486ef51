"""From CreateTrainingJob to the first line of a user's own image, against `docker run` of the same
image: of jobs that start anew, and of jobs that begin in a warm pool."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import jobs, running
from benchmarks.clocks import until
from benchmarks.harness import Row, at_most

_JOBS = 7
_GROUP = "/aws/sagemaker/TrainingJobs"
_TRAIN = "#!/usr/bin/python3 -S\nimport time\nprint(time.time())\n"
_LIMITS = ("--init", "--memory=4g", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def run() -> list[Row]:
    if os.geteuid() != 0:
        raise RuntimeError("please run as root: the engine is one of its own")
    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    import docker_engine  # the tests' own

    with docker_engine.running() as engine:
        image = engine.build("bench", {"usr/bin/train": _TRAIN})
        plain = statistics.median([_docker_run(engine.host, image) for _ in range(_JOBS)][1:])
        with running.studio(docker_host=engine.host) as it:
            it.client("s3").create_bucket(Bucket="bench")
            anew = [_job(it, f"anew-{n}", image) for n in range(_JOBS)]
            warm = []
            for n in range(_JOBS):
                warm.append(_job(it, f"warm-{n}", image, pool=True))
                until(lambda: any((it.home / "warm").glob("*/*/ready")), 90, "it is kept ready")
    cold = statistics.median(anew[1:])
    name = "CreateTrainingJob acknowledged to first line, own image"
    return [
        Row(f"{name}: beyond `docker run`", cold - plain, "s", at_most(0.3)),
        Row(name, cold, "s", None, "docker run", plain, cold / plain),
        Row(f"{name}, in a warm pool", statistics.median(warm[1:]), "s", at_most(0.3)),
    ]


def _docker_run(host: str, image: str) -> float:
    command = ["docker", "-H", host, "run", "--rm", *_LIMITS, image, "train"]
    asked = time.time()
    return float(subprocess.run(command, capture_output=True, check=True).stdout) - asked


def _job(it: running.Running, name: str, image: str, pool: bool = False) -> float:
    """The image prints the time; both clocks are this machine's."""
    sagemaker, logs = it.client("sagemaker"), it.client("logs")
    made: dict[str, Any] = jobs.request(name)
    made["AlgorithmSpecification"] = {"TrainingImage": image, "TrainingInputMode": "File"}
    if pool:
        made["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 60
    sagemaker.create_training_job(**made)
    acknowledged = time.time()

    def job() -> dict[str, Any]:
        return dict(sagemaker.describe_training_job(TrainingJobName=name))

    until(lambda: job()["TrainingJobStatus"] != "InProgress", 90, f"{name} ends", pause=0.05)
    if job()["TrainingJobStatus"] != "Completed":
        raise RuntimeError(job()["FailureReason"])
    lines = logs.filter_log_events(logGroupName=_GROUP, logStreamNamePrefix=f"{name}/")["events"]
    return float(lines[0]["message"]) - acknowledged
