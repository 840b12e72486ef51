"""`log.idx`: when the log had which size. Each note has 16 bytes; neither number ever falls."""

import os
import struct
import time
from pathlib import Path

NOTE = struct.Struct("<QQ")
_FINE_SECONDS, _PAUSE_SECONDS = 600.0, 0.5


class Notes:
    """The notes on the log that is open as `log`: they date its lines for good.

    Runs of weeks get notes half a second apart: nobody needs finer times by then.
    """

    def __init__(self, path: Path, log: int) -> None:
        self._path, self._log = path, log
        self._size, self._noted_at = 0, 0.0
        self._begun = time.monotonic()

    def look(self) -> bool:
        """True when the log has grown since the last note; then there is a new one soon."""
        size, now = os.fstat(self._log).st_size, time.monotonic()
        grown = size > self._size
        pause = _PAUSE_SECONDS if now - self._begun > _FINE_SECONDS else 0.0
        if grown and now - self._noted_at >= pause:
            try:
                append(self._path, _now(), size)
                self._size, self._noted_at = size, now
            except OSError:
                pass  # the disk is full: the next look tries again
        return grown

    def end(self) -> None:
        """Note how long the log was in the end. Raises OSError on a full disk."""
        append(self._path, _now(), os.fstat(self._log).st_size)


def append(path: Path, at: int, size: int) -> None:
    """Note that the log had `size` bytes at `at` (UTC milliseconds). One writer at a time."""
    with path.open("ab") as file:
        whole = file.tell() // NOTE.size * NOTE.size
        # A full disk may have cut the last note short.
        file.truncate(whole)
        latest = last(path)
        file.write(NOTE.pack(max(at, latest[0]), max(size, latest[1])))


def last(path: Path) -> tuple[int, int]:
    """The last whole note; zeros without one."""
    try:
        with path.open("rb") as file:
            count = file.seek(0, 2) // NOTE.size
            file.seek(max(0, count - 1) * NOTE.size)
            data = file.read(NOTE.size)
    except FileNotFoundError:
        return 0, 0
    if len(data) < NOTE.size:
        return 0, 0
    at, size = NOTE.unpack(data)
    return at, size


def _now() -> int:
    return time.time_ns() // 1_000_000
