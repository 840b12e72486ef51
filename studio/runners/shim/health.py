"""The health check of a model server: `GET /ping` answers 200."""

import http.client

_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.03, 0.5


class Probe:
    """Ask often at first, then less often. `pause` is the time to the next question."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self.pause = _FIRST_PAUSE

    def healthy(self) -> bool:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            self.pause = min(self.pause * 1.1, _LONGEST_PAUSE)
            return False
        finally:
            connection.close()
