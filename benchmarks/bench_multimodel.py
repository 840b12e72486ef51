"""Multi-model endpoints: a model that is loaded, one that is not, and 10,000 of which 100 are."""

import http.client
import io
import random
import statistics
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import xgboost
from botocore.awsrequest import AWSRequest

from benchmarks import running, signing
from benchmarks.harness import Row, at_most
from benchmarks.running import Running

_ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_BUCKET, _BODY = "many", b"0.1,0.2,0.3,0.4"
_MODELS, _LOADED, _REQUESTS = 10_000, 100, 3_000
_LARGE = 20


def run() -> list[Row]:
    with running.studio() as it:
        _upload(it)
        _deploy(it, "one", ModelDataUrl=f"s3://{_BUCKET}/small/0.tar.gz")
        _deploy(it, "many", ModelDataUrl=f"s3://{_BUCKET}/small/", Mode="MultiModel", **_few(100))
        _deploy(it, "large", ModelDataUrl=f"s3://{_BUCKET}/large/", Mode="MultiModel", **_few(1))
        with _asking(it) as ask:
            one, hit = _hits(ask)
            misses = [ask("large", f"{n % _LARGE}.tar.gz")[1] for n in range(2 * _LARGE)]
            seconds, errors = _zipf(ask)
    return [
        Row("one model: p50", one * 1e3, "ms"),
        Row("several models, loaded: p50", hit * 1e3, "ms"),
        Row("what the choice of a model adds", (hit - one) * 1e3, "ms", at_most(0.5)),
        Row("a model of 1 MB that is not loaded: p50", _median(misses) * 1e3, "ms", at_most(50)),
        Row("10,000 models, 100 loaded, Zipf: errors", errors, "", at_most(0)),
        Row("10,000 models, 100 loaded, Zipf: p50", _median(seconds) * 1e3, "ms"),
        Row("10,000 models, 100 loaded, Zipf: p99", _high(seconds) * 1e3, "ms"),
    ]


def _few(number: int) -> dict[str, Any]:
    return {"Environment": {"STUDIO_LOADED_MODELS": str(number)}}


def _upload(it: Running) -> None:
    """10,000 models of a few kB, and some of a megabyte."""
    s3 = it.client("s3")
    s3.create_bucket(Bucket=_BUCKET)
    small = _archive(_model(rows=200, rounds=2))
    large = _archive(_model(rows=20_000, rounds=150))

    def put(key: str, data: bytes) -> None:
        s3.put_object(Bucket=_BUCKET, Key=key, Body=data)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: put(f"small/{n}.tar.gz", small), range(_MODELS)))
        list(threads.map(lambda n: put(f"large/{n}.tar.gz", large), range(_LARGE)))


def _model(rows: int, rounds: int) -> bytes:
    """A model in XGBoost's own format: a megabyte with the larger numbers."""
    made = np.random.default_rng(1)
    data = xgboost.DMatrix(made.random((rows, 4)), label=made.random(rows))
    return bytes(xgboost.train({"max_depth": 7}, data, rounds).save_raw("ubj"))


def _archive(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("xgboost-model")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _deploy(it: Running, name: str, **container: Any) -> None:
    sagemaker = it.client("sagemaker")
    primary = {"Image": _IMAGE, **container}
    sagemaker.create_model(ModelName=name, PrimaryContainer=primary, ExecutionRoleArn=_ROLE)
    variant: dict[str, Any] = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1})


@contextmanager
def _asking(it: Running) -> Iterator[Any]:
    """Asks an endpoint for a model: status, and seconds on a connection that is kept."""
    url = it.env["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"]
    signer = signing.signer(it.env)
    connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def ask(endpoint: str, target: str = "") -> tuple[int, float]:
        headers = {"Content-Type": "text/csv", "Host": urlsplit(url).netloc}
        if target:
            headers["X-Amzn-SageMaker-Target-Model"] = target
        path = f"/endpoints/{endpoint}/invocations"
        request = AWSRequest("POST", url + path, headers, _BODY)
        signer.add_auth(request)
        begun = time.perf_counter()
        connection.request("POST", path, _BODY, dict(request.headers.items()))
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - begun

    yield ask
    connection.close()


def _hits(ask: Any) -> tuple[float, float]:
    """Medians of one model and of several, by turns, so that both have the same machine."""
    pairs = [(ask("one")[1], ask("many", "0.tar.gz")[1]) for _ in range(1_000)]
    warm = pairs[100:]
    return _median([one for one, _ in warm]), _median([hit for _, hit in warm])


def _zipf(ask: Any) -> tuple[list[float], int]:
    """Seconds of requests whose models are as popular as words are, and how many failed."""
    weights = [1 / (number + 1) for number in range(_MODELS)]
    wanted = random.Random(1).choices(range(_MODELS), weights, k=_REQUESTS)
    found = [ask("many", f"{number}.tar.gz") for number in wanted]
    return [seconds for _, seconds in found], sum(status != 200 for status, _ in found)


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _high(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
