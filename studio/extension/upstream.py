"""Requests to Studio, each on a connection of its own; bodies pass through in pieces, both ways.

Nothing waits for more memory than a piece takes: whoever is slow, browser or disk, slows the other.
"""

import asyncio
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

    async def open(self, url: str) -> "Exchange":
        """A connection to where `url` points. Raises StudioError that says what to do."""
        try:
            return Exchange(await self._dial(url))
        except (OSError, StreamClosedError, TimeoutError):
            await self.plane.revive()
        try:
            return Exchange(await self._dial(url))
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
    """One request, and its answer as it is copied to the browser."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        self._connection = HTTP1Connection(stream, True, _PARAMETERS)
        self._handler: RequestHandler
        self._wanted: Callable[[str, str], str | None]
        self.answered = False
        """Whether the head of the answer is here."""
        self.whole = False
        """Whether all of it is."""

    async def begin(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Send the head of the request. Raises StreamClosedError."""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        head = HTTPHeaders({**headers, "Host": parts.netloc, "Connection": "close"})
        await self._connection.write_headers(RequestStartLine(method, target, ""), head)

    async def send(self, piece: bytes) -> None:
        """Send a piece of the body; returns when there is room for another."""
        await self._connection.write(piece)

    async def send_last(self, piece: bytes) -> None:
        """Send the last piece of the body. Whether it arrived, the answer tells."""
        try:
            if piece:
                await self.send(piece)
            self._connection.finish()
        except (StreamClosedError, HTTPOutputError):
            pass  # it has answered before it had read all

    async def copy_answer(
        self, handler: RequestHandler, wanted: Callable[[str, str], str | None]
    ) -> None:
        """Copy status, headers and body to the browser.

        `wanted` gives the value with which a header passes, or None. Look at `answered` and
        `whole` afterwards: the other end may have died on the way.
        """
        self._handler, self._wanted = handler, wanted
        try:
            await self._connection.read_response(self)
        except StreamClosedError:
            pass  # either end; `whole` tells
        finally:
            self.close()

    def close(self) -> None:
        self._stream.close()

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        assert isinstance(start_line, ResponseStartLine)
        if start_line.code < 200:  # "go on" is between the two of us
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

    async def _pass_on(self) -> None:
        try:
            await self._handler.flush()
        except StreamClosedError:  # the browser has left: nobody wants the rest
            self.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
