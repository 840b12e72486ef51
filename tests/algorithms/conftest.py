"""`job` is a training job in a temporary /opt/ml, `serve(job)` a running model server."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from algorithm_programs import Job, Serve, Server, start_server, wait_for_ping
from ports import held_port

# XGBoost as the algorithm has it: without scikit-learn, which it would import for two seconds.
sys.modules["sklearn"] = None  # type: ignore[assignment]
import xgboost  # noqa: E402, F401

del sys.modules["sklearn"]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "model").mkdir()
    (tmp_path / "output").mkdir()
    return Job(tmp_path)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    running: list[Server] = []

    def start(job: Job, **env: str) -> Server:
        with held_port() as port:
            server = start_server(job, tmp_path / f"server-{port}.log", port, **env)
            running.append(server)
            wait_for_ping(server)
        return server

    yield start
    for server in running:
        server.process.kill()
        server.process.wait()
