"""A control plane for the figures: `studio serve` in a process and a home of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.session

STUDIO = Path(sys.executable).with_name("studio")
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Running:
    home: Path
    pid: int
    env: dict[str, str]

    def client(self, service: str) -> Any:
        core = botocore.session.Session()
        core.set_config_variable("data_path", self.env["AWS_DATA_PATH"])
        session = boto3.Session(
            self.env["AWS_ACCESS_KEY_ID"],
            self.env["AWS_SECRET_ACCESS_KEY"],
            region_name=self.env["AWS_DEFAULT_REGION"],
            botocore_session=core,
        )
        own = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
        return session.client(service, endpoint_url=self.env.get(own, self.env["AWS_ENDPOINT_URL"]))


@contextmanager
def studio(
    prepare: Callable[[Path], None] = lambda _home: None, **settings: str
) -> Iterator[Running]:
    """Ready when entered; gone with everything it ran when left. `prepare` fills the home."""
    chosen = {f"STUDIO_{name.upper()}": value for name, value in settings.items()}
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        prepare(home)
        call("serve", "--detach", "--home", home, env={**os.environ, **chosen})
        try:
            status = json.loads(call("status", "--json", "--home", home))
            told = json.loads(call("env", "--format", "json", "--home", home))
            own = {name: value for name, value in os.environ.items() if name not in told}
            given = {name: value for name, value in told.items() if value is not None}
            yield Running(home, status["pid"], own | given)
        finally:
            call("stop", "--all", "--home", home)


def call(*arguments: object, env: dict[str, str] | None = None) -> str:
    command = [STUDIO, *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env).stdout
