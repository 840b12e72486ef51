"""Updates of an endpoint that is asked 200 times a second: good ones, and ones whose servers lack,
never answer, crash or are slow, while the control plane is killed in the middle of some."""

import http.client
import itertools
import random
import select
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archives import archive
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from chaos.house import BUCKET, House, eventually, house
from chaos.invariants import broken
from chaos.outcome import Report, slower, spread
from flows.flow import ROLE, settled

_RATE, _THREADS = 200, 4
_FRESH_SECONDS = 60.0
_LATE_SECONDS = 10.0
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_HANDLERS = b"""
def transform_fn(model, body, content_type, accept):
    return NAME, "text/plain"
"""
# Kind -> what its server does when it starts, and whether the update takes over.
KINDS = {
    "good": (b"def model_fn(model_dir): pass", True),
    "missing model": (b"", False),
    "crashing": (b"import os\ndef model_fn(model_dir): os._exit(3)", False),
    "slow": (b"import time\ndef model_fn(model_dir): time.sleep(5)", True),
    "dying": (
        b"import os, threading\nserver = os.getppid()\n"
        b"def model_fn(model_dir): threading.Timer(3, os.kill, [server, 9]).start()",
        False,
    ),
    "never ready": (b"import time\ndef model_fn(model_dir): time.sleep(1000)", False),
}
_CONFIG = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "WaitIntervalInSeconds": 3,
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
        },
        "TerminationWaitInSeconds": 1,
    }
}


class Client(threading.Thread):
    """Asks every so many seconds, without retries; says which answer came how often."""

    def __init__(self, home: House, over: threading.Event, seconds: float) -> None:
        super().__init__(name="client")
        self._home, self._over, self._seconds = home, over, seconds
        self._connection = http.client.HTTPConnection(urlsplit(home.router_url).netloc, timeout=20)
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []
        self.good_at = time.monotonic()

    def run(self) -> None:
        with closing(self._connection):
            self._ask()

    def _ask(self) -> None:
        due, signed_at, headers = time.monotonic(), 0.0, {}
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due += self._seconds
            if time.monotonic() - signed_at > _FRESH_SECONDS:
                signed_at, headers = time.monotonic(), _signed(self._home)
            # As every client with a pool does: nothing is sent where the other side has ended.
            if self._connection.sock and select.select([self._connection.sock], [], [], 0)[0]:
                self._connection.close()
            try:
                self._connection.request("POST", _PATH, b"x", headers)
                answer = self._connection.getresponse()
                body = answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                self._connection.close()
                continue
            if answer.status == 200:
                self.answers[body] += 1
                self.good_at = time.monotonic()
            else:
                self.failed.append(body)


_PATH = "/endpoints/served/invocations"


def updated(repeats: int, seed: int, kinds: tuple[str, ...] = tuple(KINDS)) -> Report:
    """`repeats` updates, one kind after the other; at every fourth the control plane is killed."""
    draw, wrong, back = random.Random(seed), [], []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, house(Path(folder)) as home:
        serve(home)
        serving, asked = "v0", 0
        with load(home, _RATE) as clients:
            for number, kind in zip(range(1, repeats + 1), itertools.cycle(kinds), strict=False):
                name = f"v{number}"
                _configure(home, name, kind)
                seconds = _update(home, name, draw.random() * 6 if number % 4 == 0 else None)
                found = home.client("sagemaker").describe_endpoint(EndpointName="served")
                serving = name if KINDS[kind][1] else serving
                if (found["EndpointConfigName"], found["EndpointStatus"]) != (serving, "InService"):
                    served = found["EndpointConfigName"], found["EndpointStatus"]
                    wrong.append(f"{kind}: {served}, and not {serving}")
                if not KINDS[kind][1] and kind == "dying":
                    back.append(seconds)
        asked = sum(it.answers.total() + len(it.failed) for it in clients)
        failed = [said for it in clients for said in it.failed]
        heard = sum((it.answers for it in clients), Counter())
        wrong += broken(home)
    for name, count in heard.items():
        kind = kinds[(int(name[1:]) - 1) % len(kinds)] if name != "v0" else "good"
        if kind in ("missing model", "crashing", "never ready"):
            wrong.append(f"a server that was never healthy answered {count} times")
    # Nobody sends a request twice: what a server was asked as it died is lost.
    dying = [said for said in failed if "closed the connection" in said]
    if len(failed) > len(dying) or len(dying) > _THREADS * len(back):
        wrong.append(f"{len(failed)} of {asked} requests failed: {failed[:3]}")
    figures = {
        "requests": str(asked),
        "lost": str(len(failed)),
        "of these with a dying server": str(len(dying)),
        "dying ones rolled back": spread(back) if back else "none",
    }
    promise = "only what a server was asked as it died is lost; the never healthy are never asked"
    name, slow = "F23 updates under load", slower(back, _LATE_SECONDS + 6, "roll-back")
    return Report(name, promise, repeats, seed, figures, tuple(wrong), slow=slow)


def serve(home: House, instances: int = 1) -> None:
    """The endpoint that is asked, of a good model."""
    _configure(home, "v0", "good", instances)
    home.call("create_endpoint", EndpointName="served", EndpointConfigName="v0")
    settled(home.client("sagemaker"), "served")


def _update(home: House, name: str, kill_after: float | None) -> float:
    """Seconds until the update has ended, one way or the other."""
    began = time.monotonic()
    home.call(
        "update_endpoint",
        EndpointName="served",
        EndpointConfigName=name,
        DeploymentConfig=_CONFIG,
    )
    if kill_after is not None:
        time.sleep(kill_after)
        home.kill()
        home.start()
    sagemaker = home.client("sagemaker")

    def ended() -> bool:
        found = sagemaker.describe_endpoint(EndpointName="served")
        return found["EndpointStatus"] not in ("Updating", "RollingBack")

    eventually(ended, 180, f"the update to {name} ends")
    return time.monotonic() - began


def _configure(home: House, name: str, kind: str, instances: int = 1) -> None:
    """A model of that kind, which answers with its name, and a configuration of it."""
    body = packed(KINDS[kind][0] + _HANDLERS.replace(b"NAME", repr(name).encode()))
    s3, place = home.client("s3"), {"Bucket": BUCKET, "Key": f"{name}.tar.gz"}
    s3.put_object(**place, Body=body)
    container: dict[str, Any] = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz"}
    container["Environment"] = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": instances,
        "ContainerStartupHealthCheckTimeoutInSeconds": 60,
    }
    home.call("create_model", ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    home.call("create_endpoint_config", EndpointConfigName=name, ProductionVariants=[variant])
    if kind == "missing model":
        s3.delete_object(**place)


def packed(code: bytes) -> bytes:
    """The archive of a model that is only code."""
    return archive({"code/inference.py": code})


def _signed(home: House) -> dict[str, str]:
    url = home.router_url + _PATH
    made = AWSRequest("POST", url, {"Host": urlsplit(url).netloc}, b"x")
    keys = home.new_client("sts")._request_signer._credentials
    credentials = Credentials(keys.access_key, keys.secret_key)
    SigV4Auth(credentials, "sagemaker", "us-east-1").add_auth(made)
    return dict(made.headers.items())


@contextmanager
def load(home: House, rate: float) -> Iterator[list[Client]]:
    """Clients that ask the endpoint `rate` times a second, all together."""
    over = threading.Event()
    clients = [Client(home, over, _THREADS / rate) for _ in range(_THREADS)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        over.set()
        for each in clients:
            each.join()
