"""Small disks in memory, which fill up."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def lacking() -> str | None:
    """What mounting one needs and does not find; None when it can be done."""
    if os.geteuid() != 0:
        return "root"
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"to mount a tmpfs: {done.stderr.strip()}"


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A tmpfs at `folder`; the test is skipped where none can be mounted."""
    if (missing := lacking()) is not None:
        pytest.skip(f"needs {missing}")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
