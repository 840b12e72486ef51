"""The disk of a home: what kind of file system it is, what room is left, and a reserve of room.

Standard library only.
"""

import os
from pathlib import Path

from studio import durable

_SHARED = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs")
_REMOTE = frozenset((*_SHARED, "ceph", "glusterfs", "lustre", "afs", "gpfs", "beegfs"))
_LEAST_BYTES = 16 << 20
_LEAST_FILES = 64
_RESERVE_BYTES = 64 << 20
_SLICE_BYTES = 4 << 20
_PART = 64  # of the disk that the reserve takes at most


def kind(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system that holds `path`: that of the longest mount point above it."""
    real = os.path.realpath(path)
    found, best = "unknown", -1
    for line in mounts.read_text().splitlines():
        _, point, name, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:
            found, best = name, len(point)
    return found


def is_remote(kind: str) -> bool:
    """Whether locks, syncs and shared memory of SQLite mean nothing there."""
    return kind in _REMOTE


def lack(folder: Path) -> str | None:
    """What is missing on the file system of `folder`, after its name; None when nothing is."""
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free < min(_LEAST_BYTES, found.f_blocks * found.f_frsize // _PART):
        return f"is full: {free >> 20} MiB are left"
    if found.f_files and found.f_favail < _LEAST_FILES:
        return f"takes no more files: {found.f_favail} are left"
    return None


class Reserve:
    """A file that holds room for what must be stored on a full disk: ends of jobs, deletions.

    It is given back in slices, so that others who want the room do not get all of it, and taken
    anew when there is plenty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        total = os.statvfs(path.parent)
        self.size = min(_RESERVE_BYTES, total.f_blocks * total.f_frsize // _PART)
        self.refill()

    def release(self) -> bool:
        """Free a slice; False when nothing is left."""
        try:
            left = self._path.stat().st_size
            if left == 0:
                return False
            os.truncate(self._path, max(0, left - min(_SLICE_BYTES, -(-self.size // 8))))
        except OSError:
            return False
        return True

    @property
    def whole(self) -> bool:
        """Whether nothing of it was given back."""
        try:
            return self._path.stat().st_size >= self.size
        except OSError:
            return False

    def refill(self) -> None:
        """Take the room again, if as much is free besides; nothing happens on a full disk."""
        found = os.statvfs(self._path.parent)
        if self.whole or found.f_bavail * found.f_frsize < 2 * self.size:
            return
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(fd, 0, self.size)
            durable.sync(fd)
        except OSError:
            os.ftruncate(fd, 0)
        finally:
            os.close(fd)
