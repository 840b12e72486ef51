"""The recorder: a process beside the router that writes what the router tells it.

It reads frames from its standard input until that ends, which is also how it learns that the router
has died: then it writes what it has read, and ends. `python -m` starts it.
"""

import fcntl
import os
import select
import signal
import sys
import time
from pathlib import Path

from studio.serving.access_log import AccessLogs
from studio.serving.capture import Captures
from studio.serving.differences import Differences
from studio.serving.frames import Reader

_TICK_SECONDS = 0.5
_READ_BYTES = 1_048_576


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    record(Path(arguments[0]), sys.stdin.fileno())
    return 0


def record(home: Path, fd: int) -> None:
    """Record what comes from `fd`, after the recorder of an earlier router has ended."""
    lock = os.open(home / "router" / "recorder.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    rooms: dict[str, Captures | Differences | AccessLogs] = {
        "capture": Captures(home),
        "shadow": Differences(home),
        "access": AccessLogs(home),
    }
    reader = Reader()
    while True:
        pause = _TICK_SECONDS if any(room.waits for room in rooms.values()) else None
        readable, _, _ = select.select([fd], [], [], pause)
        if readable:
            data = os.read(fd, _READ_BYTES)
            if not data:
                break
            for frame in reader.feed(data):
                rooms[frame.about["kind"]].take(frame)
        for room in rooms.values():
            room.tick(time.time())
    for room in rooms.values():
        room.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
