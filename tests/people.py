"""`unprivileged`: runs Python code as a user without rights, whoever runs the tests."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest
from waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Somebody:
    """A user with a home of their own; `root` is an empty folder that they may write."""

    root: Path
    home: Path
    packages: Path
    """A copy of what the code imports: the checkout may lie where they may not look."""

    def run(self, code: str, *arguments: object) -> str:
        """What the code prints; it finds `root` in sys.argv[1]."""
        command = [*_become(), _python(), "-c", code, str(self.root), *map(str, arguments)]
        done = subprocess.run(
            command,
            env={"PATH": os.defpath, "HOME": str(self.home), "PYTHONPATH": str(self.packages)},
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(name="unprivileged")
def unprivileged_fixture() -> Iterator[Somebody]:
    folder = Path(tempfile.mkdtemp(prefix="studio-", dir="/var/tmp"))
    somebody = Somebody(folder / "root", folder / "home", folder / "packages")
    somebody.root.mkdir()
    somebody.home.mkdir()
    for package in (ROOT / "studio", Path(platformdirs.__file__).parent):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package, somebody.packages / package.name, ignore=leave)
    if os.geteuid() == 0:
        for place in (folder, *folder.rglob("*")):
            shutil.chown(place, "nobody", "nogroup")
    try:
        yield somebody
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _become() -> list[str]:
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("SKIPPED LOUDLY: setpriv (util-linux) is needed to become another user")
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]


def _python() -> str:
    """An interpreter that the user may read: root's own often lies in /root."""
    if os.geteuid():
        return sys.executable
    for program in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        recent = "import sys; sys.exit(sys.version_info < (3, 11))"
        steps = [["ls", Path(program).parent], [program, "-c", recent]]
        runs = [[*_become(), *step] for step in steps if Path(program).exists()]
        if runs and not any(
            subprocess.run(run, check=False, cwd="/", capture_output=True).returncode
            for run in runs
        ):
            return program
    pytest.skip("SKIPPED LOUDLY: no Python 3.11 that an unprivileged user may run")
