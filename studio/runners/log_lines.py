"""The log of a run by the numbers of its lines: how many there are, and any window of them.

An index knows how many lines each block of the log ends; it is made at the speed at which the file
can be read, kept in memory, and goes on where it stopped when the log has grown. Lines end with a
newline and nothing else; the last may lack it, and still grow.
"""

import os
import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from studio.runners import logs

SHOWN_BYTES = 16 * 1024
"""Of a longer line that much is shown."""

_BLOCK = 64 * 1024
_WINDOW_BYTES = 2 * 2**20
_USUAL_LINE = 512
_INDEXES = 256


@dataclass(frozen=True)
class Line:
    """A line as a terminal shows it: of what was overwritten after a carriage return, the last."""

    at: int
    """UTC milliseconds."""
    text: str
    size: int
    """Bytes that the line has in the log: more than are shown when it was cut or overwritten."""


class LogLines:
    """The lines of the log in `folder`, which need not exist yet. Safe to share by threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        # How many newlines there are up to the end of each whole block.
        self._ends = array("Q")
        self._size = 0
        self._newlines = 0
        self._half = False

    def measure(self) -> tuple[int, int]:
        """(lines, bytes) of the log as it is now."""
        with self._lock, _opened(self.folder) as fd:
            size = os.fstat(fd).st_size if fd >= 0 else 0
            if size < self._size:  # nobody shortens a log, but whoever does must not break this
                self._ends = array("Q")
            if size != self._size:
                self._extend(fd, size)
            return self._newlines + self._half, self._size

    def window(self, start: int, count: int) -> list[Line]:
        """Up to `count` lines from the number `start` (from 0): fewer at the end of the log, and
        when they are long, but one at least where there is one."""
        lines, size = self.measure()
        if count <= 0 or not 0 <= start < lines:
            return []
        with _opened(self.folder) as fd:
            position = self._position(fd, start)
            wanted = min(max(count * _USUAL_LINE, _BLOCK), _WINDOW_BYTES, size - position)
            data = os.pread(fd, wanted, position)
            pieces = _pieces(data, count, position + len(data) == size)
            if not pieces:
                pieces = [_giant(fd, data, position, self._end(fd, start, lines))]
        ends, end = [], position
        for _, length in pieces:
            end += length + 1
            ends.append(min(end, size))
        times = logs.times(self.folder, ends)
        return [Line(at, *piece) for at, piece in zip(times, pieces, strict=True)]

    def number(self, position: int) -> int:
        """The number of the line that holds the byte at `position`."""
        self.measure()
        with self._lock:
            block = min(position // _BLOCK, len(self._ends))
            before = self._ends[block - 1] if block else 0
        with _opened(self.folder) as fd:
            left = os.pread(fd, position - block * _BLOCK, block * _BLOCK)
        return before + left.count(b"\n")

    def position(self, line: int) -> int:
        """The byte that the line of this number begins with; of lines to come, the end."""
        lines, size = self.measure()
        if line >= lines:
            return size
        with _opened(self.folder) as fd:
            return self._position(fd, line)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`, or up to the end of the log."""
        with _opened(self.folder) as fd:
            return os.pread(fd, end - start, start) if fd >= 0 else b""

    def _extend(self, fd: int, size: int) -> None:
        whole = size // _BLOCK
        known = self._ends[-1] if self._ends else 0
        for block in range(len(self._ends), whole):
            known += os.pread(fd, _BLOCK, block * _BLOCK).count(b"\n")
            self._ends.append(known)
        rest = os.pread(fd, size - whole * _BLOCK, whole * _BLOCK)
        self._newlines = known + rest.count(b"\n")
        last = rest[-1:] or (os.pread(fd, 1, size - 1) if size else b"\n")
        self._half = last != b"\n"
        self._size = size

    def _position(self, fd: int, line: int) -> int:
        """The byte that the line begins with."""
        if line == 0:
            return 0
        with self._lock:
            block = bisect_left(self._ends, line)
            before = self._ends[block - 1] if block else 0
        data = os.pread(fd, _BLOCK, block * _BLOCK)
        behind = data.split(b"\n", line - before)[-1]
        return block * _BLOCK + len(data) - len(behind)

    def _end(self, fd: int, line: int, lines: int) -> int:
        """The byte behind the last of the line."""
        return self._position(fd, line + 1) - 1 if line + 1 < lines else self._size - 1 + self._half


@lru_cache(maxsize=_INDEXES)
def of(folder: Path) -> LogLines:
    """The index of the log in `folder`: the same for all who ask, as long as it is in use."""
    return LogLines(folder)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The open log; -1 while there is none."""
    try:
        fd = os.open(folder / "log", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield -1
        return
    try:
        yield fd
    finally:
        os.close(fd)


def _pieces(data: bytes, count: int, to_the_end: bool) -> list[tuple[str, int]]:
    """(text, bytes) of up to `count` whole lines in `data`."""
    found = data.split(b"\n", count)
    last = found.pop()
    if to_the_end and last and len(found) < count:
        found.append(last)
    return [(_shown(line, line), len(line)) for line in found]


def _giant(fd: int, head: bytes, start: int, end: int) -> tuple[str, int]:
    """A line that no window holds."""
    return _shown(head, os.pread(fd, SHOWN_BYTES, end - SHOWN_BYTES)), end - start


def _shown(head: bytes, tail: bytes) -> str:
    """What is seen of a line: its beginning, or what was written over that at last."""
    tail = tail.rstrip(b"\r")
    last = tail.rpartition(b"\r")[2] if b"\r" in tail else head.rstrip(b"\r")
    return last[:SHOWN_BYTES].decode("utf-8", "replace")
