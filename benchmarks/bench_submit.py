"""From the answer to CreateTrainingJob to the first line of the user's own code, and to what it
has imported: of jobs that start anew, and of jobs that begin in a warm pool."""

import statistics
import time
from typing import Any

from benchmarks import jobs, running
from benchmarks.clocks import until
from benchmarks.harness import Row, at_most

_JOBS, _POOLED = 21, 7
_PLAIN = "import time; print(time.time())"
_IMPORTING = "import time; print(time.time()); import pandas, sklearn.ensemble; print(time.time())"
_GROUP = "/aws/sagemaker/TrainingJobs"


def run() -> list[Row]:
    with running.studio() as it:
        sagemaker, logs, s3 = it.client("sagemaker"), it.client("logs"), it.client("s3")
        s3.create_bucket(Bucket="bench")
        s3.put_object(Bucket="bench", Key="code/main.py", Body=_IMPORTING)
        plain = ("python3", "-c", _PLAIN)
        waits = [
            _lines(sagemaker, logs, jobs.request(f"submit-{n}", *plain))[0] for n in range(_JOBS)
        ]
        cold = [_lines(sagemaker, logs, _script(f"cold-{n}")) for n in range(_POOLED)]
        warm = []
        for n in range(_POOLED):
            warm.append(_lines(sagemaker, logs, _script(f"warm-{n}", pool=True)))
            until(lambda: any((it.home / "warm").glob("*/*/ready")), 90, "it is kept ready")
    name = "CreateTrainingJob acknowledged to first line of user code"
    p95 = statistics.quantiles(waits, n=20)[-1]
    first, imported = (statistics.median(times) for times in zip(*warm[1:], strict=True))
    anew = statistics.median(times[1] for times in cold[1:])
    return [
        Row(f"{name}, p50 of {_JOBS}", statistics.median(waits), "s", at_most(0.6)),
        Row(f"{name}, p95", p95, "s", at_most(2)),
        Row(f"{name}, in a warm pool", first, "s", at_most(0.3)),
        Row("its packages are imported, in a warm pool", imported, "s", at_most(0.3)),
        Row("its packages are imported, without", anew, "s"),
    ]


def _script(name: str, pool: bool = False) -> dict[str, Any]:
    """A job that runs a script of S3; with a pool, for the next one as well."""
    made = jobs.request(name, "python3", "/opt/ml/input/data/code/main.py")
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/code/"}
    made["InputDataConfig"] = [{"ChannelName": "code", "DataSource": {"S3DataSource": source}}]
    if pool:
        made["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 60
    return made


def _lines(sagemaker: Any, logs: Any, request: dict[str, Any]) -> list[float]:
    """The user's code prints times; both clocks are this machine's."""
    name = request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    acknowledged = time.time()
    until(lambda: _status(sagemaker, name) != "InProgress", 90, f"{name} ends", pause=0.05)
    job = sagemaker.describe_training_job(TrainingJobName=name)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(job["FailureReason"])
    lines = logs.filter_log_events(logGroupName=_GROUP, logStreamNamePrefix=f"{name}/")["events"]
    return [float(line["message"]) - acknowledged for line in lines]


def _status(sagemaker: Any, name: str) -> str:
    return str(sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"])
