"""The model server as batch transform asks it: /invocations, and /execution-parameters."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from studio.container.transform.records import MULTI, SINGLE

_PARAMETER_SECONDS = 10.0
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_STRATEGIES = {"MULTI_RECORD": MULTI, "SINGLE_RECORD": SINGLE}
_MOST_PARAMETERS = 2**16
Body = bytes | IO[bytes]


class Refused(Exception):
    """The model has no answer to a request: `status` is its HTTP status, 0 without any."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said


class Stopped(Exception):
    """Somebody asked for the end meanwhile."""


@dataclass(frozen=True)
class Answer:
    """What the model made of a request."""

    body: bytes
    media: str


class Server:
    """A model server at `address`, host:port. Threads may share it: each has its connection."""

    def __init__(
        self,
        address: str,
        headers: dict[str, str],
        seconds: float,
        retries: int,
        stopped: Callable[[], bool],
    ) -> None:
        self._address, self._headers, self._seconds = address, headers, seconds
        self._retries, self._stopped = retries, stopped
        self._own = threading.local()

    def invoke(self, body: Body, again: bool = True) -> Answer:
        """The answer to a request, asked `retries` times more when the server fails, unless not
        `again`. A file is sent in chunks, as long as it is. Raises Refused, Stopped."""
        attempts = 1 + (self._retries if again else 0)
        pause = _PAUSE_SECONDS
        for left in reversed(range(attempts)):
            try:
                return self._asked(body)
            except Refused as error:
                if not left or not (error.status in (0, 429) or error.status >= 500):
                    raise
            if self._stopped():
                raise Stopped
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        raise AssertionError

    def parameters(self) -> dict[str, Any]:
        """What the container wants, as far as it says: MaxConcurrentTransforms, BatchStrategy in
        the API's spelling, MaxPayloadInMB."""
        connection = http.client.HTTPConnection(self._address, timeout=_PARAMETER_SECONDS)
        try:
            connection.request("GET", "/execution-parameters")
            answer = connection.getresponse()
            told = json.loads(answer.read(_MOST_PARAMETERS)) if answer.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            return {}
        finally:
            connection.close()
        return _understood(told if isinstance(told, dict) else {})

    def _asked(self, body: Body) -> Answer:
        connection, used = self._connection()
        try:
            answer = self._sent(connection, body)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            # A server may close a connection that rested for a while just as it is used again.
            if used and not isinstance(error, TimeoutError) and _rewound(body):
                return self._asked(body)
            slow = isinstance(error, TimeoutError)
            said = f"no answer within {self._seconds:g} s" if slow else f"no answer: {error}"
            raise Refused(0, said) from error
        if answer.status // 100 != 2:
            raise Refused(answer.status, answer.body[:2_048].decode("utf-8", "replace").strip())
        return Answer(answer.body, answer.media)

    def _sent(self, connection: http.client.HTTPConnection, body: Body) -> "_Reply":
        if isinstance(body, bytes):
            connection.request("POST", "/invocations", body, self._headers)
        else:
            _rewound(body)
            headers = {**self._headers, "Transfer-Encoding": "chunked"}
            connection.request("POST", "/invocations", body, headers, encode_chunked=True)
        answer = connection.getresponse()
        reply = _Reply(answer.read(), answer.headers.get("Content-Type", ""), answer.status)
        if answer.will_close:
            connection.close()
        return reply

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """This thread's connection, and whether it was used before."""
        known: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if known is None:
            known = http.client.HTTPConnection(self._address, timeout=self._seconds)
            self._own.connection = known
        return known, known.sock is not None


@dataclass(frozen=True)
class _Reply(Answer):
    status: int


def _rewound(body: Body) -> bool:
    """Whether the body can be sent (again) from its beginning."""
    if isinstance(body, bytes):
        return True
    if not body.seekable():
        return False
    body.seek(0)
    return True


def _understood(told: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: told[name]
        for name in ("MaxConcurrentTransforms", "MaxPayloadInMB")
        if isinstance(told.get(name), int) and told[name] >= 0
    }
    strategy = told.get("BatchStrategy")
    if isinstance(strategy, str) and strategy in _STRATEGIES:
        made["BatchStrategy"] = _STRATEGIES[strategy]
    return made
