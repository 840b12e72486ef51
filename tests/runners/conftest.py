"""`bench`: a process runner in a home of its own; whatever still runs at the end is killed.

`unprivileged`: somebody without rights, to run code as.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from left_over import alive_of
from people import unprivileged_fixture
from runner_contract import Bench, lasting

from studio.runners.process import ProcessRunner
from studio.runners.shim import tree
from studio.settings import Settings

__all__ = ["unprivileged_fixture"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    tree.send(signal.SIGKILL, alive_of(folder))


@pytest.fixture(params=["auto", "never"])
def bench(home: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from lasting(Bench(ProcessRunner(Settings(home=home, sandbox=request.param))))
