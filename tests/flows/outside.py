"""A control plane whose objects lie in another S3: that of a second Studio, over http or https."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studios import RunningStudio, run_studio, running_studio, stop_all


@dataclass(frozen=True)
class WithOutside(RunningStudio):
    """Runs jobs and endpoints itself; `objects` holds what they read and write."""

    objects: RunningStudio

    def client(self, service: str, **config: Any) -> Any:
        return (self.objects if service == "s3" else super()).client(service, **config)


@contextlib.contextmanager
def running(folder: Path, scheme: str) -> Iterator[WithOutside]:
    with running_studio(folder / "objects") as objects:
        home = folder / "runner"
        home.mkdir()
        keys = folder / "keys"
        keys.write_text(
            "[outside]\n"
            f"aws_access_key_id = {objects.env['AWS_ACCESS_KEY_ID']}\n"
            f"aws_secret_access_key = {objects.env['AWS_SECRET_ACCESS_KEY']}\n"
        )
        settings = {"s3_endpoint": objects.url, "s3_profile": "outside"}
        if scheme == "https":
            told = json.loads(
                run_studio("env", "--tls", "--format", "json", "--home", objects.home)
            )
            settings["s3_endpoint"] = told["AWS_ENDPOINT_URL"]
            settings["s3_ca_bundle"] = str(objects.home / "tls" / "ca.pem")
        lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        (home / "studio.toml").write_text("".join(lines))
        hidden = ("AWS_", "STUDIO_")
        env = {name: value for name, value in objects.env.items() if not name.startswith(hidden)}
        env["AWS_SHARED_CREDENTIALS_FILE"] = str(keys)
        run_studio("serve", "--home", home, "--detach", env=env)
        try:
            status = json.loads(run_studio("status", "--json", "--home", home, env=env))
            told = json.loads(run_studio("env", "--format", "json", "--home", home, env=env))
            assert told["AWS_ENDPOINT_URL_S3"] == settings["s3_endpoint"]
            values = {name: value for name, value in told.items() if value is not None}
            url, router_url = status["url"], status["router_url"]
            yield WithOutside(home, url, router_url, {**env, **values}, objects)
        finally:
            stop_all(home, env)
