"""Studio as people run it: `studio serve` in a process and a home of its own, with its router."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

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
        session = boto3.Session(
            self.env["AWS_ACCESS_KEY_ID"],
            self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_DEFAULT_REGION"],
        )
        runtime = service == "sagemaker-runtime"
        return session.client(
            service,
            endpoint_url=self.router_url if runtime else self.url,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )


@contextlib.contextmanager
def running_studio(home: Path, settings: dict[str, str] | None = None) -> Iterator[RunningStudio]:
    """A control plane for `home`; at the end nothing of it runs, jobs and servers included."""
    chosen = {f"STUDIO_{name.upper()}": value for name, value in (settings or {}).items()}
    environment = {**CLEAN, **chosen}
    run_studio("serve", "--home", home, "--detach", env=environment)
    try:
        status = json.loads(run_studio("status", "--json", "--home", home, env=environment))
        told = json.loads(run_studio("env", "--format", "json", "--home", home, env=environment))
        variables = {name: value for name, value in told.items() if value is not None}
        yield RunningStudio(home, status["url"], status["router_url"], {**environment, **variables})
    finally:
        run_studio("stop", "--all", "--home", home, env=environment)


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
