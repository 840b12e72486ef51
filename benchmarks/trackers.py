"""Other trackers from the package index, each in an environment that is made once, and a home of
its own: `fasttrackml` and `mlflow server`, which speak one protocol."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from benchmarks import peers, sockets

FASTTRACKML, MLFLOW = "fasttrackml==0.6.0", "mlflow==3.17.2"

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
    program = peers.environment("fasttrackml", FASTTRACKML) / "bin" / "fml"
    command = (program, "server", "--listen-address", "127.0.0.1:{port}")
    with peers.served((*command, "--database-uri", "sqlite://store.db"), "/health") as url:
        yield Tracker(url)


@contextmanager
def mlflow() -> Iterator[Tracker]:
    """With one worker, as its share of a small machine."""
    program = peers.environment("mlflow", MLFLOW) / "bin" / "mlflow"
    command = (program, "server", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1")
    with peers.served((*command, "--backend-store-uri", "sqlite:///store.db"), "/health") as url:
        yield Tracker(url)
