"""The shim of a run is killed at each call that others could see the effect of."""

import shlex
import shutil
import sys
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path
from unittest.mock import patch

from chaos.crash_points import Points, chosen
from chaos.house import STARTED, BrokenPromise, eventually
from chaos.invariants import counted, living
from chaos.outcome import Report
from chaos.races import ended

from studio.errors import StudioError
from studio.runners.base import Output, RunSpec, RunStatus
from studio.runners.process import ProcessRunner
from studio.settings import Settings

_LINES = [STARTED, *map(str, range(20))]
_SCRIPT = (
    f'mkdir -p "${{SAGEMAKER_BASE_DIR:-/opt/ml}}/model"; echo {STARTED}; for n in $(seq 0 19); '
    "do echo $n; done; (setsid sleep 1000 &); sleep 0.2"
)


def killed(repeats: int, seed: int) -> Report:
    """The shim, its scribe and its helpers count together: each of them dies somewhere."""
    promise = "true end, or failed and named; no process left; no line lost or doubled"
    if not shutil.which("gcc"):
        return Report("F3 killed shims", promise, 0, seed, skipped="needs gcc")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        home = Path(folder)
        points = Points(home)
        runner = ProcessRunner(Settings(home=home))
        wrong, ends = [], {"succeeded": 0, "lost": 0, "failed": 0}
        _one(runner, home, "first")  # what a process finds out about its sandbox, it finds out once
        with patch.object(sys, "executable", str(_counting(home, points))):
            points.arm(10**9)
            _one(runner, home, "unharmed")
            time.sleep(0.5)  # it goes on for a moment after its last word
            calls = points.passed()
            for call in chosen(calls, repeats, seed):
                points.arm(call)
                try:
                    ends[_one(runner, home, f"call-{call}").phase] += 1
                except BrokenPromise as error:
                    wrong.append(f"call {call}: {error}")
    figures = {"calls": str(calls), **{name: str(count) for name, count in ends.items()}}
    return Report("F3 killed shims", promise, min(repeats, calls), seed, figures, tuple(wrong))


def _counting(home: Path, points: Points) -> Path:
    """The interpreter, for shims that count their calls."""
    program = home / "python"
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in points.env.items())
    program.write_text(f'#!/bin/sh\nexec env {given} {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    return program


def _one(runner: ProcessRunner, home: Path, what: str) -> RunStatus:
    # Processes are found by the id of their run: nobody else may have it.
    name = f"{uuid.uuid4().hex}-{what}"
    outputs = (Output("model", "model.tar.gz"),)
    spec = RunSpec(name, ("sh", "-c", _SCRIPT), folders=("model",), outputs=outputs)
    try:
        handle = runner.start(spec)
    except StudioError as error:
        status = RunStatus("failed", message=str(error))
    else:
        status = eventually(partial(ended, runner, name, handle), 60, f"{name} ends")
    said = [text for _, text in runner.logs(name, 0, 1000).events]
    if said != _LINES[: len(said)] or (status.phase == "succeeded" and said != _LINES):
        raise BrokenPromise(f"{name} is {status.phase} and said {said}")
    if status.phase == "succeeded" and not (status.exit_code == 0 and status.outputs):
        raise BrokenPromise(f"{name} succeeded without a model")
    if status.phase != "succeeded" and not status.message:
        raise BrokenPromise(f"{name} does not say why it failed")
    if (times := counted(home / "runs" / name)) > 1 or (times and status.phase == "failed"):
        raise BrokenPromise(f"{name} is {status.phase} and was started {times} times")
    eventually(lambda: not living(home), 60, f"nothing of {name} runs")
    return status
