"""What goes back over the connection: heads, contents, error documents."""

import asyncio
import errno
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any

import structlog
from tornado.httputil import HTTPConnection, HTTPHeaders, ResponseStartLine

from studio.db.failures import Full, Unavailable
from studio.s3.errors import S3Error
from studio.s3.message import Response, Slice
from studio.s3.xml import DECLARATION, document
from studio.wire import protocols

_CHUNK = 1 << 20
_SHOWN = 256  # of the path in an error
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PATIENCE_SECONDS = 10.0  # clients give up after a minute of silence

log = structlog.get_logger()


def refusal(error: Exception, method: str, path: str, request_id: str, region: str) -> Response:
    """The answer that an error becomes; one that is nobody's fault but ours is logged."""
    full = isinstance(error, OSError) and error.errno in _FULL
    if full or isinstance(error, Full):
        error = S3Error("InsufficientStorage", "The disk of this store is full.")
    elif isinstance(error, Unavailable):
        error = S3Error("ServiceUnavailable", error.message)
    if not isinstance(error, S3Error | ConnectionError):
        # Rendered here: a renderer that shows local variables would show headers and bodies.
        text = "".join(traceback.format_exception(error))
        log.error("s3 request failed", request=request_id, exception=text)
    if not isinstance(error, S3Error):
        error = S3Error("InternalError", "We encountered an internal error. Please try again.")
    headers = {"content-type": "application/xml"} | error.headers
    if error.code == "AuthorizationHeaderMalformed":
        headers["x-amz-bucket-region"] = region
    if error.code == "MethodNotAllowed":
        error.details = {"Method": method} | error.details
    if method == "HEAD":
        return Response(error.status, headers)
    pairs = (
        ("Code", error.code),
        ("Message", error.message),
        *error.details.items(),
        ("Resource", path[:_SHOWN]),
        ("RequestId", request_id),
    )
    return Response(error.status, headers, document("Error", pairs, namespace=""))


class Answer:
    """The answer to one request. `run` runs a function in a worker thread."""

    def __init__(
        self,
        connection: HTTPConnection,
        method: str,
        request_id: str,
        closing: bool,
        run: Callable[..., Awaitable[Any]],
    ) -> None:
        self._connection = connection
        self._method = method
        self._id = request_id
        self._closing = closing
        self._run = run
        self._begun = False

    async def keep_alive(self, work: "asyncio.Future[Response]") -> None:
        """Wait for `work`; when that takes long, begin a 200 and go on with white space.

        An error then comes in the body of the 200, as on S3: clients know.
        """
        while not (await asyncio.wait({work}, timeout=_PATIENCE_SECONDS))[0]:
            if not self._begun:
                self._begun = True
                await self._head(Response(headers={"content-type": "application/xml"}), None)
                await self._connection.write(DECLARATION)
            await self._connection.write(b" ")

    async def send(self, response: Response) -> None:
        body = response.body
        if isinstance(body, Slice):
            with body.file:
                await self._head(response, body.size)
                if self._method != "HEAD":
                    await self._send_slice(body)
        elif self._begun:
            await self._connection.write(body.removeprefix(DECLARATION))
        else:
            await self._head(response, len(body), body)
        self._connection.finish()

    async def _head(self, response: Response, size: int | None, body: bytes = b"") -> None:
        headers = _Headers({"Server": "Studio", "Date": protocols.date(int(time.time()))})
        headers["x-amz-request-id"] = self._id
        headers["x-amz-id-2"] = self._id
        headers["Referrer-Policy"] = "no-referrer"  # presigned addresses are secrets
        if self._closing:
            headers["Connection"] = "close"
        for name, value in response.headers.items():
            headers[name] = value
        bodiless = response.status in (204, 304)
        if size is not None and not bodiless:
            headers["Content-Length"] = str(size)
        if body and "content-type" not in response.headers:
            headers["Content-Type"] = "application/xml"
        line = ResponseStartLine("HTTP/1.1", response.status, HTTPStatus(response.status).phrase)
        bare = bodiless or self._method == "HEAD"
        await self._connection.write_headers(line, headers, b"" if bare else body)

    async def _send_slice(self, part: Slice) -> None:
        part.file.seek(part.start)
        left = part.size
        while left:
            chunk = await self._run(part.file.read, min(left, _CHUNK))
            if not chunk:
                raise EOFError("a blob is shorter than the index says")
            left -= len(chunk)
            await self._connection.write(chunk)


class _Headers(HTTPHeaders):
    """Written in lower case: clients take the names of metadata from there."""

    def get_all(self) -> Iterator[tuple[str, str]]:
        return ((name.lower(), value) for name, value in super().get_all())
