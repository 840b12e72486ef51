"""A home whose control plane is killed and started again, with what was promised of it so far."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from studios import CLEAN, stop_all

BUCKET = "chaos"
ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
IMAGE = f"python:{sys.version_info.major}.{sys.version_info.minor}"
GROUP = "/aws/sagemaker/TrainingJobs"
FINAL = ("Completed", "Failed", "Stopped")
PATIENCE_SECONDS = 240.0
"""Of clients: on a busy machine each start of the control plane may take a while."""
STARTED = "started"
"""The first line of every job: it counts how often it was started."""
SETTINGS: dict[str, str] = {}
"""Of every house."""


class House:
    """`acknowledged`: bodies of the objects that the home said it has, by their keys."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.home = folder
        usual = {"cpu_slots": "32", "job_stop_seconds": "3", **SETTINGS}
        chosen = {**usual, **(settings or {})}
        self.env = {**CLEAN, **{f"STUDIO_{name.upper()}": it for name, it in chosen.items()}}
        self.database_url = chosen.get("database_url", "")
        self.acknowledged: dict[str, bytes] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._making, self._here = threading.Lock(), threading.local()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{json.loads((self.home / 'port').read_text())}"

    @property
    def router_url(self) -> str:
        port = json.loads((self.home / "router" / "port").read_text())
        return f"http://127.0.0.1:{port}"

    def start(self, before: tuple[str, ...] = (), **env: str) -> float:
        """Start the control plane, by way of the command `before`; seconds until it is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        command = [*before, sys.executable, "-P", "-m", "studio.cli", "serve", "--home"]
        with (self.home / "chaos.log").open("ab") as log:
            began = time.monotonic()
            self._process = subprocess.Popen(
                [*command, str(self.home)],
                env={**self.env, "PYTHONFAULTHANDLER": "1", **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        while not self.ready():
            if self._process.poll() is not None:
                raise DiedEarly((self.home / "chaos.log").read_text()[-2000:])
            assert time.monotonic() < began + PATIENCE_SECONDS, "the control plane does not start"
            time.sleep(0.01)
        return time.monotonic() - began

    def ready(self) -> bool:
        try:
            known = json.loads((self.home / "pid.json").read_text())
            return known["pid"] == self.pid and healthy(int(self.url.rpartition(":")[2]))
        except (FileNotFoundError, ValueError):
            return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def died(self, seconds: float) -> bool:
        """True when the control plane ends by itself within this time."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Nothing of the home runs any more."""
        if self._process is not None:
            stop_all(self.home, self.env)
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()

    def client(self, service: str) -> Any:
        """One for each service and address, without retries, for all threads."""
        url = self._address(service)
        with self._making:
            if (service, url) not in self._clients:
                made = self.new_client(service, url, retries={"total_max_attempts": 1})
                made.meta.events.register("before-call", self._name_call)
                self._clients[service, url] = made
            return self._clients[service, url]

    def _address(self, service: str) -> str:
        return self.router_url if service == "sagemaker-runtime" else self.url

    def _name_call(self, context: dict[str, Any], **_: Any) -> None:
        if invocation := getattr(self._here, "invocation", None):
            context.setdefault("retries", {})["invocation-id"] = invocation

    def new_client(self, service: str, url: str = "", **config: Any) -> Any:
        keys = json.loads((self.home / "credentials.json").read_text())
        return boto3.client(
            service,
            endpoint_url=url or self._address(service),
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
            region_name="us-east-1",
            config=Config(**{"max_pool_connections": 64, "read_timeout": 20, **config}),
        )

    def call(
        self, operation: str, seconds: float = PATIENCE_SECONDS, **request: Any
    ) -> dict[str, Any]:
        """A call of SageMaker, repeated under one invocation id while nobody answers."""
        call = getattr(self.client("sagemaker"), operation)
        self._here.invocation = str(uuid.uuid4())
        try:
            return patiently(lambda: call(**request), seconds)
        except BrokenPromise as error:
            raise BrokenPromise(f"{error}\n{self._threads()}") from error
        finally:
            self._here.invocation = None

    def _threads(self) -> str:
        """What a control plane that does not answer was doing; it ends by that."""
        kill(self.pid, signal.SIGABRT)
        self.died(10)
        return (self.home / "chaos.log").read_text()[-10_000:]

    def create_job(self, name: str, *command: str, **values: Any) -> dict[str, Any]:
        return self.call("create_training_job", **job(name, *command, **values))

    def put(self, key: str, body: bytes) -> None:
        """Store an object for sure."""
        s3 = self.client("s3")
        patiently(lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=body))
        self.acknowledged[key] = body

    def get(self, key: str) -> bytes:
        """The whole object, however often it takes. Raises ClientError when there is none."""
        s3 = self.client("s3")

        def body() -> bytes:
            return bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

        return bytes(patiently(body))

    def describe(self, name: str) -> dict[str, Any]:
        sagemaker = self.client("sagemaker")
        return patiently(lambda: sagemaker.describe_training_job(TrainingJobName=name))

    def ended(self, name: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The job once it is done; BrokenPromise when it never is."""
        deadline = time.monotonic() + seconds
        while (found := self.describe(name))["TrainingJobStatus"] not in FINAL:
            if time.monotonic() > deadline:
                status = found["SecondaryStatus"]
                raise BrokenPromise(f"{name} is still {status} after {seconds:.0f} s")
            time.sleep(0.1)
        return found

    def lines(self, name: str) -> list[str]:
        """All that a job of one host said, page after page."""
        logs, found = self.client("logs"), []
        streams = patiently(
            lambda: logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")
        )["logStreams"]
        if not streams:
            return []
        stream = streams[0]["logStreamName"]
        request = {"logGroupName": GROUP, "logStreamName": stream, "startFromHead": True}
        while True:
            page = patiently(lambda: logs.get_log_events(**request))
            if not page["events"]:
                return found
            found += [event["message"] for event in page["events"]]
            request["nextToken"] = page["nextForwardToken"]

    def run_folders(self) -> list[Path]:
        runs = self.home / "runs"
        return sorted(runs.iterdir()) if runs.is_dir() else []


class BrokenPromise(AssertionError):
    """Something that must never be."""


class DiedEarly(Exception):
    """The control plane ended before it was ready; what it said."""


@contextmanager
def house(folder: Path, env: dict[str, str] | None = None, **settings: str) -> Iterator[House]:
    """A house that serves, with a bucket."""
    made = House(folder, settings)
    try:
        made.start(**(env or {}))
        made.client("s3").create_bucket(Bucket=BUCKET)
        yield made
    finally:
        made.close()


def job(name: str, *command: str, **values: Any) -> dict[str, Any]:
    """A CreateTrainingJob request that runs `command`."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": list(command),
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        **values,
    }


