"""A control plane that was killed and starts anew among much that is stored and much that runs.

100,000 jobs that are done, 50 jobs that run, 20 endpoints; one client goes on invoking.
"""

import io
import json
import os
import signal
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from botocore.exceptions import BotoCoreError, ClientError

from benchmarks import jobs, processes, running, stored
from benchmarks.clocks import until
from benchmarks.harness import Row, at_most
from benchmarks.running import Running

_STORED, _RUNNING, _ENDPOINTS, _RESTARTS = 100_000, 50, 20, 3
_IDLE_SECONDS = 10.0
_PATIENCE_SECONDS = 300.0
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def run() -> list[Row]:
    slots = str(2 * _RUNNING)
    with running.studio(lambda home: stored.fill(home, _STORED), cpu_slots=slots) as it:
        _begin_jobs(it.client("sagemaker"), it.client("s3"))
        cost = _quiet_cost(it)
        _begin_endpoints(it.client("sagemaker"), it.client("s3"))
        with Client(it) as client:
            ready = [_restarted(it) for _ in range(_RESTARTS)]
    what = f"{_STORED:,} jobs stored, {_RUNNING} running, {_ENDPOINTS} endpoints"
    return [
        Row(f"restart with {what}", max(ready), "s", at_most(5)),
        Row("the same: invocations that failed meanwhile", client.failed, "", at_most(0)),
        Row("the same: invocations that were answered", client.answered, ""),
        Row(f"{_RUNNING} quiet jobs: CPU of the control plane", cost, "%"),
    ]


def _restarted(it: Running) -> float:
    """Seconds from the start of the program to a server that says it is ready."""
    pid = json.loads(running.call("status", "--json", "--home", it.home))["pid"]
    os.kill(pid, signal.SIGKILL)
    begun = time.perf_counter()
    running.call("serve", "--detach", "--home", it.home)
    return time.perf_counter() - begun


def _quiet_cost(it: Running) -> float:
    time.sleep(5.0)
    before = processes.cpu_seconds(it.pid)
    time.sleep(_IDLE_SECONDS)
    return 100 * (processes.cpu_seconds(it.pid) - before) / _IDLE_SECONDS


def _begin_jobs(sagemaker: Any, s3: Any) -> None:
    s3.create_bucket(Bucket="bench")
    for number in range(_RUNNING):
        request = jobs.request(f"running-{number}", "sleep", "3600", seconds=3600)
        sagemaker.create_training_job(**request)
    until(lambda: _stages(sagemaker) == {"Training"}, _PATIENCE_SECONDS, "all jobs run")


def _stages(sagemaker: Any) -> set[str]:
    listed = sagemaker.list_training_jobs(NameContains="running-", MaxResults=100)
    return {each["SecondaryStatus"] for each in listed["TrainingJobSummaries"]}


def _begin_endpoints(sagemaker: Any, s3: Any) -> None:
    s3.put_object(Bucket="bench", Key="model.tar.gz", Body=_model())
    container = {"Image": _IMAGE, "ModelDataUrl": "s3://bench/model.tar.gz"}
    sagemaker.create_model(
        ModelName="bench", ExecutionRoleArn=jobs.ROLE, PrimaryContainer=container
    )
    variant = {
        "VariantName": "all",
        "ModelName": "bench",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    for number in range(_ENDPOINTS):
        request = {"EndpointName": f"bench-{number}", "EndpointConfigName": "bench"}
        sagemaker.create_endpoint(**request)
    until(lambda: _serving(sagemaker) == _ENDPOINTS, _PATIENCE_SECONDS, "all endpoints serve")


def _serving(sagemaker: Any) -> int:
    """How many endpoints do; RuntimeError when one failed."""
    listed = sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
    statuses = [each["EndpointStatus"] for each in listed]
    if "Failed" in statuses:
        failed = listed[statuses.index("Failed")]["EndpointName"]
        raise RuntimeError(sagemaker.describe_endpoint(EndpointName=failed)["FailureReason"])
    return statuses.count("InService")


def _model() -> bytes:
    """A model.tar.gz with a small booster."""
    rng = np.random.default_rng(1)
    features = rng.random((100, 4))
    matrix = xgboost.DMatrix(features, features[:, 0] > 0.5)
    booster = xgboost.train({"objective": "binary:logistic"}, matrix, 2)
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=packed, mode="w:gz") as tar:
        path = Path(folder) / "xgboost-model"
        booster.save_model(path.with_suffix(".ubj"))
        tar.add(path.with_suffix(".ubj"), "xgboost-model")
    return packed.getvalue()


class Client(threading.Thread):
    """Invokes one endpoint after the other until it is left."""

    def __init__(self, it: Running) -> None:
        super().__init__()
        self._runtime = it.client("sagemaker-runtime")
        self._over = threading.Event()
        self.answered = self.failed = 0

    def run(self) -> None:
        number = 0
        while not self._over.wait(0.01):
            name, number = f"bench-{number % _ENDPOINTS}", number + 1
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=name, ContentType="text/csv", Body=b"1,2,3,4"
                )
                answer["Body"].read()
                self.answered += 1
            except (BotoCoreError, ClientError):
                self.failed += 1

    def __enter__(self) -> "Client":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
