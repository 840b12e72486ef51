"""Studio as people run it: `studio serve` in a process and a home of its own, with its router."""

import contextlib
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import databases
from botocore.config import Config
from clients import closing

from studio import daemon
from studio.environment import client_environment
from studio.settings import load_settings

ROOT = Path(__file__).parent.parent
STUDIO = Path(sys.executable).with_name("studio")
# A developer's own AWS variables must lead no test anywhere.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AWS_", "STUDIO_", "SAGEMAKER_")) and name != "PYTHONPATH"
}


@dataclass(frozen=True)
class RunningStudio:
    home: Path
    url: str
    router_url: str
    env: dict[str, str]

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client that the developer's own configuration does not touch."""
        runtime = service == "sagemaker-runtime"
        with _ONE_AT_A_TIME:
            client = _session().client(
                service,
                endpoint_url=self.router_url if runtime else self.url,
                aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
                region_name=self.env["AWS_DEFAULT_REGION"],
                config=Config(retries={"total_max_attempts": 1}, **config),
            )
            return closing(client)


# A session makes one client at a time.
_ONE_AT_A_TIME = threading.Lock()


@functools.cache
def _session() -> boto3.Session:
    """One for all clients: it reads the models of the services once."""
    return boto3.Session()


@contextlib.contextmanager
def running_studio(home: Path, settings: dict[str, str] | None = None) -> Iterator[RunningStudio]:
    """A control plane for `home`, started as Jupyter starts it; at the end nothing of it runs, jobs
    and servers included."""
    if "database_url" not in (settings or {}):
        databases.seeded(home)
    chosen = {f"STUDIO_{name.upper()}": value for name, value in (settings or {}).items()}
    environment = {**CLEAN, **chosen}
    status = daemon.serve_detached(load_settings(home, environment), environment)
    try:
        urls = status.url, status.router_url
        variables = client_environment(load_settings(home, environment), *urls, environment)
        yield RunningStudio(home, *urls, {**environment, **variables})
    finally:
        stop_all(home, environment)


def stop_all(home: Path, env: dict[str, str]) -> None:
    """Nothing of the home runs any more: `studio stop --all`."""
    daemon.stop(home)
    daemon.end_runs(load_settings(home, env))


def run_studio(*arguments: object, env: dict[str, str] | None = None) -> str:
    """What the command prints; an assertion with what it said when it fails."""
    done = subprocess.run(
        [STUDIO, *map(str, arguments)],
        env=env or CLEAN,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
