"""Fifty models behind one server with room for five: some of them are harmful."""

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chaos.house import BUCKET, House, house
from chaos.invariants import broken
from chaos.outcome import Report, spread
from chaos.updates import SKLEARN, packed
from flows.flow import ROLE, settled

_MODELS, _ROOM = 50, 5
_RATE, _THREADS = 20, 8
_ENDPOINT = "many"
_GOOD = b"""
import time
def model_fn(model_dir): pass
def transform_fn(model, body, content_type, accept):
    time.sleep(0.05)
    return NAME, "text/plain"
"""
_START = b"def model_fn(model_dir): pass\ndef transform_fn(model, body, content_type, accept): "
# What it does when it is asked; error and words that its caller gets.
BAD = {
    "corrupt": (b"", "ValidationError", "Failed to unpack model data(corrupt.tar.gz)"),
    "hungry": (_START + b"return str(len(b'x' * 2**50)), ''", "ModelError", "MemoryError"),
    "killed": (_START + b"import os; os.kill(os.getpid(), 9)", "ModelError", ""),
    "hanging": (_START + b"import time; time.sleep(1000)", "ModelError", ""),
}


def harmed(repeats: int, seed: int) -> Report:
    """For `repeats` seconds twenty requests each: the good models as Zipf says, the bad ones now
    and then."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        _serve(home)
        bad = [_Bad(home, name) for name in BAD]
        with _load(home, seed) as clients:
            until = time.monotonic() + repeats
            for each in bad:
                each.start()
            while time.monotonic() < until:
                time.sleep(0.1)
        for each in bad:
            each.join()
        wrong = broken(home)
    asked = sum(it.asked for it in clients)
    failed = [said for it in clients for said in it.failed]
    if failed:
        wrong.append(f"{len(failed)} of {asked} others failed: {Counter(failed).most_common(3)}")
    wrong += [said for each in bad for said in each.wrong]
    figures = {
        "others": f"{len(failed)} of {asked} failed",
        "seconds": spread([second for it in clients for second in it.seconds]),
        **{f"{it.name} asked": str(it.asked) for it in bad},
    }
    promise = "no request for another model fails; the bad ones are named, with the reason"
    return Report("F29 many models, four bad", promise, repeats, seed, figures, tuple(wrong))


class _Client(threading.Thread):
    """Asks good models, the first ones most often."""

    def __init__(self, home: House, over: threading.Event, chance: random.Random) -> None:
        super().__init__(name="client")
        self._runtime, self._over, self._chance = _runtime(home), over, chance
        self.asked = 0
        self.failed: list[str] = []
        self.seconds: list[float] = []

    def run(self) -> None:
        good = _MODELS - len(BAD)
        weights = [1 / rank for rank in range(1, good + 1)]
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += _THREADS / _RATE
            name = f"model-{self._chance.choices(range(good), weights)[0]}"
            self.asked += 1
            began = time.monotonic()
            try:
                said = _answer(self._runtime, name)
            except (BotoCoreError, ClientError) as error:
                self.failed.append(str(error)[:200])
            else:
                self.seconds.append(time.monotonic() - began)
                if said != name:
                    self.failed.append(f"{name} answered {said[:100]}")


class _Bad(threading.Thread):
    """Asks one bad model again and again, a second after each answer."""

    def __init__(self, home: House, name: str) -> None:
        super().__init__(name=name)
        self._runtime = _runtime(home)
        self._over = threading.Event()
        self.asked = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self._over.wait(1):
            self.asked += 1
            try:
                self.wrong.append(f"{self.name} answered {_answer(self._runtime, self.name)[:100]}")
            except ClientError as error:
                _, code, words = BAD[self.name]
                if error.response["Error"]["Code"] != code or words not in str(error):
                    self.wrong.append(f"{self.name}: {str(error)[:300]}")

    def join(self, timeout: float | None = None) -> None:
        self._over.set()
        super().join(timeout)


def _runtime(home: House) -> Any:
    """A client that outwaits a model that hangs, and asks once."""
    return home.new_client("sagemaker-runtime", read_timeout=90, retries={"total_max_attempts": 1})


def _answer(runtime: Any, name: str) -> str:
    answer = runtime.invoke_endpoint(
        EndpointName=_ENDPOINT, TargetModel=f"{name}.tar.gz", ContentType="text/csv", Body=b"x"
    )
    return str(answer["Body"].read().decode())


@contextmanager
def _load(home: House, seed: int) -> Iterator[list[_Client]]:
    over = threading.Event()
    clients = [_Client(home, over, random.Random(seed + number)) for number in range(_THREADS)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        over.set()
        for each in clients:
            each.join()


def _serve(home: House) -> None:
    s3 = home.client("s3")
    for number in range(_MODELS - len(BAD)):
        code = _GOOD.replace(b"NAME", repr(f"model-{number}").encode())
        s3.put_object(Bucket=BUCKET, Key=f"models/model-{number}.tar.gz", Body=packed(code))
    for name, (code, *_) in BAD.items():
        body = packed(code) if code else b"this is no archive"
        s3.put_object(Bucket=BUCKET, Key=f"models/{name}.tar.gz", Body=body)
    container = {
        "Image": SKLEARN,
        "Mode": "MultiModel",
        "ModelDataUrl": f"s3://{BUCKET}/models/",
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "STUDIO_LOADED_MODELS": str(_ROOM)},
    }
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": _ENDPOINT,
        "InstanceType": "ml.t2.medium",
        "InitialInstanceCount": 1,
    }
    home.call(
        "create_model", ModelName=_ENDPOINT, ExecutionRoleArn=ROLE, PrimaryContainer=container
    )
    home.call("create_endpoint_config", EndpointConfigName=_ENDPOINT, ProductionVariants=[variant])
    home.call("create_endpoint", EndpointName=_ENDPOINT, EndpointConfigName=_ENDPOINT)
    if (found := settled(home.client("sagemaker"), _ENDPOINT))["EndpointStatus"] != "InService":
        raise AssertionError(found)
