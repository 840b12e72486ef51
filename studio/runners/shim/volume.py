"""How much of the disk a run has taken, counted a little at a time beside everything else.

The file system says how much is used on it, for nothing: as long as that has not grown by half of
what is left to the run, its files are counted now and then. A count goes on from look to look.
"""

import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_STEP = 2_000
"""Files that are looked at in one look: some milliseconds."""
_PAUSE_SECONDS = 10.0
_SHARE = 100
"""A pause is so many times as long as the count before it took."""


def of_run(folder: Path, limit_mb: int, views: list[str]) -> "Volume":
    """What the run in `folder` has written; `views` are folders below its /opt/ml that are not its
    own. Packages that it installs are on AWS no part of its volume, and here neither."""
    ml, tmp = folder / "ml", folder / "tmp"
    without = [*(ml / each for each in views), tmp / ".local", tmp / ".cache"]
    return Volume([ml, tmp], limit_mb * 2**20, without)


class Volume:
    """What lies in some folders, and may be `limit` bytes together; 0: any number."""

    def __init__(self, folders: list[Path], limit: int, without: list[Path]) -> None:
        """Folders in `without` do not count: what is in them lies elsewhere too."""
        self._folders, self._limit = folders, limit
        self._without = {str(each) for each in without}
        self._files: Iterator[int] | None = None
        self._counting = self._taken = self._beside = 0
        self._used_then = _used(folders[0])
        self._due, self._spent = time.monotonic() + _PAUSE_SECONDS, 0.0

    def look(self, beside: int = 0) -> str:
        """To be called often: a sentence once there is too much, else "". `beside`: bytes that lie
        elsewhere and count too."""
        if beside != self._beside:
            self._beside, self._due = beside, 0.0  # files may have gone there from here
        if not self._limit or not (self._files or self._is_time()):
            return ""
        began = time.monotonic()
        self._files = self._files or self._sizes()
        step = list(islice(self._files, _STEP))
        self._counting += sum(step)
        self._spent += time.monotonic() - began
        if len(step) < _STEP:
            self._files, self._taken = None, self._counting
            self._due = began + max(_PAUSE_SECONDS, _SHARE * self._spent)
        if self._counting + beside <= self._limit:
            return ""
        taken, limit = (self._counting + beside) / 2**20, self._limit / 2**20
        return f"Insufficient disk space: files took {taken:.0f} MB of a volume of {limit:.0f} MB"

    def _is_time(self) -> bool:
        """To count anew."""
        used = _used(self._folders[0])
        grown = 2 * (used - self._used_then) >= self._limit - self._taken
        if not grown and time.monotonic() < self._due:
            return False
        self._used_then, self._counting, self._spent = used, 0, 0.0
        return True

    def _sizes(self) -> Iterator[int]:
        """Bytes on the disk of each file; one that has several names counts in parts."""
        waiting = [str(each) for each in self._folders]
        while waiting:
            try:
                entries = list(os.scandir(waiting.pop()))
            except OSError:
                continue  # gone meanwhile, or nobody may look
            for entry in entries:
                try:
                    known = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if not entry.is_dir(follow_symlinks=False):
                    yield known.st_blocks * 512 // max(known.st_nlink, 1)
                elif entry.path not in self._without:
                    waiting.append(entry.path)


def _used(folder: Path) -> int:
    """Bytes used on the file system of a folder, by everybody; 0 where the run has removed it."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return 0
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize
