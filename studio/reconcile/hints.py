"""Hints of shims: a datagram with the id of a run whose status changed. Losing one is harmless."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from studio import hint

_RESOURCE_ID = 32


class Hints:
    """Listens on `<home>/hints.sock` from construction until `close`."""

    def __init__(self, home: Path, told: Callable[[str, bool], None]) -> None:
        self._path = home / "hints.sock"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A unix address has 108 bytes at most; the name relative to an open folder always fits.
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._socket.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)
        self._path.chmod(0o600)
        self._told = told
        self._thread = threading.Thread(target=self._listen, name="hints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _listen(self) -> None:
        while True:
            try:
                message = self._socket.recv(256)
            except OSError:
                return
            if not message:
                return
            # Ids of runs begin with the id of their resource.
            resource_id = message[:_RESOURCE_ID].decode("ascii", "replace")
            self._told(resource_id, message.endswith(hint.LINES.encode()))
