"""Algorithm programs as real processes: training jobs in a temporary /opt/ml, model servers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waiting import PATIENCE_SECONDS


@dataclass
class Job:
    base: Path
    module: str = "studio.algorithms.xgboost"
    tag: str = "1.7-1"
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)

    def channel(self, name: str, content_type: str | None, **files: str | bytes) -> None:
        """Add a channel; `__` in a file's keyword stands for its last dot."""
        folder = self.base / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        for key, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / key.replace("__", ".")).write_bytes(data)
        self.channels[name] = {"TrainingInputMode": "File"}
        if content_type is not None:
            self.channels[name]["ContentType"] = content_type

    def configure(self, **hyperparameters: object) -> None:
        config = self.base / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        values = {name.removeprefix("p_"): str(value) for name, value in hyperparameters.items()}
        (config / "hyperparameters.json").write_text(json.dumps(values))
        (config / "inputdataconfig.json").write_text(json.dumps(self.channels))

    def command(self, verb: str) -> list[str]:
        return [sys.executable, "-P", "-m", self.module, "--tag", self.tag, verb]

    def environment(self, **more: str) -> dict[str, str]:
        given = {**os.environ, "SAGEMAKER_BASE_DIR": str(self.base), "OMP_NUM_THREADS": "1"}
        return {**given, **self.env, **more}

    def train(self, **hyperparameters: object) -> "Ended":
        self.configure(**hyperparameters)
        run = subprocess.run(
            self.command("train"), env=self.environment(), capture_output=True, text=True,
            timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        return Ended(run.returncode, run.stdout + run.stderr, self.failure())

    def failure(self) -> str:
        path = self.base / "output" / "failure"
        return path.read_text() if path.exists() else ""

    @property
    def model(self) -> Path:
        return self.base / "model"


@dataclass(frozen=True)
class Ended:
    code: int
    log: str
    failure: str


def feed(folder: Path, channel: str, epochs: int, data: bytes) -> threading.Thread:
    """A pipe for each epoch, made when the one before was read."""
    os.mkfifo(folder / f"{channel}_0")

    def run() -> None:
        for epoch in range(epochs):
            with (folder / f"{channel}_{epoch}").open("wb") as pipe:
                os.mkfifo(folder / f"{channel}_{epoch + 1}")
                pipe.write(data)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def start_on_hosts(
    job: Job, addresses: list[str], **given: object
) -> list[tuple[Job, "subprocess.Popen[str]"]]:
    """The job on several hosts, each a process with its own folders, named by its address.

    Channels are sharded: host n gets the files `n-*`, and all get those that begin with no digit.
    """
    running = []
    for number, host in enumerate(addresses):
        own = Job(job.base / host, job.module, job.tag, env=job.env)
        for name, entry in job.channels.items():
            own.channel(name, entry.get("ContentType"))
            own.channels[name] = entry
            for path in (job.base / "input" / "data" / name).iterdir():
                if path.name.startswith(f"{number}-") or not path.name[0].isdigit():
                    (own.base / "input" / "data" / name / path.name).write_bytes(path.read_bytes())
        (own.base / "output").mkdir(parents=True)
        own.configure(**given)
        resources = {"current_host": host, "hosts": addresses}
        (own.base / "input/config/resourceconfig.json").write_text(json.dumps(resources))
        process = subprocess.Popen(
            own.command("train"), env=own.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        running.append((own, process))
    return running


def on_hosts(job: Job, addresses: list[str], **given: object) -> list["Ended"]:
    """How `start_on_hosts` ended, host by host."""
    running = start_on_hosts(job, addresses, **given)
    logs = [process.communicate(timeout=PATIENCE_SECONDS)[0] for _, process in running]
    return [
        Ended(process.returncode, log, own.failure())
        for (own, process), log in zip(running, logs, strict=True)
    ]


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes
    batch: str = ""

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def invoke(self, body: str | bytes, content_type: str = "text/csv", accept: str = "") -> Reply:
        headers = {"Content-Type": content_type} | ({"Accept": accept} if accept else {})
        data = body.encode() if isinstance(body, str) else body
        return self.request("/invocations", data, headers)

    def request(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, body, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
                heads = response.headers
                kind, batch = heads.get("Content-Type", ""), heads.get("X-Studio-Batch", "")
                return Reply(response.status, kind, response.read(), batch)
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers.get("Content-Type", ""), error.read())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


Serve = Callable[..., Server]
"""serve(job, NAME="value" of the environment...) -> a server that answers /ping."""


def start_server(job: Job, log: Path, port: int, **env: str) -> Server:
    with log.open("wb") as file:
        process = subprocess.Popen(
            job.command("serve"), stdout=file, stderr=subprocess.STDOUT,
            env=job.environment(SAGEMAKER_BIND_TO_PORT=str(port), **env),
        )  # fmt: skip
    return Server(process, port, log)


def wait_for_ping(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended: {server.log.read_text()}")
        try:
            if server.request("/ping").status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"no answer to /ping: {server.log.read_text()}")
