"""A listener of `/_studio/events`, as a browser's relay is one: signed, streaming, resuming."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from waiting import PATIENCE_SECONDS

PATH = "/_studio/events"


@dataclass(frozen=True)
class Event:
    type: str
    id: str
    data: Any
    at: float
    """When it came, by the monotonic clock."""


class Ear:
    """Collects events from construction until `close`, or until the server closes."""

    def __init__(self, url: str, key: str, secret: str, last_id: str = "") -> None:
        self.events: list[Event] = []
        self.beats = 0
        self._news = threading.Condition()
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._connection.connect()
        self._socket = self._connection.sock
        self._connection.request("GET", PATH, headers=signed(url, key, secret, last_id))
        self.answer = self._connection.getresponse()
        self.over = self.answer.status != 200
        self._thread = threading.Thread(target=self._read, args=(self.answer,), daemon=True)
        self._thread.start()

    def wait(self, wanted: Callable[[Event], Any], after: int = 0) -> Event:
        """The first event like that, from the one with the number `after` on."""
        return self._until(lambda: next(filter(wanted, self.events[after:]), None))

    def wait_over(self) -> None:
        """Until the server has closed the connection."""
        self._until(lambda: self.over)

    def wait_beats(self, count: int) -> None:
        self._until(lambda: self.beats >= count)

    def of(self, type_: str) -> list[Any]:
        """The documents of the events of that type so far."""
        return [each.data for each in self.events if each.type == type_]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _until(self, look: Callable[[], Any]) -> Any:
        with self._news:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not (found := look()):
                left = deadline - time.monotonic()
                assert left > 0, f"it never came: {self.events}"
                self._news.wait(left)
            return found

    def _read(self, answer: HTTPResponse) -> None:
        block: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            while line := answer.readline():
                self._take(block, line.decode().rstrip("\n"))
        with self._news:
            self.over = True
            self._news.notify_all()

    def _take(self, block: dict[str, str], line: str) -> None:
        with self._news:
            name, _, value = line.partition(":")
            if line and not name:
                self.beats += 1
            elif line:
                block[name] = value.removeprefix(" ")
            elif "data" in block:
                data = json.loads(block["data"])
                self.events.append(Event(block["event"], block["id"], data, time.monotonic()))
                block.clear()
            self._news.notify_all()


def signed(url: str, key: str, secret: str, last_id: str = "") -> dict[str, str]:
    """The headers of a request for events."""
    request = AWSRequest(method="GET", url=url + PATH)
    if last_id:
        request.headers["Last-Event-ID"] = last_id
    botocore.auth.SigV4Auth(Credentials(key, secret), "studio", "us-east-1").add_auth(request)
    return dict(request.headers.items())


@contextlib.contextmanager
def ear(url: str, key: str, secret: str, last_id: str = "") -> Iterator[Ear]:
    """Listens, once the first event has come."""
    listening = Ear(url, key, secret, last_id)
    try:
        if not listening.over:
            listening.wait(lambda event: event.type == "capacity")
        yield listening
    finally:
        listening.close()
