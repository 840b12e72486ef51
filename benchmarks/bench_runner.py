"""The process runner: from `start()` to the command's first instruction, and what a run costs.

The peer is the same command as a plain child process: what remains is the shim and the sandbox.
"""

import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import processes
from benchmarks.harness import Row, at_most
from studio.runners import sandbox
from studio.runners.base import RunSpec, RunStatus
from studio.runners.process import ProcessRunner
from studio.settings import Settings

_RUNS = 15
_LINES = 200_000
_CLOCK = ("date", "+%s.%N")


def run() -> list[Row]:
    if not sandbox.available():
        raise RuntimeError("please install bubblewrap")
    with tempfile.TemporaryDirectory() as folder:
        return [row for each in ("never", "auto") for row in _rows(Path(folder) / each, each)]


def _rows(home: Path, setting: str) -> list[Row]:
    home.mkdir()
    runner = ProcessRunner(Settings(home=home, sandbox=setting))
    told = "bubblewrap" if setting == "auto" else "no sandbox"
    _whole(runner, "warm")  # looks once whether bubblewrap works
    taken = [_whole(runner, f"run-{number}") for number in range(_RUNS)]
    peer = median(_plain() for _ in range(_RUNS))
    returns, begins, ends = (median(each) * 1000 for each in zip(*taken, strict=True))
    rows = [
        Row(f"runner, {told}: start() returns", returns, "ms"),
        Row(f"runner, {told}: start() to the command", begins, "ms", at_most(150), "plain child",
            peer * 1000),
        Row(f"runner, {told}: command's begin to the end seen", ends, "ms"),
    ]  # fmt: skip
    if setting == "never":
        return rows
    return [*rows, *_idle(runner, home), _reading(runner)]


def _whole(runner: ProcessRunner, name: str) -> tuple[float, float, float]:
    """Seconds until start() returns, until the command begins, and from there to the end."""
    asked = time.time()
    handle = runner.start(RunSpec(id=name, command=_CLOCK))
    returned = time.time()
    _until_ended(runner, name, handle)
    ended = time.time()
    began = float(runner.logs(name, 0, 1).events[0][1])
    return returned - asked, began - asked, ended - began


def _plain() -> float:
    asked = time.time()
    return float(subprocess.run(_CLOCK, capture_output=True, check=True).stdout) - asked


def _idle(runner: ProcessRunner, home: Path) -> list[Row]:
    handle = runner.start(RunSpec(id="idle", command=("sleep", "1000"), stop_seconds=1.0))
    time.sleep(3)
    shim = int((home / "runs" / "idle" / "pid.json").read_text().split('"pid": ')[1].split(",")[0])
    before = processes.cpu_seconds(shim)
    time.sleep(4)
    spent = (processes.cpu_seconds(shim) - before) / 4 * 1000
    memory = processes.resident_mib(shim)
    runner.stop("idle", handle)
    _until_ended(runner, "idle", handle)
    return [
        Row("runner: an idle run, CPU a second", spent, "ms"),
        Row("runner: an idle run, memory of its shim", memory, "MiB"),
    ]


def _reading(runner: ProcessRunner) -> Row:
    handle = runner.start(RunSpec(id="log", command=("seq", str(_LINES))))
    _until_ended(runner, "log", handle)
    began, position, count = time.perf_counter(), 0, 0
    while (page := runner.logs("log", position, 10_000)).events:
        position, count = page.end, count + len(page.events)
    if count != _LINES:
        raise RuntimeError(f"{count} of {_LINES} lines were read")
    return Row("runner: lines of log read", count / (time.perf_counter() - began), "lines/s")


def _until_ended(runner: ProcessRunner, name: str, handle: dict[str, object]) -> RunStatus:
    while not (status := runner.poll(name, handle)).ended:
        time.sleep(0.002)
    return status
