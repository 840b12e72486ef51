"""Runs linear-learner as the platform does: folders, a process, an HTTP server."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ports import held_port
from waiting import PATIENCE_SECONDS

from studio.algorithms import record_message, recordio
from studio.algorithms.linear_learner import IMAGE

Files = Mapping[str, tuple[str, bytes]]
"""Channel -> (content type, content of its one file)."""


@dataclass(frozen=True)
class Job:
    """A finished training job."""

    base: Path
    status: int
    log: str

    @property
    def failure(self) -> str:
        path = self.base / "output" / "failure"
        return path.read_text() if path.exists() else ""

    def metrics(self) -> dict[str, list[float]]:
        """Every value of every metric of the image, scraped as the platform does."""
        return {
            name: [float(value) for value in re.findall(expression, self.log)]
            for name, expression in IMAGE.metrics
        }


def train(base: Path, hyperparameters: Mapping[str, object], channels: Files) -> Job:
    """One training job in `base`."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    strings = {name: str(value) for name, value in hyperparameters.items()}
    (config / "hyperparameters.json").write_text(json.dumps(strings))
    document = {name: {"ContentType": kind} for name, (kind, _) in channels.items()}
    (config / "inputdataconfig.json").write_text(json.dumps(document))
    for name, (_, content) in channels.items():
        folder = base / "input" / "data" / name
        folder.mkdir(parents=True)
        (folder / "data").write_bytes(content)
    run = subprocess.run(
        [*IMAGE.entrypoint("1"), "train"],
        env=environment(base),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return Job(base, run.returncode, run.stdout)


@contextlib.contextmanager
def served(base: Path) -> Iterator[str]:
    """The model in `base / "model"` behind a server; yields its URL."""
    with held_port() as port:
        env = environment(base) | {"SAGEMAKER_BIND_TO_PORT": str(port)}
        command = [*IMAGE.entrypoint("1"), "serve"]
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://127.0.0.1:{port}/ping", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_SECONDS)


def invoke(url: str, body: bytes, kind: str = "text/csv", accept: str = "") -> tuple[int, bytes]:
    """(status, body) of one request."""
    headers = {"Content-Type": kind} | ({"Accept": accept} if accept else {})
    request = urllib.request.Request(f"{url}/invocations", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def csv(features: np.ndarray, labels: np.ndarray | None = None) -> bytes:
    """Rows of text, the label first."""
    table = features if labels is None else np.column_stack([labels, features])
    return "".join(",".join(f"{cell:.9g}" for cell in row) + "\n" for row in table).encode()


def records(features: np.ndarray, labels: np.ndarray | None = None) -> bytes:
    """Dense RecordIO-protobuf records."""
    out = b""
    for number, row in enumerate(features):
        record = record_message.record_class()()
        record.features["values"].float32_tensor.values.extend(row)
        if labels is not None:
            record.label["values"].float32_tensor.values.append(labels[number])
        out += recordio.frame(record.SerializeToString())
    return out


def sparse_records(features: np.ndarray, labels: np.ndarray | None = None) -> bytes:
    """Sparse RecordIO-protobuf records of the cells that are not 0."""
    out = b""
    for number, row in enumerate(features):
        record = record_message.record_class()()
        keys = np.flatnonzero(row)
        tensor = record.features["values"].float32_tensor
        tensor.values.extend(row[keys])
        tensor.keys.extend(keys.tolist())
        tensor.shape.append(row.size)
        if labels is not None:
            record.label["values"].float32_tensor.values.append(labels[number])
        out += recordio.frame(record.SerializeToString())
    return out


def environment(base: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(base), "OMP_NUM_THREADS": "1"}


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(process.communicate()[0].decode())
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    raise AssertionError(f"{sys.argv[0]}: the server did not answer at {url}")
