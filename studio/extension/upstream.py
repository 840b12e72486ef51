"""Requests to Studio, each on a connection of its own; bodies pass through in pieces, both ways.

Nothing waits for more memory than a piece takes: whoever is slow, browser or disk, slows the other.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.web import RequestHandler

from studio.errors import StudioError
from studio.extension.plane import Plane

_CONNECT_SECONDS = 5.0
_GO_ON_SECONDS = 1.0  # some servers do not know what Expect means
_PIECE = 256 * 1024
_LARGEST = 5 * 1024**4  # of an object of S3, in bytes
_PARAMETERS = HTTP1ConnectionParameters(
    no_keep_alive=True, chunk_size=_PIECE, max_body_size=_LARGEST, decompress=False
)


class Upstream:
    """The way to Studio; a control plane that has died is started again on the way."""

    def __init__(self, plane: Plane, ca_bundle: str = "") -> None:
        self.plane = plane
        self._ca_bundle = ca_bundle
        self._tcp = TCPClient()

    async def connect(self, url: str) -> IOStream:
        """A connection to where `url` points. Raises StudioError that says what to do."""
        try:
            return await self._dial(url)
        except (OSError, StreamClosedError, TimeoutError):
            await self.plane.revive()
        try:
            return await self._dial(url)
        except (OSError, StreamClosedError, TimeoutError) as error:
            raise StudioError(f"{_origin(url)} does not answer.") from error

    def close(self) -> None:
        self._tcp.close()

    async def _dial(self, url: str) -> IOStream:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        stream = self._tcp.connect(
            parts.hostname or "",
            parts.port or (443 if tls else 80),
            ssl_options=ssl.create_default_context(cafile=self._ca_bundle or None) if tls else None,
        )
        return await asyncio.wait_for(stream, _CONNECT_SECONDS)


class Exchange(HTTPMessageDelegate):
    """One request, and its answer: copied to the browser as it comes, also while the request is
    still sent.

    `wanted` gives the value with which a header of the answer passes, or None.
    """

    def __init__(
        self,
        stream: IOStream,
        handler: RequestHandler,
        wanted: Callable[[str, str], str | None],
    ) -> None:
        self._stream = stream
        self._handler = handler
        self._wanted = wanted
        self._connection = HTTP1Connection(stream, True, _PARAMETERS)
        self._go_on = asyncio.Event()
        self._reading: asyncio.Task[None]
        self.answered = False
        """Whether the head of the answer is here."""
        self.whole = False
        """Whether all of it is."""

    async def begin(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Send the head of the request; wait for leave to go on where `headers` ask for it."""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        head = HTTPHeaders({**headers, "Host": parts.netloc, "Connection": "close"})
        with contextlib.suppress(StreamClosedError):  # what is read tells
            await self._connection.write_headers(RequestStartLine(method, target, ""), head)
        self._reading = asyncio.create_task(self._read())
        if "Expect" in headers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._go_on.wait(), _GO_ON_SECONDS)

    async def send(self, piece: bytes) -> None:
        """Send a piece of the body; returns when there is room for another."""
        if not self.answered:  # early: a refusal, and the rest of the body is in vain
            with contextlib.suppress(StreamClosedError):
                await self._connection.write(piece)

    async def end(self, piece: bytes = b"") -> None:
        """Send the last piece, and return when the answer is copied. Look at `answered` and `whole`
        then: Studio may have died on the way."""
        if piece:
            await self.send(piece)
        if not self.answered:
            with contextlib.suppress(StreamClosedError, HTTPOutputError):
                self._connection.finish()
        await self._reading

    def close(self) -> None:
        self._stream.close()

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, ResponseStartLine)
        self._go_on.set()
        if start_line.code < 200:
            return
        self.answered = True
        self._handler.set_status(start_line.code, start_line.reason)
        for name, value in headers.get_all():
            passed = self._wanted(name.lower(), value)
            if passed is not None:
                self._handler.set_header(name, passed)
        await self._pass_on()

    async def data_received(self, chunk: bytes) -> None:
        self._handler.write(chunk)
        await self._pass_on()

    def finish(self) -> None:
        self.whole = True
        self.close()  # or the end of a request that is refused early would be waited for

    async def _read(self) -> None:
        try:
            await self._connection.read_response(self)
        except StreamClosedError:
            pass  # Studio has died, or the browser has left
        finally:
            self._go_on.set()
            self.close()

    async def _pass_on(self) -> None:
        try:
            await self._handler.flush()
        except StreamClosedError:  # the browser has left: nobody wants the rest
            self.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
