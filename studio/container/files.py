"""Folders that a job wrote: read and removed without trust in links, rights, names or depth."""

import os
import stat
from pathlib import Path


def empty(folder: Path) -> None:
    """Remove everything in `folder`, through no link.

    Whatever a job did to it: rights taken away, trees deeper than any path may be long. A tree is
    flattened while it is removed, so that no path and no recursion grows with its depth.
    """
    _allow(folder)
    moved = 0
    prefix = f".{os.urandom(8).hex()}-"
    while entries := [entry.name for entry in os.scandir(folder)]:
        before = moved
        gone = 0
        for name in entries:
            lifted = _dismantle(folder, name, f"{prefix}{moved}-")
            moved += lifted
            gone += not os.path.lexists(folder / name)
        if not gone and moved == before:
            return  # what remains cannot be removed by this user


def remove_tree(folder: Path) -> None:
    """Remove `folder` as `empty` does, and itself."""
    if not folder.is_dir() or folder.is_symlink():
        return
    empty(folder)
    try:
        folder.rmdir()
    except OSError:
        pass


def read_text(root: Path, relative: str, limit: int) -> str:
    """As `read_bytes`, as UTF-8."""
    return read_bytes(root, relative, limit).decode("utf-8", "replace")


def read_bytes(root: Path, relative: str, limit: int) -> bytes:
    """The first `limit` bytes of a regular file below `root`, reached through no link; else b""."""
    file = opened(root, relative)
    if file < 0:
        return b""
    try:
        return os.read(file, limit) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)


def opened(root: Path, relative: str, flags: int = 0) -> int:
    """A descriptor, for reading, of what lies below `root`, reached through no link; else -1."""
    *folders, name = relative.split("/")
    fd = -1
    try:
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = inner
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | flags, dir_fd=fd)
    except OSError:
        return -1
    finally:
        if fd >= 0:
            os.close(fd)


def _dismantle(folder: Path, name: str, prefix: str) -> int:
    """Remove one entry; the folders in it are lifted into `folder`. How many were."""
    path = folder / name
    lifted = 0
    try:
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            return 0
        _allow(path)
        for entry in list(os.scandir(path)):
            if entry.is_dir(follow_symlinks=False):
                _allow(Path(entry.path))
                Path(entry.path).rename(folder / f"{prefix}{lifted}")
                lifted += 1
            else:
                Path(entry.path).unlink()
        path.rmdir()
    except OSError:
        pass
    return lifted


def _allow(folder: Path) -> None:
    """Give the owner the rights on a folder that a job may have taken away."""
    try:
        folder.chmod(0o700)
    except OSError:
        pass
