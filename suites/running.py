"""Runs a suite against a Studio of its own and says how each test ended."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from suites import fetch
from suites.suite import FOLDER, Suite

STUDIO = Path(sys.executable).with_name("studio")
OURS = ("AWS_", "STUDIO_", "SAGEMAKER_", "PYTHON")


@dataclass(frozen=True)
class Outcome:
    """`result`: passed, failed or skipped. `said`: the error's last line, or why it was skipped."""

    test: str
    result: str
    said: str


def run(suite: Suite, more: list[str]) -> list[Outcome]:
    """Every test that ran; `more` are arguments of pytest. CalledProcessError when none could."""
    source, python = fetch.source(suite), fetch.interpreter(suite)
    with tempfile.TemporaryDirectory(prefix="studio-suite-") as folder:
        report = Path(folder) / "report.jsonl"
        with _studio(Path(folder) / "home", suite.studio) as told:
            told |= {"HOME": folder, "SUITE_REPORT": str(report), "SUITE_SOURCE": str(source)}
            told["PYTHONPATH"] = str(FOLDER / "inside")
            done = subprocess.run(
                [*_command(suite, python), *more],
                cwd=source,
                env=_clean() | told | suite.environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        if not report.exists():
            done.check_returncode()
        return [Outcome(**json.loads(line)) for line in report.read_text().splitlines()]


def _command(suite: Suite, python: Path) -> list[str]:
    adapter = ["-p", f"{suite.adapter}_adapter"] if suite.adapter else []
    return [
        *[str(python), "-m", "pytest", "-q", "--tb=short", "--no-header", "-p", "no:cacheprovider"],
        *[
            "--color=no",
            "--rootdir=.",
            "--timeout=120",
            "-p",
            "reporter",
            *adapter,
            *suite.arguments,
            *suite.tests,
        ],
    ]


@contextmanager
def _studio(home: Path, settings: dict[str, str]) -> Iterator[dict[str, str]]:
    """What clients must know of a control plane for `home`; at the end nothing of it runs."""
    environment = _clean() | {f"STUDIO_{name.upper()}": text for name, text in settings.items()}
    _call("serve", "--home", home, "--detach", env=environment)
    try:
        told = json.loads(_call("env", "--format", "json", "--home", home, env=environment))
        yield {name: text for name, text in told.items() if text and name != "PYTHONPATH"}
    finally:
        _call("stop", "--all", "--home", home, env=environment)


def _call(*arguments: object, env: dict[str, str]) -> str:
    command = [str(STUDIO), *map(str, arguments)]
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _clean() -> dict[str, str]:
    """A developer's own AWS variables must lead no test anywhere."""
    return {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
