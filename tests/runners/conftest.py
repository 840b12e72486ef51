"""`bench`: a process runner in a home of its own; whatever still runs at the end is killed.

`unprivileged`: somebody without rights, to run code as.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from people import unprivileged_fixture
from runner_contract import Bench

from studio.runners.process import ProcessRunner
from studio.runners.shim import tree
from studio.settings import Settings

__all__ = ["unprivileged_fixture"]


def alive_of(home: Path) -> list[int]:
    """The pids of everything that runs for this home: shims and what they started."""
    found = []
    for folder in (home / "runs").glob("*"):
        found += tree.marked(f"STUDIO_RUN_ID={folder.name}", str(folder / "log"))
        found += [pid for pid in map(int, _pids()) if _argument(pid, str(folder))]
    return found


def _pids() -> list[str]:
    return [it.name for it in Path("/proc").iterdir() if it.name.isdigit()]


def _argument(pid: int, wanted: str) -> bool:
    try:
        return wanted.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    for pid in alive_of(folder):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(params=["auto", "never"])
def bench(home: Path, request: pytest.FixtureRequest) -> Bench:
    return Bench(ProcessRunner(Settings(home=home, sandbox=request.param)))
