"""Immutable files, durable before they are named. Knows nothing of buckets and keys.

A blob is written under `tmp/`, synced, renamed to `blobs/<2 hex>/<32 hex>`, and its folder synced;
nothing ever changes its content. A crash leaves at most files that the index does not name.
While somebody `held` them, blobs that are removed stay; they go with the next ones.
"""

import fcntl
import os
import stat
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studio import durable
from studio.s3.integrity import Summer, no_link

_READ_ONLY = 0o444
_GATE = "blobs.lock"
_COPY_CHUNK = 1 << 30
_READ_CHUNK = 1 << 20


class BlobWriter:
    """One blob on its way. `keep` or `discard` ends it; used by one thread at a time."""

    def __init__(self, temporary: Path, place: Callable[[str], Path]) -> None:
        self._temporary = temporary
        self._place = place
        self._fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._summer = Summer()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]
        self.size += len(data)
        self._summer.update(data)

    def sums(self) -> bytes:
        """Of the blocks of what was written, as `integrity` reads them."""
        return self._summer.sums()

    def append(self, path: Path) -> None:
        """The whole of the file at `path`, copied inside the kernel where it can; not summed.

        OSError when it is a link.
        """
        with open(path, "rb", opener=no_link) as source:
            left = os.fstat(source.fileno()).st_size
            self.size += left
            while left:
                left -= self._copy(source.fileno(), left)

    def keep(self) -> str:
        """The name of the blob, which now survives a power cut."""
        try:
            os.fchmod(self._fd, _READ_ONLY)
            durable.sync(self._fd)
        finally:
            os.close(self._fd)
            self._fd = -1
        blob = uuid.uuid4().hex
        target = self._place(blob)
        self._temporary.rename(target)
        durable.sync_dir(target.parent)
        return blob

    def discard(self) -> None:
        """Forget it; nothing happens when it was kept or discarded before."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._temporary.unlink(missing_ok=True)

    def _copy(self, source: int, left: int) -> int:
        count = min(left, _COPY_CHUNK)
        try:
            copied = os.copy_file_range(source, self._fd, count)
        except OSError:  # another file system, or one that cannot
            copied = os.sendfile(self._fd, source, None, count)
        if not copied:
            raise EOFError("a blob is shorter than it was")
        return copied


class Blobs:
    """The folder of blobs of one store."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._tmp = root / "tmp"
        self._tmp.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._blobs.mkdir(exist_ok=True, mode=0o700)
        for number in range(256):
            (self._blobs / f"{number:02x}").mkdir(exist_ok=True, mode=0o700)
        durable.sync_dir(self._blobs)
        durable.sync_dir(root)
        self._gate = root / _GATE
        self._waiting: list[str] = []
        self._waiting_lock = threading.Lock()

    @staticmethod
    @contextmanager
    def held(root: Path) -> Iterator[None]:
        """Let no process remove a blob that the index named when this began."""
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(root / _GATE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def path(self, blob: str) -> Path:
        return self._blobs / blob[:2] / blob

    def writer(self) -> BlobWriter:
        return BlobWriter(self._tmp / uuid.uuid4().hex, self.path)

    def link(self, blob: str) -> str:
        """A second name for a blob. FileNotFoundError when it has just been removed."""
        copy = uuid.uuid4().hex
        self.path(copy).hardlink_to(self.path(blob))
        durable.sync_dir(self.path(copy).parent)
        return copy

    def adopt(self, fd: int) -> str:
        """The regular file behind `fd` as a blob: a link, or a copy where none can be made.

        Whoever hands it over must not write to it any more.
        """
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ValueError("only a regular file can be stored")
        durable.sync(fd)
        blob = uuid.uuid4().hex
        folder = os.open(self.path(blob).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Through the descriptor: the name may be another file's, or a link's, by now.
            os.link(f"/proc/self/fd/{fd}", blob, dst_dir_fd=folder, follow_symlinks=True)
            durable.sync(folder)
        except OSError:
            return self._copy_of(fd)
        finally:
            os.close(folder)
        with suppress(PermissionError):
            os.fchmod(fd, _READ_ONLY)
        return blob

    def remove(self, blobs: Iterable[str]) -> None:
        """Forget blobs that the index does not name. Readers keep what they have open."""
        with self._waiting_lock:
            self._waiting += blobs
            # Asked after the commit: who holds them since then has an index without these.
            if not self._waiting or self._is_held():
                return
            free, self._waiting = self._waiting, []
        for blob in free:
            self.path(blob).unlink(missing_ok=True)

    def _is_held(self) -> bool:
        try:
            fd = os.open(self._gate, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def sweep(self, named: Collection[str]) -> int:
        """Remove what a crash left: unfinished files and blobs not `named`. How many it were."""
        if self._is_held():
            return 0
        stale = list(self._tmp.iterdir())
        stale += [
            path
            for folder in self._blobs.iterdir()
            for path in folder.iterdir()
            if path.name not in named
        ]
        for path in stale:
            path.unlink()
        return len(stale)

    def _copy_of(self, fd: int) -> str:
        writer = self.writer()
        try:
            with os.fdopen(os.dup(fd), "rb") as source:
                source.seek(0)
                while chunk := source.read(_READ_CHUNK):
                    writer.write(chunk)
            return writer.keep()
        except BaseException:
            writer.discard()
            raise
