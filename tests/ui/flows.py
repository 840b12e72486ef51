"""Runs a flow of `ui-tests/tests`: a browser, a Jupyter server and a Studio of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from studios import CLEAN, ROOT

PLAYWRIGHT = ROOT / "node_modules" / ".bin" / "playwright"
PANELS = ROOT / "studio" / "labextension" / "package.json"
LIMIT_SECONDS = 600
_TAIL_LINES = 60


def run_flow(name: str, folder: Path) -> None:
    """An assertion with the end of what it said, and where traces and pictures are, if it fails."""
    _need(PLAYWRIGHT, PANELS)
    command = [PLAYWRIGHT, "test", f"tests/{name}.spec.ts", f"--output={folder / 'results'}"]
    environment = {**CLEAN, "PYTHON": sys.executable, "CI": "1"}
    done = subprocess.run(
        command,
        cwd=ROOT / "ui-tests",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    tail = "\n".join(done.stdout.splitlines()[-_TAIL_LINES:])
    assert done.returncode == 0, f"{tail}\nPictures and traces: {folder / 'results'}"


def run_npm(*arguments: str) -> None:
    """`npm run`; an assertion with the end of what it said if it fails."""
    _need(PLAYWRIGHT)
    done = subprocess.run(
        ["npm", "run", "-s", *arguments],
        cwd=ROOT,
        env={**CLEAN, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{CLEAN['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-_TAIL_LINES:])


def _need(*files: Path) -> None:
    if shutil.which("chromium") is None or not all(file.exists() for file in files):
        pytest.skip("SKIPPED LOUDLY: `make test` installs chromium and builds the panels")
