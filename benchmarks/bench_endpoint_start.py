"""From CreateEndpoint to InService; from the first request at a sleeping endpoint to its answer.

The model is of XGBoost and was served before, as those of most endpoints were. What the machine
needs at the least stands beside it: a fresh interpreter that imports XGBoost, loads the model and
predicts one row.
"""

import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import bench_serving, running
from benchmarks.harness import Row, at_most

_TURNS = 3
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
_IDLE = [{"Key": "studio:idle-seconds", "Value": "1"}]
_SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
_INSTANCE = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
_RAW = (
    "import sys, numpy, xgboost; model = xgboost.Booster(model_file=sys.argv[1]); "
    "row = numpy.array([sys.argv[2].split(',')], dtype=float); "
    "print(model.predict(xgboost.DMatrix(row, feature_names=model.feature_names)))"
)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name, running.studio() as it:
        folder = Path(name)
        row = bench_serving.trained(folder)
        clients = it.client("sagemaker"), it.client("sagemaker-runtime"), it.client("studio")
        _store(it.client("s3"), folder)
        _define(clients[0])
        _endpoint(clients, "first", row)
        raw = statistics.median(_raw(folder, row) for _ in range(_TURNS))
        made = [_endpoint(clients, f"made-{turn}", row) for turn in range(_TURNS)]
        woken = _woken(clients, row)
    return [
        Row("endpoint: CreateEndpoint to InService, a model that is there",
            statistics.median(made), "s", at_most(2), "import, load, predict", raw),
        Row("serverless endpoint: first request from zero, to its answer",
            statistics.median(woken), "s", at_most(1.5), "import, load, predict", raw),
    ]  # fmt: skip


def _raw(folder: Path, row: bytes) -> float:
    model = folder / "model" / "model.json"
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", _RAW, model, row.decode()], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begun


def _store(s3: Any, folder: Path) -> None:
    archive = folder / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder / "model" / "model.json", "model.json")
    s3.create_bucket(Bucket="bench")
    s3.upload_file(str(archive), "bench", "model.tar.gz")


def _define(sagemaker: Any) -> None:
    container = {"Image": _IMAGE, "ModelDataUrl": "s3://bench/model.tar.gz"}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=_ROLE)
    for name, how in (("instance", _INSTANCE), ("serverless", {"ServerlessConfig": _SERVERLESS})):
        variant = {"VariantName": "AllTraffic", "ModelName": "m", **how}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def _endpoint(clients: tuple[Any, Any, Any], name: str, row: bytes) -> float:
    """Seconds that an endpoint took; it is gone again."""
    sagemaker, runtime, _ = clients
    begun = time.perf_counter()
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="instance")
    _in_service(sagemaker, name)
    taken = time.perf_counter() - begun
    runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=row)
    sagemaker.delete_endpoint(EndpointName=name)
    return taken


def _woken(clients: tuple[Any, Any, Any], row: bytes) -> list[float]:
    """Seconds that the first answers of an endpoint took that had no server."""
    sagemaker, runtime, studio = clients
    sagemaker.create_endpoint(EndpointName="sleeper", EndpointConfigName="serverless", Tags=_IDLE)
    _in_service(sagemaker, "sleeper")
    taken = []
    for _ in range(_TURNS):
        _until_asleep(studio)
        begun = time.perf_counter()
        runtime.invoke_endpoint(EndpointName="sleeper", ContentType="text/csv", Body=row)
        taken.append(time.perf_counter() - begun)
    return taken


def _until_asleep(studio: Any) -> None:
    while True:
        servers = studio.describe_deployment(EndpointName="sleeper")["Servers"]
        if all("EndTime" in each for each in servers):
            return
        time.sleep(0.2)


def _in_service(sagemaker: Any, name: str) -> None:
    while (it := sagemaker.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
        time.sleep(0.02)
    if it["EndpointStatus"] != "InService":
        raise RuntimeError(it["FailureReason"])
