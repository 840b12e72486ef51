"""The metrics that a run writes to `*.json` files of its own, usually one a process, as they grow.

The files are the run's: no link of it is followed, and no line of it is believed here. A file only
grows; of one that was begun anew nothing is read until it is longer than it was.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from studio.container import files
from studio.runners.base import MetricLines

FOLDER = "output/metrics/sagemaker"
"""Relative to /opt/ml: `SAGEMAKER_METRICS_DIRECTORY`."""

_FILES = 1_024
_BYTES_OF_A_LOOK = 4 * 2**20
_BYTES_OF_A_FILE = 2**20
_SUFFIX = ".json"


def sizes(ml: Path) -> dict[str, int]:
    """The size of each file; of very many the first by name."""
    folder = files.opened(ml, FOLDER, os.O_DIRECTORY)
    if folder < 0:
        return {}
    try:
        return dict(sorted(_sizes(folder))[:_FILES])
    except OSError:
        return {}  # removed meanwhile
    finally:
        os.close(folder)


def read(ml: Path, positions: Mapping[str, int], ended: bool) -> MetricLines:
    """Whole lines behind `positions`, a few megabytes at the most. The last line of a run that has
    `ended` may lack its end; a line that is longer than a megabyte is left out in pieces."""
    lines: list[bytes] = []
    ends: dict[str, int] = {}
    left = _BYTES_OF_A_LOOK
    for name, size in sizes(ml).items():
        start = positions.get(name, 0)
        if size <= start or left <= 0:
            continue
        data = _content(ml, name, start, min(left, _BYTES_OF_A_FILE))
        whole = _whole(data, ended and start + len(data) >= size)
        if whole:
            lines += data[:whole].splitlines()
            ends[name] = start + whole
            left -= whole
    return MetricLines(tuple(lines), ends)


def _sizes(folder: int) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if _fits(entry.name):
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    yield entry.name, found.st_size


def _fits(name: str) -> bool:
    """Whether it is such a file, with a name that can be stored."""
    if not name.endswith(_SUFFIX) or name.startswith("."):
        return False
    return name.isprintable()


def _content(ml: Path, name: str, start: int, most: int) -> bytes:
    file = files.opened(ml, f"{FOLDER}/{name}")
    if file < 0:
        return b""
    try:
        regular = stat.S_ISREG(os.fstat(file).st_mode)
        return os.pread(file, most, start) if regular else b""
    finally:
        os.close(file)


def _whole(data: bytes, last: bool) -> int:
    """How many of the bytes are whole lines."""
    end = data.rfind(b"\n") + 1
    return len(data) if last or (not end and len(data) == _BYTES_OF_A_FILE) else end
