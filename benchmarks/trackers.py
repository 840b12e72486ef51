"""Other trackers from the package index, each in an environment that is made once, and a home of
its own: `fasttrackml` and `mlflow server`, which speak one protocol."""

import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import running, sockets

FASTTRACKML, MLFLOW = "fasttrackml==0.6.0", "mlflow==3.17.2"

_UV = Path(running.STUDIO).with_name("uv")
_START_SECONDS = 180.0
_API = "/api/2.0/mlflow"


@dataclass(frozen=True)
class Tracker:
    url: str

    def call(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """What it answers to a request of MLflow's REST API."""
        _, bodies = sockets.sent(self.url, [self.message(path, document)])
        found: dict[str, Any] = json.loads(bodies[0])
        return found

    def message(self, path: str, document: dict[str, Any]) -> bytes:
        return self._message("POST", f"{_API}/{path}", json.dumps(document).encode())

    def asked(self, path: str) -> bytes:
        return self._message("GET", f"{_API}/{path}", b"")

    def run(self) -> str:
        """The id of a new run."""
        made = self.call("runs/create", {"experiment_id": "0", "start_time": 1})
        return str(made["run"]["info"]["run_id"])

    def _message(self, method: str, path: str, body: bytes) -> bytes:
        headers = {"Host": urlsplit(self.url).netloc, "Content-Type": "application/json"}
        return sockets.message(method, path, headers, body)


@contextmanager
def fasttrackml() -> Iterator[Tracker]:
    with _served(FASTTRACKML, "fml", "server", "--listen-address", "{host}:{port}") as tracker:
        yield tracker


@contextmanager
def mlflow() -> Iterator[Tracker]:
    """With one worker, as its share of a small machine."""
    command = ("mlflow", "server", "--host", "{host}", "--port", "{port}", "--workers", "1")
    with _served(MLFLOW, *command) as tracker:
        yield tracker


@contextmanager
def _served(package: str, program: str, *arguments: str) -> Iterator[Tracker]:
    folder = _environment(package)
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        given = [it.format(host="127.0.0.1", port=port) for it in arguments]
        store = "--backend-store-uri" if program == "mlflow" else "--database-uri"
        given += [store, "sqlite:///store.db" if program == "mlflow" else "sqlite://store.db"]
        with (Path(home) / "log").open("wb") as log:
            command = [folder / "bin" / program, *given]
            process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)
            try:
                _await(process, port, Path(home) / "log")
                yield Tracker(f"http://127.0.0.1:{port}")
            finally:
                process.terminate()
                process.wait()


def _environment(package: str) -> Path:
    """Where the package is installed; it is, if need be."""
    folder = running.ROOT / f".venv-{package.partition('==')[0]}"
    if not (folder / ".ready").exists():
        subprocess.run([_UV, "venv", "-q", "--clear", folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run([_UV, "pip", "install", "-q", "--python", python, package], check=True)
        (folder / ".ready").touch()
    return folder


def _await(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError(f"the tracker does not answer: {log.read_text()[-500:]}")
