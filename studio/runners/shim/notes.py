"""`log.idx`: when the log had which size. Each note has 16 bytes; neither number ever falls."""

import struct
from pathlib import Path

NOTE = struct.Struct("<QQ")


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
