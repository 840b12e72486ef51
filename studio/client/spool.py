"""What a program has to say, as lines of a file: written at once, sent by whoever comes to it.

A line is in the kernel's hands when `append` returns: it outlives the program, however that ends.
The file is locked while its program lives; after that the next one sends what is left of it.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_BYTES = 2**28
"""That wait to be sent; what is said beyond it is lost, and the program is told once."""

_READ_BYTES = 2**20
_SENT = ".sent"


def folder() -> Path:
    """Where spools lie. Made if need be."""
    given = os.environ.get("STUDIO_SPOOL")
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    found = Path(given) if given else Path(base) / "studio" / "spool"
    try:
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        import tempfile

        found = Path(tempfile.gettempdir()) / f"studio-spool-{os.getuid()}"
        found.mkdir(mode=0o700, exist_ok=True)
    return found


class Spool:
    """The lines of a run of this program. `head` is its first line, for whoever sends it."""

    def __init__(self, head: dict[str, Any]) -> None:
        name = f"{time.time_ns():x}-{os.getpid()}-{os.urandom(4).hex()}"
        self.path = folder() / f"{name}.jsonl"
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self.append(json.dumps(head).encode() + b"\n")

    def append(self, line: bytes) -> None:
        """Raises OSError, of a disk that is full."""
        os.write(self._fd, line)

    def close(self) -> None:
        os.close(self._fd)


class Reader:
    """Reads a spool from where it was sent up to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        self.head: dict[str, Any] = json.loads(self._file.readline())
        self._sent = os.open(f"{path}{_SENT}", os.O_RDWR | os.O_CREAT, 0o600)
        self.position = self._file.tell()
        known = os.pread(self._sent, 64, 0).split()
        self._until = 0
        if len(known) == 2:
            self.position, self._until = int(known[0]), int(known[1])

    @property
    def left(self) -> int:
        """Bytes that are not sent."""
        return os.fstat(self._file.fileno()).st_size - self.position

    def lines(self) -> list[bytes]:
        """Whole lines from `position` on. What was about to be sent when the sender ended comes
        alone: it may have been heard, and is to be said in the same words."""
        self._file.seek(self.position)
        size = _READ_BYTES if self._until <= self.position else self._until - self.position
        data = self._file.read(size)
        return data[: data.rfind(b"\n") + 1].splitlines(keepends=True)

    def promise(self, until: int) -> None:
        """What is up to there is being sent."""
        os.pwrite(self._sent, f"{self.position:020d} {until:020d}\n".encode(), 0)

    def moved(self, position: int) -> None:
        """What is up to there has been heard."""
        self.position = position
        self.promise(position)

    def close(self, remove: bool) -> None:
        self._file.close()
        os.close(self._sent)
        if remove:
            for each in (self.path, Path(f"{self.path}{_SENT}")):
                with contextlib.suppress(OSError):
                    each.unlink()


def left_behind() -> Iterator[tuple[Path, int]]:
    """Spools whose programs have ended, each with the file descriptor that holds its lock."""
    for path in sorted(folder().glob("*.jsonl")):
        try:
            fd = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            continue
        yield path, fd
