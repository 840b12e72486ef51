"""The health check of a model server: `GET /ping` answers 200 within two seconds.

It never waits for the server: a check that hangs must not keep a run from being stopped.
"""

import socket
import time

_SECONDS = 2.0
_CONNECT_SECONDS = 0.25
_FIRST_PAUSE, _LONGEST_PAUSE = 0.03, 0.5
_STATUS_BYTES = len(b"HTTP/1.1 200")


class Probe:
    """Ask often at first, then less often. `pause` is the time to the next look."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._asked: socket.socket | None = None
        self._deadline = 0.0
        self._received = b""
        self.pause = _FIRST_PAUSE

    def fileno(self) -> int:
        """What to wait for; -1 between two questions."""
        return self._asked.fileno() if self._asked else -1

    def healthy(self) -> bool:
        """True once the answer is 200; asks when nothing was asked."""
        try:
            if self._asked is None:
                self._ask()
            elif chunk := self._asked.recv(_STATUS_BYTES):
                self._received += chunk
            else:
                raise ConnectionResetError
        except BlockingIOError:
            if time.monotonic() > self._deadline:
                self.close()
            return False
        except OSError:
            self.close()
            return False
        return self._judged()

    def close(self) -> None:
        """Give the question up."""
        if self._asked is not None:
            self._asked.close()
        self._asked = None
        self._received = b""
        self.pause = min(self.pause * 1.1, _LONGEST_PAUSE)

    def _ask(self) -> None:
        host, _, port = self._address.rpartition(":")
        self._deadline = time.monotonic() + _SECONDS
        self._asked = socket.create_connection((host, int(port)), _CONNECT_SECONDS)
        request = f"GET /ping HTTP/1.1\r\nHost: {self._address}\r\nConnection: close\r\n\r\n"
        self._asked.sendall(request.encode())
        self._asked.setblocking(False)
        raise BlockingIOError  # the answer comes later

    def _judged(self) -> bool:
        words = self._received.split(b" ", 2)
        if len(self._received) >= _STATUS_BYTES or len(words) > 2:
            self.close()
            return len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1] == b"200"
        if time.monotonic() > self._deadline:
            self.close()
        return False
