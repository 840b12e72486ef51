"""Runs a flow of `ui-tests/tests`: a browser, a Jupyter server and a Studio of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from studios import CLEAN, ROOT

PLAYWRIGHT = ROOT / "node_modules" / ".bin" / "playwright"
PANELS = ROOT / "studio" / "labextension" / "package.json"
LIMIT_SECONDS = 900
patient = pytest.mark.timeout(LIMIT_SECONDS + 60)
"""For tests that run one: a busy machine must fail none."""
_TAIL_LINES = 60


def run_flow(name: str, folder: Path) -> None:
    """A flow by its name, or several by a pattern, on one bed.

    An assertion with the end of what it said, and where traces and pictures are, if it fails.
    """
    _need(PLAYWRIGHT, PANELS)
    results = folder / "results"
    command = [PLAYWRIGHT, "test", f"tests/{name}.spec.ts", f"--output={results}"]
    failure = _run(command, ROOT / "ui-tests")
    assert failure is None, f"{failure}\nPictures and traces: {results}"


def run_npm(*arguments: str) -> None:
    """`npm run`; an assertion with the end of what it said if it fails."""
    _need(PLAYWRIGHT)
    failure = _run(["npm", "run", "-s", *arguments], ROOT)
    assert failure is None, failure


def _run(command: list[Any], folder: Path) -> str | None:
    """The end of what a failing command says. Node is where Python is, or on the PATH."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{CLEAN['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env={**CLEAN, "PATH": programs, "PYTHON": sys.executable, "CI": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return "\n".join(done.stdout.splitlines()[-_TAIL_LINES:]) if done.returncode else None


def _need(*files: Path) -> None:
    if shutil.which("chromium") is None or not all(file.exists() for file in files):
        pytest.skip("SKIPPED LOUDLY: `make test` installs chromium and builds the panels")
