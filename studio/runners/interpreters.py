"""A Python environment of this machine that jobs of the `python` image run in.

A notebook's kernel names its own interpreter; without a name Studio's own environment serves.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "STUDIO_PYTHON"
"""Environment variable of a job: path of the interpreter."""


@dataclass(frozen=True)
class Interpreter:
    """`bin` is the folder of the interpreter; `folders` are all that it needs of the machine."""

    bin: Path
    folders: tuple[Path, ...]
    version: str
    """As in `python3.11`: the part behind `python`."""


def find(path: str) -> Interpreter:
    """The environment of the interpreter at `path`.

    Raises ValueError, with a sentence, unless it is one: what a job may see of the machine hangs
    on it, so that it must be a virtual environment or an installation, and lie below no home.
    """
    given = Path(path)
    if not given.is_absolute() or ".." in given.parts or "\0" in path:
        raise ValueError(f"{VARIABLE} must be the absolute path of a Python interpreter.")
    if given.parent.name != "bin" or not given.is_file() or not os.access(given, os.X_OK):
        raise ValueError(f"{VARIABLE}: {path[:256]} is no Python interpreter of this machine.")
    prefix = given.parent.parent
    folders = [prefix]
    base = _base(prefix / "pyvenv.cfg")
    if base is not None:
        folders.append(base)
    version = _version(folders[-1])
    if version is None or any(_holds_a_home(folder) for folder in folders):
        raise ValueError(f"{VARIABLE}: {path[:256]} belongs to no Python environment.")
    return Interpreter(given.parent, tuple(folders), version)


def _base(settings: Path) -> Path | None:
    """The installation behind a virtual environment; None when it is none."""
    try:
        text = settings.read_text(encoding="utf-8")
    except OSError:
        return None
    match = re.search(r"^home\s*=\s*(/.+?)\s*$", text, re.MULTILINE)
    return Path(match[1]).resolve().parent if match else None


def _version(prefix: Path) -> str | None:
    """The newest installed version with a library; a prefix has one, save the machine's own."""
    found = [
        tuple(map(int, match.groups()))
        for place in prefix.glob("lib/python3.*/os.py")
        if (match := re.fullmatch(r"python(\d+)\.(\d+)", place.parent.name))
    ]
    return ".".join(map(str, max(found))) if found else None


def _holds_a_home(folder: Path) -> bool:
    return Path.home().resolve().is_relative_to(folder.resolve())
