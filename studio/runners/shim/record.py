"""What the shim leaves for others to read: stages, the dates of the log, the end.

A full disk must not keep the end from being written: a small reserve is set aside for it.
"""

import errno
import json
import os
import shutil
import socket
import struct
import time
from pathlib import Path
from typing import Any

from studio import durable

_RESERVE_BYTES = 256 * 1024
_NOTE = struct.Struct("<QQ")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Record:
    """The files of one run's folder that say how it goes. `log` is the job's own descriptor."""

    def __init__(self, folder: Path, home: str) -> None:
        self._folder = folder
        self._home = home
        self._size = 0
        self._time = 0
        self.stages: list[tuple[str, int]] = []
        self.log = _append(folder / "log")
        self._index = _append(folder / "log.idx")

    def reserve(self) -> None:
        """Raises OSError when the disk is full already."""
        with (self._folder / "reserve").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVE_BYTES)

    def stage(self, name: str, address: str, started_at: int | None) -> None:
        self.stages.append((name, now_ms()))
        document = {"stages": self.stages, "address": address, "started_at": started_at}
        temporary = self._folder / ".status.json"
        try:
            temporary.write_text(json.dumps(document))
            temporary.replace(self._folder / "status.json")
        except OSError:
            pass  # the disk is full; the end will tell all stages
        self._hint()

    def index(self) -> None:
        """Note the size of the log when it grew: that dates its new lines for good."""
        size = os.fstat(self.log).st_size
        if size <= self._size:
            return
        # A clock that is set back must not date a line before the one above it.
        self._time = max(self._time, now_ms())
        try:
            written = os.write(self._index, _NOTE.pack(self._time, size))
        except OSError:
            return  # the disk is full; the next tick tries again
        if written == _NOTE.size:
            self._size = size
        else:
            os.ftruncate(self._index, os.fstat(self._index).st_size - written)

    def finish(self, document: dict[str, Any]) -> None:
        """Write exit.json. A full disk is waited for: the end must not be lost."""
        (self._folder / "reserve").unlink(missing_ok=True)
        shutil.rmtree(self._folder / "scratch", ignore_errors=True)
        while True:
            try:
                durable.write_json(self._folder / "exit.json", document)
                break
            except OSError as error:
                if error.errno not in _FULL:
                    raise
            shutil.rmtree(self._folder / "tmp", ignore_errors=True)
            time.sleep(1.0)
        self._hint()

    def _hint(self) -> None:
        """Tell the control plane, if it listens, that there is something to see."""
        try:
            home = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                # By descriptor: the path of a socket is limited to 107 bytes.
                channel.sendto(self._folder.name.encode(), f"/proc/self/fd/{home}/hints.sock")
        except OSError:
            pass
        finally:
            os.close(home)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
