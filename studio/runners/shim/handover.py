"""Hands files over while the command still writes them: checkpoints, and other results.

A process of its own looks at the folder and copies what is new and has come to rest into a batch:
a folder `<number>` that appears whole, synced. Whoever stores the files of a batch removes it. No
file is handed over that changed while it was copied: it is tried again. Deleting a file deletes
nothing that was handed over.
"""

import errno
import os
import signal
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio import durable
from studio.container import files
from studio.runners.shim import helpers

DEPTH = 32
KEY_BYTES = 900
"""Longest path of a file below its folder: a key has 1,024 bytes with its prefix."""

RESERVE_BYTES = 64 * 2**20
"""What a copy leaves free on the disk."""

_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_ATTEMPTS = 3
_CHUNK = 2**30

Mark = tuple[int, int, int]
"""inode, size and time of the last change of a file."""


class Keeper:
    """The process that hands over, begun anew whenever it is killed; `pid` is 0 after the end."""

    def __init__(
        self, handed: dict[str, Any], ml: Path, batches: Path, tell: Callable[[], None]
    ) -> None:
        """`handed` is the document of a studio.runners.base.Handed."""
        self._name, self._at_end, self._tell = handed["folder"], handed["at_end"], tell
        self._source = ml / self._name
        self._collector = Collector(ml, self._name, batches)
        self._finishing = False
        self._attempts = 0
        self.reason = self.detail = ""
        self.pid = self._begin()

    def finish(self) -> None:
        """The command is gone: hand over the rest, then end."""
        if self.pid and not self._finishing:
            self._finishing = True
            os.kill(self.pid, signal.SIGTERM)

    def ended(self, status: int) -> None:
        """To be told of the wait status of `pid`."""
        self.pid = 0
        if status == 0 and self._finishing:
            return
        self._attempts += self._finishing
        if self._attempts < _ATTEMPTS:
            self.pid = self._begin()
        else:
            self.reason = "UploadFailed"
            self.detail = f"The last files of {self._name} could not be kept."

    def _begin(self) -> int:
        finishing = self._finishing
        return helpers.begin(lambda: self._work(finishing), self._source)

    def _work(self, finishing: bool) -> None:
        if self._at_end and not finishing:
            finishing = bool(signal.sigwait({signal.SIGTERM}))
        pause = _PAUSE_SECONDS
        while not finishing:
            finishing = signal.sigtimedwait({signal.SIGTERM}, pause) is not None
            if finishing:
                break
            begun = time.monotonic()
            with suppress(OSError):  # a full disk: what waits may be gone by the next look
                if self._collector.look():
                    self._tell()
            pause = min(_PAUSE_SECONDS + 4 * (time.monotonic() - begun), _LONGEST_PAUSE_SECONDS)
        self._collector.look(last=True)


class Collector:
    """What has been handed over of the files in a folder below `root`; those that are there now, it
    has. The folder is reached through no link: the command may lead elsewhere what it likes."""

    def __init__(self, root: Path, folder: str, batches: Path) -> None:
        self._root, self._name = root, folder
        self._batches = batches
        self._known = dict(self._marks())
        self._before: dict[str, Mark] = {}
        batches.mkdir(parents=True, exist_ok=True)

    def look(self, last: bool = False) -> bool:
        """True when there is a new batch. Raises OSError.

        As long as one waits, there is no other, except the last: then nobody writes any more, and
        files are linked, not copied.
        """
        if waiting(self._batches) and not last:
            return False
        marks = dict(self._marks())
        wanted = [
            name
            for name, mark in marks.items()
            if self._known.get(name) != mark and (last or self._before.get(name) == mark)
        ]
        self._before = marks
        if not last and not self._fits(sum(marks[name][1] for name in wanted)):
            return False
        fresh = self._batches / ".new"
        files.remove_tree(fresh)
        try:
            taken = {name: mark for name in wanted if (mark := self._take(name, fresh, last))}
            if not taken:
                return False
            durable.sync_tree(fresh)
        except OSError:
            files.remove_tree(fresh)  # on a full disk the command needs the space
            raise
        number = max((int(Path(it).name) for it in waiting(self._batches)), default=0) + 1
        fresh.rename(self._batches / str(number))
        durable.sync_dir(self._batches)
        self._known |= taken
        return True

    def _fits(self, size: int) -> bool:
        """Whether a copy leaves the command some space."""
        disk = os.statvfs(self._batches)
        return size + RESERVE_BYTES <= disk.f_bavail * disk.f_frsize

    def _marks(self) -> Iterator[tuple[str, Mark]]:
        folder = files.opened(self._root, self._name, os.O_DIRECTORY)
        if folder < 0:
            return  # the command removed or hid it
        try:
            with suppress(OSError):
                yield from _below(folder, "", DEPTH)
        finally:
            os.close(folder)

    def _take(self, name: str, fresh: Path, last: bool) -> Mark | None:
        """The mark of the file as it was put into the batch; None when it did not rest."""
        fd = _opened(self._root, f"{self._name}/{name}")
        if fd < 0:
            return None
        try:
            before = _mark(os.fstat(fd))
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not (last and _linked(fd, target)):
                _copy(fd, target)
            if _mark(os.fstat(fd)) == before:
                return before
            target.unlink()
            return None
        finally:
            os.close(fd)


def waiting(batches: Path) -> tuple[str, ...]:
    """The batches of a folder that nobody has stored yet, oldest first."""
    try:
        names = [entry.name for entry in os.scandir(batches) if entry.name.isdigit()]
    except FileNotFoundError:
        return ()
    return tuple(str(batches / name) for name in sorted(names, key=int))


def _below(folder: int, prefix: str, depth: int) -> Iterator[tuple[str, Mark]]:
    """Regular files, through no link: the command may lead elsewhere what it likes."""
    for entry in sorted(os.listdir(folder)):
        name = prefix + entry
        if not _nameable(name):
            continue
        try:
            found = os.stat(entry, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield name, _mark(found)
            elif stat.S_ISDIR(found.st_mode) and depth:
                inner = os.open(entry, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    yield from _below(inner, f"{name}/", depth - 1)
                finally:
                    os.close(inner)
        except OSError:
            continue  # removed meanwhile, or not for this user


def _nameable(name: str) -> bool:
    """Whether a key can have this name: it is UTF-8, and short enough."""
    try:
        return len(name.encode()) <= KEY_BYTES
    except UnicodeEncodeError:
        return False


def _opened(root: Path, name: str) -> int:
    """A descriptor of the regular file `name` below `root`, reached through no link; else -1."""
    file = files.opened(root, name)
    if file < 0 or stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    return -1


def _mark(found: os.stat_result) -> Mark:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _linked(fd: int, target: Path) -> bool:
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Only with a folder's descriptor the link in /proc is followed.
        os.link(f"/proc/self/fd/{fd}", target.name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError:
        return False
    finally:
        os.close(folder)
    return True


def _copy(fd: int, target: Path) -> None:
    with target.open("wb") as writer:
        try:
            while os.copy_file_range(fd, writer.fileno(), _CHUNK):
                pass
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            while os.sendfile(writer.fileno(), fd, None, _CHUNK):
                pass
