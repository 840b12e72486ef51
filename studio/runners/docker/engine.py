"""The Docker Engine API (1.41 or newer) over its unix socket, as far as runs need it."""

import http.client
import json
import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

Doc = dict[str, Any]

API = "1.41"
"""Version that is spoken: that of Docker 20.10, which newer engines still speak."""

SECONDS = 60.0
_CONNECT_SECONDS = 5.0
_SLOW_SECONDS = 5.0
_USUAL = "/var/run/docker.sock"


class EngineError(Exception):
    """The engine refuses; `status` is HTTP's, the message the engine's own sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class EngineGone(Exception):
    """The engine does not answer: it is not there, is restarted, or hangs."""


def address(configured: str) -> str:
    """Path of the engine's socket: as configured, else DOCKER_HOST, else where it usually is.

    Raises ValueError for an engine on another machine: the folders of runs are mounted.
    """
    given = configured or os.environ.get("DOCKER_HOST", "")
    if given:
        scheme, found, path = given.partition("://")
        if found and scheme != "unix":
            raise ValueError(
                f"The Docker engine at {given} cannot be used: the folders of runs are mounted, "
                "so that the engine must be one of this machine (unix:///path/to/socket)."
            )
        return path if found else given
    own = Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere")) / "docker.sock"
    return str(own) if not os.access(_USUAL, os.R_OK | os.W_OK) and own.exists() else _USUAL


class Engine:
    """One engine. Every call is a connection of its own: any thread may make it."""

    def __init__(
        self, path: str, seconds: float = SECONDS, slow: Callable[[], None] | None = None
    ) -> None:
        """`slow` is called when the engine takes longer than usual, once for each call."""
        self._path = path
        self._seconds = seconds
        self._slow = slow

    def call(
        self,
        method: str,
        path: str,
        query: Doc | None = None,
        body: Doc | None = None,
        seconds: float | None = None,
    ) -> Any:
        """The answer's document, None for an empty one. `seconds`: 0 waits for ever.

        Raises EngineError, EngineGone.
        """
        data = None if body is None else json.dumps(body).encode()
        with self._answer(method, path, query, data, {}, seconds) as answer:
            data = answer.read()
        return json.loads(data) if data.strip() else None

    def lines(
        self,
        path: str,
        query: Doc,
        headers: dict[str, str],
        seconds: float,
        body: bytes | None = None,
    ) -> Iterator[Doc]:
        """The documents that the engine sends, one a line, as they come.

        Raises as `call`; EngineGone also when it says nothing for `seconds`.
        """
        with self._answer("POST", path, query, body, headers, seconds) as answer:
            while line := answer.readline():
                if line.strip():
                    yield json.loads(line)

    def build(
        self, tag: str, context: bytes, arguments: dict[str, str], network: str, seconds: float
    ) -> Iterator[Doc]:
        """Build the image `tag` of a tar with a Dockerfile; yields as `lines`."""
        query = {"t": tag, "forcerm": "true", "buildargs": json.dumps(arguments)}
        if network:
            query["networkmode"] = network
        headers = {"Content-Type": "application/x-tar"}
        yield from self.lines("/build", query, headers, seconds, context)

    def messages(self, path: str, query: Doc) -> Iterator[tuple[bytes, bytes]]:
        """When a container said something, and what: both of its streams, in their order. A line
        that is long comes in pieces, all of one time. Raises EngineError, EngineGone."""
        # Before 23 an engine leaves out the line feed of a line that came in pieces.
        pieces: dict[int, bytes] = {}
        with self._answer("GET", path, {**query, "timestamps": 1}, None, {}, 0) as answer:
            while len(header := answer.read(8)) == 8:
                size = int.from_bytes(header[4:], "big")
                if len(message := answer.read(size)) < size:
                    raise EngineGone(f"{self._path}: a message was cut")
                at, _, said = message.partition(b" ")
                if pieces.pop(header[0], at) != at:
                    said = b"\n" + said
                if not said.endswith(b"\n"):
                    pieces[header[0]] = at
                yield at, said

    def inspect(self, name: str) -> Doc | None:
        """What the engine knows of a container; None when there is none."""
        return self._known(f"/containers/{name}/json")

    def written(self, name: str) -> int:
        """Bytes that a container has written to its own root. Raises EngineError, EngineGone."""
        known = self.call("GET", f"/containers/{name}/json", {"size": "true"})
        return int(known.get("SizeRw") or 0)

    def image(self, reference: str) -> Doc | None:
        """What the engine knows of an image that it has; None when it lacks it."""
        return self._known(f"/images/{quote(reference, safe='/:@')}/json")

    def _known(self, path: str) -> Doc | None:
        try:
            found: Doc = self.call("GET", path)
        except EngineError as error:
            if error.status == 404:
                return None
            raise
        return found

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        query: Doc | None,
        body: bytes | None,
        headers: dict[str, str],
        seconds: float | None,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _Connection(self._path, self._seconds if seconds is None else seconds)
        target = f"/v{API}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = {"Content-Type": "application/json", "Connection": "close", **headers}
        try:
            with closing(connection):
                connection.request(method, target, body, sent)
                if self._slow and seconds is None and not connection.answers(_SLOW_SECONDS):
                    self._slow()
                with connection.getresponse() as answer:
                    if answer.status >= 400:
                        raise EngineError(answer.status, _sentence(answer.read()))
                    yield answer
        except (OSError, http.client.HTTPException) as error:
            raise EngineGone(f"{self._path}: {error or type(error).__name__}") from error


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost")
        self._path, self._wait = path, seconds or None

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_CONNECT_SECONDS)
        self.sock.connect(self._path)
        self.sock.settimeout(self._wait)

    def answers(self, seconds: float) -> bool:
        """Whether something came within this time."""
        came = select.poll()
        came.register(self.sock, select.POLLIN)
        return bool(came.poll(1000 * seconds))


def _sentence(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"])
    except (ValueError, KeyError, TypeError):
        return data.decode("utf-8", "replace")[:400] or "no reason given"
