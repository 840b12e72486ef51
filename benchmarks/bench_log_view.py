"""The log of a failed job of 1,000,000 lines: open it, jump to its first error, search it."""

import subprocess
from pathlib import Path
from typing import Any

from benchmarks import jobs, running
from benchmarks.clocks import seconds, until
from benchmarks.harness import Row, at_most

_LINES = 1_000_000
_SCREEN = 200
_PROGRAM = (
    "import sys; sys.stdout.writelines("
    'f"2026-11-21 19:00:00 INFO step {n} loss={1 / (n + 1):.6f} 1234.5 samples/s gpu 12.3 GB\\n" '
    f"for n in range({_LINES})); raise ValueError('at the end')"
)
_ERRORS = r"Traceback \(most recent|Error:|Exception:|ERROR|FATAL|CRITICAL|ut of memory|Killed"


def run() -> list[Row]:
    """Fails when the error is not found at its line. Every question is asked for the first time."""
    with running.studio() as it:
        it.client("s3").create_bucket(Bucket="bench")
        it.client("sagemaker").create_training_job(
            **jobs.request("long", "python3", "-c", _PROGRAM)
        )
        until(lambda: _failed(it.client("sagemaker")), 120, "the job fails", pause=0.2)
        panel, of = it.client("studio"), {"Kind": "training-job", "Name": "long"}
        panel.describe_capacity()  # the client is made, and connected
        opened = seconds(lambda: _screen(panel, of, 0))
        jumped = seconds(lambda: _jump(panel, of))
        searched = seconds(lambda: panel.search_log(**of, Query="samples/s"))
        (log,) = it.home.glob("runs/*/log")
        grep = _grep(log)
    name = f"log of {_LINES:,} lines"
    return [
        Row(f"{name}: opened, {_SCREEN} lines on the screen", opened, "s", at_most(0.5)),
        Row(
            f"{name}: jump to the first error, which is at the end",
            jumped,
            "s",
            at_most(0.5),
            "grep -E",
            grep,
            grep / jumped,
        ),
        Row(f"{name}: searched for what every line has", searched, "s"),
    ]


def _failed(sagemaker: Any) -> bool:
    job = sagemaker.describe_training_job(TrainingJobName="long")
    return bool(job["TrainingJobStatus"] == "Failed")


def _screen(panel: Any, of: dict[str, str], start: int) -> None:
    panel.describe_log(**of)
    panel.get_log_lines(**of, Start=start, Count=_SCREEN)


def _jump(panel: Any, of: dict[str, str]) -> None:
    line = panel.describe_log(**of, Errors=True)["FirstErrorLine"]
    if line != _LINES:
        raise RuntimeError(f"the first error is at line {line}")
    panel.get_log_lines(**of, Start=line - _SCREEN // 2, Count=_SCREEN)


def _grep(log: Path) -> float:
    command = ["grep", "-n", "-m", "1", "-E", _ERRORS, str(log)]
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))
