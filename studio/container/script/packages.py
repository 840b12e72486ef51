"""What a script brings along: `requirements.txt`, and a package that it is itself.

The environment that a job runs in belongs to the user and is read-only. pip installs into a
virtual environment over it, in the run's own folder, which goes when the run is removed.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from studio.container.script.failure import ScriptError

REQUIREMENTS, PACKAGE = "requirements.txt", "setup.py"
_WORDS = {REQUIREMENTS: ("-r", REQUIREMENTS), PACKAGE: (".",)}
"""File of the source -> what pip is told."""
# Beside the packages of the base come those that its files of paths add.
_SITES = (
    "import site; "
    "print(*site.getsitepackages(), *[site.getusersitepackages()] * bool(site.ENABLE_USER_SITE), "
    "sep='\\n')"
)


def provided(code: Path, python: str) -> str:
    """The interpreter that finds what the folder `code` asks for: `python` when that is nothing.

    Raises ScriptError when it cannot be installed.
    """
    found = [name for name in _WORDS if (code / name).is_file()]
    if not found:
        return python
    target = _home() / ".local"
    _say(
        f"Installing {' and '.join(found)} of the script into {target}, "
        f"over the packages of {python}"
    )
    over = _overlay(python, target)
    _install(over, [word for name in found for word in _WORDS[name]], code)
    return over


def _overlay(python: str, target: Path) -> str:
    """A virtual environment that also has the packages of `python`'s."""
    _run([python, "-m", "venv", "--without-pip", str(target)])
    sites = _run([python, "-c", _SITES]).splitlines()
    over = target / "bin" / "python"
    folder = next(target.glob("lib/python3*/site-packages"), None)
    if folder is None:
        raise ScriptError(f"{python} makes no virtual environments: its module venv is missing.")
    lines = [f"import site; site.addsitedir({site!r})\n" for site in sites]
    (folder / "studio_base.pth").write_text("".join(lines), encoding="utf-8")
    os.environ["PATH"] = f"{over.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return str(over)


def _install(python: str, wanted: list[str], code: Path) -> None:
    """With this program's own pip: who makes environments with uv has none in them."""
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--no-cache-dir"]
    command += ["--root-user-action", "ignore", *wanted]
    process = subprocess.Popen(command, cwd=code, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    errors = []
    for line in process.stderr:
        sys.stderr.write(line)
        if line.startswith("ERROR:") or "No module named pip" in line:
            errors.append(line.removeprefix("ERROR:").strip())
    if process.wait() != 0:
        said = errors[-1] if errors else "pip says no more"
        raise ScriptError(
            f"InstallRequirementsError: {' '.join(wanted)} could not be installed: {said}"
        )


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise ScriptError(f"{' '.join(command[:3])} failed: {last}")
    return done.stdout


def _home() -> Path:
    """`~/.local` is where a user's own packages are, and where they are looked for."""
    home = Path.home()
    return home if os.access(home, os.W_OK) else Path(tempfile.gettempdir())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
