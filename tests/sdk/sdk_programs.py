"""Programs in the virtual environments of AWS's SDKs, which `make setup` makes."""

import contextlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studios import ROOT, RunningStudio, run_studio

HERE = Path(__file__).parent
PYTHONS = {
    "v1": ROOT / ".venv-sdk1" / "bin" / "python",
    "v2": ROOT / ".venv-sdk" / "bin" / "python",
    "v3": ROOT / ".venv-sdk3" / "bin" / "python",
}


@dataclass(frozen=True)
class Told:
    """What a program printed, what it told on its last line, and whom it spoke to."""

    output: str
    values: dict[str, Any]
    strangers: list[str]
    """Addresses beyond this machine that it connected to, and names that it looked up."""


def run(names: Iterable[str], env: dict[str, str], folder: Path) -> dict[str, Told]:
    """What the programs told, all of them run at the same time; none outlives this."""
    with contextlib.ExitStack() as started:
        running = {name: started.enter_context(start(name, env, folder)) for name in names}
        for process in running.values():
            started.callback(process.kill)
        return {name: finish(name, process, folder) for name, process in running.items()}


def start(name: str, env: dict[str, str], folder: Path) -> "subprocess.Popen[str]":
    """The program `programs/<name>.py` in the environment of its generation."""
    watched = folder / f"{name}.connections"
    path = [*filter(None, [env.get("PYTHONPATH")]), str(HERE / "watch"), str(HERE / "programs")]
    variables = {
        "PYTHONPATH": ":".join(path),
        "WATCH_CONNECTIONS": str(watched),
        "EXAMPLES_DATA": str(ROOT / "examples" / "data"),
        "HOME": env.get("HOME", str(folder)),
    }
    return subprocess.Popen(
        [PYTHONS[name[:2]], HERE / "programs" / f"{name}.py"],
        env={**env, **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(name: str, process: "subprocess.Popen[str]", folder: Path) -> Told:
    """Waits for the end of the program; an assertion with its output when it fails."""
    output, _ = process.communicate(timeout=560)
    assert process.returncode == 0, output[-4000:]
    (told,) = [line for line in output.splitlines() if line.startswith("TOLD ")]
    watched = folder / f"{name}.connections"
    strangers = watched.read_text().splitlines() if watched.exists() else []
    return Told(output, json.loads(told[5:]), strangers)


def bare(studio: RunningStudio, home: Path) -> dict[str, str]:
    """The environment without the hook, over https, in a home with botocore's list of endpoints."""
    listed = home / ".aws" / "models" / "endpoints.json"
    listed.parent.mkdir(parents=True)
    options = ("--tls", "--endpoints-json", listed, "--format", "json", "--home", studio.home)
    told = json.loads(run_studio("env", *options, env=studio.env))
    env = {**studio.env, **{name: value for name, value in told.items() if value is not None}}
    for name in ("PYTHONPATH", "STUDIO_URL"):
        env.pop(name)
    return {**env, "HOME": str(home)}
