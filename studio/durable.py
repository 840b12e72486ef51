"""Files that survive a power cut: the one place that renames, links and syncs.

A rename without a sync of the file *and* of its folder is not durable: after a power cut the
acknowledged content is gone (no folder sync) or empty (no file sync).

A sync that failed is never tried again: the kernel may have dropped what it could not write, and
the next sync would say that all is well. This process then stores nothing more.
"""

import errno
import json
import os
from pathlib import Path
from typing import Any

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_failures: list[str] = []


def fail(what: str) -> None:
    """Note that the disk did not do as it was told."""
    _failures.append(what)


def failure() -> str | None:
    """What the disk did not do in the life of this process; None as long as it can be trusted."""
    return _failures[0] if _failures else None


def sync(fd: int) -> None:
    """Make an open file durable. Raises OSError; for ever, once it was for another reason than
    that there is no room."""
    if (known := failure()) is not None:
        raise OSError(errno.EIO, known)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            fail(f"fsync: {error.strerror}")
        raise


def sync_dir(folder: Path) -> None:
    """Make the names in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(fd)
    finally:
        os.close(fd)


def make_dirs(folder: Path, mode: int = 0o700) -> None:
    """Make `folder` and what is missing above it, to stay."""
    missing = [it for it in (folder, *folder.parents) if not it.exists()]
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for made in missing:
        sync_dir(made.parent)


def write_bytes(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data`: a reader, or the file after a power cut, has the old or the new."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            sync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_dir(path.parent)


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    """`write_bytes` of a JSON document."""
    write_bytes(path, json.dumps(value, separators=(",", ":")).encode(), mode)


def read_json(path: Path) -> Any | None:
    """The document at `path`; None when there is none."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None


def sync_tree(folder: Path) -> None:
    """Make what lies in `folder` durable, files and names; follows no link."""
    for name, _, files, here in os.fwalk(folder, topdown=False):
        for file in files:
            fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=here)
            try:
                sync(fd)
            finally:
                os.close(fd)
        sync_dir(Path(name))