def shell(script: str) -> tuple[str, ...]:
    """A job of a few lines of shell, which says first that it was started."""
    return ("sh", "-c", f"echo {STARTED}; {script}")


def python(program: str) -> tuple[str, ...]:
    """A job of some lines of Python, which says first that it was started."""
    # Words of a command have 256 characters at most, and no ends of lines.
    text = f"print('{STARTED}', flush=True)\n{program}".replace("\n", "\t")
    words = [text[at : at + 256] for at in range(0, len(text), 256)]
    return ("python3", "-c", r"import sys; exec(''.join(sys.argv[1:]).replace('\t','\n'))", *words)


def patiently(call: Any, seconds: float = PATIENCE_SECONDS) -> Any:
    """What a client does whose server may be away for a moment."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except (BotoCoreError, ClientError, ConnectionError) as error:
            if isinstance(error, ClientError) and _status(error) < 500:
                raise
            if time.monotonic() > deadline:
                raise BrokenPromise(f"no answer for {seconds:.0f} s: {error}") from error
            time.sleep(0.05)


def eventually(look: Any, seconds: float, what: str) -> Any:
    """The first true answer of `look`."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise BrokenPromise(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> bool:
    """False when there is nobody of that number."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def healthy(port: int) -> bool:
    """Whether a control plane or a router answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/_studio/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
