"""The HTTP server of the port: heads too large, too slow or ambiguous are told so, then cut."""

import contextlib
import re
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPInputError
from tornado.iostream import BaseIOStream, IOStream, UnsatisfiableReadError

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n"
_END = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
_DRAINED = 1 << 20
_LONE_LF = re.compile(rb"(?<!\r)\n")


class Server(HTTPServer):
    """Tornado closes in silence where a head exceeds its limit; clients retry that for ever.

    And it takes a lone LF for the end of a line, which a proxy in front may not: one of the two
    would see a header, or a request, that the other does not.
    """

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        plain, read = stream.close, stream.read_until_regex
        # Once: Tornado asks the system twice for each answer.
        stream.set_nodelay(True)
        stream.set_nodelay = lambda value: None  # type: ignore[method-assign]

        async def read_head(regex: bytes, max_bytes: int | None = None) -> bytes:
            head = await read(regex, max_bytes)
            if _LONE_LF.search(head):
                raise HTTPInputError("a line that ends with LF alone")
            return head

        def close(exc_info: Any = False) -> None:
            if isinstance(exc_info, UnsatisfiableReadError) and not stream.closed():
                _say(stream, _TOO_LARGE)
            plain(exc_info)

        stream.close = close  # type: ignore[method-assign]
        stream.read_until_regex = read_head  # type: ignore[method-assign]
        super().handle_stream(stream, address)


def cut_slow_head(stream: BaseIOStream) -> None:
    """End a connection whose next head did not come in time; silently, if none had begun."""
    if stream.closed():
        return
    if getattr(stream, "_read_buffer_size", 0):
        _say(stream, _TOO_SLOW)
    stream.close()


def _say(stream: Any, line: bytes) -> None:
    with contextlib.suppress(OSError):
        stream.socket.send(line + _END)
        # Closing over unread data would reset the connection, and with it what was just said.
        while stream.socket.recv(_DRAINED):
            pass
