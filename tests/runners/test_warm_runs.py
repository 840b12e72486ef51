"""What is kept ready for a next run serves one of the same pool, and holds nothing of the last."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from left_over import assert_gone
from runner_contract import Bench, lasting
from waiting import eventually

from studio import durable, processes
from studio.environment import hook_folder
from studio.runners import sandbox, warm_pool
from studio.runners.base import Network, Transfer
from studio.runners.process import ProcessRunner
from studio.runners.shim import warm
from studio.settings import Settings

pytestmark = pytest.mark.skipif(not sandbox.available(), reason="needs bubblewrap")
LATER = 600_000
ENV = {
    "PYTHONPATH": str(hook_folder()),
    warm_pool.VARIABLE: f"/tmp/{warm_pool.RECORD}",
    "SECRET": "of the first",
}
# Modules that Python itself does not import at its start tell whether they were there already.
SCRIPT = """
import os, sys
print("ready", "xml.dom.minidom" in sys.modules, flush=True)
import xml.dom.minidom
print(sys.argv[1:], os.environ.get("SECRET"), sorted(os.listdir("/tmp")), os.getcwd())
print(sorted(os.listdir("/opt/ml")), sys.path[0], __name__, flush=True)
open("/tmp/left", "w").close()
if sys.argv[1] == "fail":
    raise ValueError("on purpose")
"""


@pytest.fixture
def bench(home: Path) -> Iterator[Bench]:
    yield from lasting(Bench(ProcessRunner(Settings(home=home))))


def spec(bench: Bench, *arguments: str, command=("python3", "code/main.py"), **fields):
    fields.setdefault("files", {"code/main.py": SCRIPT})
    fields.setdefault("env", ENV)
    fields.setdefault("network", Network("algo-1", (("algo-1", "127.9.9.9"),)))
    return bench.spec("", command=(*command, *arguments), pool="pool", **fields)


def run(bench: Bench, given) -> list[str]:
    bench.handles[given.id] = bench.runner.start(given)
    bench.ended(given.id)
    return bench.lines(given.id)


def now() -> int:
    return time.time_ns() // 1_000_000


def kept(bench: Bench, home: Path, given) -> Path:
    """Have a Python ready because of that run; where it is."""
    bench.runner.keep(given, now() + LATER)
    place = home / "warm" / "pool-algo-1" / given.id
    eventually((place / "ready").exists)
    return place


def test_the_next_run_begins_in_what_was_kept_and_finds_nothing_of_the_last(bench, home):
    first = spec(bench, "one")
    assert run(bench, first)[0] == "ready False"
    place = kept(bench, home, first)
    worker = durable.read_json(place / "pid.json")
    bench.runner.remove(first.id, {})
    other = {"code/main.py": SCRIPT, "input/mine": "x"}
    second = spec(bench, "two", "--x", files=other, env={**ENV, "SECRET": "of the second"})
    lines = run(bench, second)
    assert lines == [
        "ready True",
        "['two', '--x'] of the second [] /opt/ml",
        "['code', 'input'] /opt/ml/code __main__",
    ]
    assert durable.read_json(home / "runs" / second.id / "pid.json") == worker
    assert not place.exists()
    third = spec(bench, "three")
    assert run(bench, third)[0] == "ready False"  # one serves one
    assert_gone(home)


def test_runs_of_another_pool_or_with_variables_for_the_start_of_a_program_get_none(bench, home):
    first = spec(bench, "one")
    run(bench, first)
    kept(bench, home, first)
    elsewhere = Network("algo-2", (("algo-2", "127.9.9.9"),))
    assert run(bench, spec(bench, "two", network=elsewhere))[0] == "ready False"
    threads = {**ENV, "OMP_NUM_THREADS": "3"}
    assert run(bench, spec(bench, "three", env=threads))[0] == "ready False"
    assert_gone(home)


def test_modules_of_the_job_win_over_those_that_are_ready(bench, home):
    first = spec(bench, "one")
    run(bench, first)
    kept(bench, home, first)
    files = {"code/main.py": "import xml; print(xml.OWN)", "code/xml.py": "OWN = 'mine'"}
    assert run(bench, spec(bench, files=files)) == ["mine"]


def test_any_command_runs_and_what_fails_says_so_as_ever(bench, home):
    first = spec(bench, "one")
    run(bench, first)
    kept(bench, home, first)
    failing = spec(bench, "fail")
    lines = run(bench, failing)
    status = bench.poll(failing.id)
    assert (status.phase, status.exit_code) == ("failed", 1)
    assert status.message == "ValueError: on purpose"
    assert lines[0] == "ready True"
    assert lines[1:] == run(bench, spec(bench, "fail"))[1:]  # the traceback, too
    kept(bench, home, first)
    assert run(bench, spec(bench, command=("sh", "-c", "echo $0 $SECRET"))) == ["sh of the first"]
    assert_gone(home)


def test_what_is_bound_read_only_needs_a_sandbox_of_its_own(bench, home, tmp_path):
    first = spec(bench, "one")
    run(bench, first)
    kept(bench, home, first)
    (tmp_path / "object").write_text("1")
    data = Transfer("input/data/train/x", 1, link=str(tmp_path / "object"))
    files = {"code/main.py": "open('input/data/train/x', 'w')"}
    given = spec(bench, files=files, inputs=(data,), linked=("input/data/train",))
    assert run(bench, given)[-1].startswith("OSError: [Errno 30] Read-only file system")
    assert (tmp_path / "object").read_text() == "1"


def test_it_is_gone_when_its_time_is_over_or_whoever_keeps_it_is_killed(bench, home):
    first = spec(bench, "one")
    run(bench, first)
    place = kept(bench, home, first)
    bench.runner.keep(first, now() - 1)
    eventually(lambda: not place.exists())
    assert_gone(home)
    place = kept(bench, home, first)
    warm_pool.end_all(Settings(home=home))
    assert not place.exists()
    assert_gone(home)
    place = kept(bench, home, first)
    shim = durable.read_json(place / "pid.json")
    os.kill(shim["pid"], signal.SIGKILL)
    eventually(lambda: not processes.alive(shim))
    assert run(bench, spec(bench, "two"))[0] == "ready False"
    assert_gone(home)


def test_a_control_plane_that_dies_between_taking_and_telling_starts_the_run_after_all(bench, home):
    first = spec(bench, "one")
    run(bench, first)
    kept(bench, home, first)
    second = spec(bench, "two")
    assert warm_pool.take(Settings(home=home), second, home / "runs" / second.id)
    assert run(bench, second)[0] == "ready True"


@pytest.mark.parametrize(("says", "begun"), [("1", True), ("", False)])
def test_a_command_that_is_over_at_once_is_not_run_again(monkeypatch, tmp_path, says, begun):
    """Only its word tells a command that has ended from a worker that was never told of it."""
    program = f"import os\nwhile b'command' not in os.read(0, 4096): pass\nos.write(0, b'{says}')"

    def spawn(*_about, stdin):
        return subprocess.Popen([sys.executable, "-I", "-S", "-c", program], stdin=stdin)

    monkeypatch.setattr(warm.command, "spawn", spawn)
    worker = warm.Worker(tmp_path, {"env": {}, "modules": []})
    assert worker.release({"command": ["true"]}, {}, 1) is begun
    worker.process.wait()
