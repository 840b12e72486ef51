"""What is installed in a Python environment, by the names of files: asked, it would be started."""

import os
import platform
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.container import files
from studio.runners import interpreters

Doc = dict[str, Any]

_MOST_PACKAGES = 2_000
_USERS = ".local/lib"
_SYSTEM = re.compile(r"^include-system-site-packages\s*=\s*true\s*$", re.MULTILINE | re.IGNORECASE)


def of(python: str) -> Doc:
    """Version, platform and packages of the environment of this interpreter; "" is Studio's own.

    Raises ValueError when it is none.
    """
    executable, version, places = _own() if not python else _other(python)
    return {
        "Version": version,
        "Executable": executable,
        "Platform": platform.platform(),
        **_packages(places, tuple(_changed(place) for place in places)),
    }


def added(home: Path) -> list[Doc]:
    """What a program installed for its user, whose folder this is; no link of it is followed."""
    found: dict[str, str] = {}
    for version in _names(home, _USERS):
        for name in _names(home, f"{_USERS}/{version}/site-packages"):
            found.update(_named(name))
    packages = [{"Name": name, "Version": found[name]} for name in sorted(found)]
    return packages[:_MOST_PACKAGES]


def _names(home: Path, folder: str) -> list[str]:
    opened = files.opened(home, folder, os.O_DIRECTORY)
    if opened < 0:
        return []
    try:
        with os.scandir(opened) as entries:
            return [entry.name for entry in entries]
    finally:
        os.close(opened)


def _own() -> tuple[str, str, tuple[Path, ...]]:
    places = tuple(Path(place) for place in sys.path if place and Path(place).is_dir())
    return sys.executable, platform.python_version(), places


def _other(python: str) -> tuple[str, str, tuple[Path, ...]]:
    found = interpreters.find(python)
    own, *base = found.folders
    every = [own, *(base if _sees_the_machine(own) else ())]
    places = (
        place
        for folder in every
        for name in ("site-packages", "dist-packages")
        for place in folder.glob(f"lib/python{found.version}/{name}")
    )
    seen = [more for place in places for more in (place, *_linked(place))]
    return python, found.version, (*seen, *(folder / "conda-meta" for folder in every))


def _linked(place: Path) -> Iterator[Path]:
    """Folders that files of paths add, as those of packages that are being worked on."""
    for file in sorted(place.glob("*.pth")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            yield from (
                Path(line) for line in lines if line.startswith("/") and Path(line).is_dir()
            )
        except (OSError, ValueError):
            continue


def _sees_the_machine(prefix: Path) -> bool:
    try:
        return bool(_SYSTEM.search((prefix / "pyvenv.cfg").read_text(encoding="utf-8")))
    except OSError:
        return False


def _changed(place: Path) -> int:
    try:
        return place.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=32)
def _packages(places: tuple[Path, ...], _changed: tuple[int, ...]) -> Doc:
    """As long as nothing is installed or removed they are not looked for again."""
    found: dict[str, str] = {}
    for place in places:
        for name, version in _of_place(place):
            found.setdefault(name, version)  # the first on the path is what is imported
    packages = [{"Name": name, "Version": found[name]} for name in sorted(found)]
    return {"Packages": packages[:_MOST_PACKAGES], "PackageCount": len(packages)}


def _of_place(place: Path) -> Iterator[tuple[str, str]]:
    try:
        names = [entry.name for entry in place.iterdir()]
    except OSError:
        return
    for name in names:
        yield from _named(name)
        stem, _, kind = name.rpartition(".")
        if kind == "json" and place.name == "conda-meta" and stem.count("-") >= 2:
            package, version, _build = stem.rsplit("-", 2)
            yield package.lower(), version


def _named(entry: str) -> Iterator[tuple[str, str]]:
    """The package whose metadata an entry of a folder holds, if it does."""
    stem, _, kind = entry.rpartition(".")
    if kind in ("dist-info", "egg-info") and "-" in stem and entry.isprintable():
        package, _, version = stem.partition("-")
        yield package.replace("_", "-").lower(), version.split("-")[0]
