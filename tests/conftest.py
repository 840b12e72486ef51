"""Fixtures for every test.

`studio`: a control plane as people run it (`studio serve` in a process and a home of its own) with
its router; one for the whole session. `studio.client("s3")` is a boto3 client of it,
`studio.env` the whole environment that a program needs to land there, hook included;
`studio.home`, `studio.url`, `studio.router_url` say where it is.
`start_studio`: makes more of them, each in its own home; stopped at the end of the test.
`plane`: a control plane's port in this process, shared by the tests of a module.
`docker`: a Docker engine for the session.
`postgres`: a PostgreSQL server for the session; `database_url`: a database of either kind.
"""

import contextlib
import gc
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import databases
import docker_engine
import hypothesis
import left_behind
import plane as planes
import postgresql
import pytest
import studios
from studios import RunningStudio, running_studio

from studio.environment import models_folder

# A busy machine must fail no test: how long an example takes is not what is tested. The same
# examples in every run, so that a change is judged by what it changed; `make fuzz` draws new ones
# (--hypothesis-profile=random, which wins over what is loaded here).
hypothesis.settings.register_profile("patient", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.register_profile("random", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("patient")
# boto3 knows the service `studio` here as it does where `studio env` was read.
os.environ["AWS_DATA_PATH"] = str(models_folder())
# Threads that spin while they wait take the processors from the other workers' tests.
os.environ["OMP_WAIT_POLICY"] = studios.CLEAN["OMP_WAIT_POLICY"] = "PASSIVE"
# Nothing of what is imported and collected is garbage, and to look for it takes a tenth.
gc.disable()
# Who ends the tests ends what they have started too.
signal.signal(signal.SIGTERM, signal.default_int_handler)


# Folders and files: browsers, AWS's SDKs, the pages.
LONG = {"ui", "sdk", "test_docs.py"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long are strewn over the first half of all: they run beside others that wait,
    and hold nobody up at the end."""
    files = list(dict.fromkeys(item.path for item in items))
    long = [path for path in files if LONG & {path.parent.name, path.name}]
    order = [path for path in files if path not in long]
    for number, path in enumerate(long):
        order.insert(number * (len(order) // (2 * len(long)) + 1), path)
    place = {path: number for number, path in enumerate(order)}
    items.sort(key=lambda item: place[item.path])


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """After a failure every fixture is made anew: what is tried again meets nothing of the first
    attempt, no job of the same name and no server that hangs, and neither do the tests after it."""
    if item.stash.get(_FAILED, False):
        item.stash[_FAILED] = False
        item.session._setupstate.teardown_exact(None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why tests were tried again: a race whose reason is lost is never mended."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"tried again: {report.nodeid}")
        terminalreporter.write_line("\n".join(report.longreprtext.splitlines()[-30:]))


@pytest.fixture(scope="session", autouse=True)
def _nothing_stays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What programs keep for a while lies in the folder of the tests; nothing outlives them."""
    base = tmp_path_factory.getbasetemp()
    temporary = base / "temporary"
    temporary.mkdir(exist_ok=True)
    studios.CLEAN["TMPDIR"] = os.environ["TMPDIR"] = str(temporary)
    tempfile.tempdir = None
    yield
    left_behind.assert_nothing_of(base)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[planes.Plane]:
    with planes.running(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio") / "home") as running:
        yield running


@pytest.fixture
def start_studio(tmp_path: Path) -> Iterator[Callable[..., RunningStudio]]:
    """`start_studio(name="home", **settings)`: another control plane."""
    with contextlib.ExitStack() as started:

        def start(name: str = "home", **settings: str) -> RunningStudio:
            return started.enter_context(running_studio(tmp_path / name, settings))

        yield start


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def docker() -> Iterator[docker_engine.DockerEngine]:
    with docker_engine.running() as engine:
        yield engine


@pytest.fixture
def unfollowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows alone: what is kept beside them, by rooms that other tests imported, is left out."""
    monkeypatch.setattr("studio.db.resources._FOLLOWERS", {})


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without rows: the test runs once with each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{databases.seeded(tmp_path) / 'studio.db'}"
    return databases.cleared(request.getfixturevalue("postgres"))
