"""The HTTP server of the port: heads that are too large or too slow are told so, then cut."""

import contextlib
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import BaseIOStream, IOStream, UnsatisfiableReadError

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\n"
_END = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
_DRAINED = 1 << 20


class Server(HTTPServer):
    """Tornado closes in silence where a head exceeds its limit; clients retry that for ever."""

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        plain = stream.close

        def close(exc_info: Any = False) -> None:
            if isinstance(exc_info, UnsatisfiableReadError) and not stream.closed():
                _say(stream, _TOO_LARGE)
            plain(exc_info)

        stream.close = close  # type: ignore[method-assign]
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
