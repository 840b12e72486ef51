"""HTTP towards clients: parses requests, keeps their order, bounds them, writes answers.

It knows nothing of endpoints and signatures: every whole request goes to `Front.handle`.
"""

import asyncio
from collections import deque
from time import monotonic
from typing import cast

import httptools

from studio.errors import ApiError
from studio.http import errors
from studio.http.request import Flow, Front, Request

_MOST_PIPELINED = 64
_MOST_HEADERS = 128
_FOREVER = float("inf")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Client(asyncio.Protocol):
    """One client's connection. Requests are served one after the other, in order.

    What arrives while one is in work waits unparsed, and reading stops: a client that pipelines
    cannot make the server hold more than one read of its data.
    """

    __slots__ = (
        "_active", "_advancing", "_chunks", "_continue", "_deaf", "_eof", "_front", "_full",
        "_head", "_head_done", "_headers", "_lingering", "_parser", "_queue", "_receiving",
        "_request", "_size", "_stash", "_transport", "_wire", "deadline", "flow",
    )  # fmt: skip

    def __init__(self, front: Front) -> None:
        self._front = front
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._queue: deque[Request | ApiError] = deque()
        self._stash = b""
        self._active: Request | None = None
        self._advancing = False  # inside _advance: an answer must not recurse into it
        self._deaf = False  # nothing more is parsed on this connection
        self._lingering = False
        self._eof = False
        self._full = False  # the client reads its answer too slowly
        self._receiving = False
        self._continue = False
        self.flow: Flow | None = None
        """Of the answer in work, when it goes out in pieces."""
        self.deadline = _FOREVER
        self._reset()

    @property
    def connected(self) -> bool:
        return self._transport is not None

    @property
    def waits(self) -> bool:
        """Nothing says that the client has gone: also one that closes its socket, and not only
        its half, is heard of as an end of what it sends."""
        return self._transport is not None and not self._eof

    @property
    def peer(self) -> str:
        """The address that the connection comes from; "" once it is gone."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return str(name[0]) if name else ""

    def _reset(self) -> None:
        self._request = Request(self)
        self._chunks: list[bytes] = []
        self._size = self._head = self._headers = self._wire = 0
        self._head_done = False

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.deadline = monotonic() + self._front.limits.receive_seconds
        if len(self._front.clients) >= self._front.limits.connections:
            self._refuse(ApiError("ServiceUnavailable", "Too many connections.", 503))
        self._front.clients.add(self)
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.clients.discard(self)
        self._transport = None
        self._deaf = True
        self._queue.clear()
        self._stash = b""
        if self.flow is not None:
            flow, self.flow = self.flow, None
            flow.abandon()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._active is not None or self._full:
            self._stash += data
            if self._transport is not None:
                self._transport.pause_reading()
            return
        self._feed(data)
        self._advance()

    def eof_received(self) -> bool:
        """A client may shut its half down and still wait for answers, but for one in pieces: what
        it costs to make is not spent on somebody who has probably gone."""
        self._eof = True
        if self.flow is not None and self._transport is not None:
            self._transport.abort()
        return self._active is not None or bool(self._queue)

    def pause_writing(self) -> None:
        self._full = True
        size = self._transport.get_write_buffer_size() if self._transport is not None else 0
        most = max(size, self._front.limits.body_bytes)
        self.deadline = monotonic() + self._patience(most)
        if self.flow is not None:
            self.flow.pause()

    def resume_writing(self) -> None:
        self._full = False
        if self.flow is not None:
            self.deadline = _FOREVER
            self.flow.resume()
        self._advance()

    # the parser calls these

    def on_message_begin(self) -> None:
        self._receiving = True

    def on_url(self, url: bytes) -> None:
        self._request.target += url
        self._head += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value) + 4
        self._headers += 1
        if self._head_done or self._headers > _MOST_HEADERS:
            return  # trailers are dropped: they must not pass for headers
        headers = self._request.headers
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text

    def on_headers_complete(self) -> None:
        self._head_done = True
        request = self._request
        request.method = self._parser.get_method()
        request.version = self._parser.get_http_version()
        request.keep_alive = self._parser.should_keep_alive()
        length = int(request.headers.get("content-length", "0"))
        if "transfer-encoding" in request.headers:
            length = self._front.most_body(request.target)
        if error := self._objection(length):
            self._refuse(error)
        elif request.headers.get("expect", "").lower() == "100-continue":
            self._continue = request.version == "1.1"
        if length:
            self.deadline = monotonic() + self._patience(length)

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._front.limits.body_bytes and (error := self._too_large(self._size)):
            self._refuse(error)
        elif not self._deaf:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        request, chunks = self._request, self._chunks
        self._receiving = self._continue = False
        if not self._deaf:
            request.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            self._queue.append(request)
            if request.method == b"CONNECT" or len(self._queue) >= _MOST_PIPELINED:
                request.keep_alive = False
            self._deaf = not request.keep_alive
        self._reset()

    # the front calls these

    def answer(self, head: bytes, body: bytes) -> None:
        """Send an answer to the request in work: `head` is its status line and headers."""
        request, self._active = self._active, None
        transport = self._transport
        if request is not None and request.trail is not None:
            head = request.trail.answered(head, len(body))
        if transport is None or request is None:
            return  # the client has gone
        keep = self._keeps(request)
        connection = b"" if keep and request.version == "1.1" else _connection(keep)
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        self._send(
            transport, head + connection + length, b"" if request.method == b"HEAD" else body
        )
        self._proceed(keep, len(body))

    def begin(self, head: bytes) -> None:
        """Send the head of an answer to the request in work that goes out in pieces: by `pass_on`,
        until `end`."""
        request, transport = self._active, self._transport
        if transport is None or request is None:
            return
        if request.trail is not None:
            head = request.trail.begun(head)
        # Who knows no chunks is told by the end of the connection.
        chunked = request.version == "1.1"
        request.keep_alive = chunked and self._keeps(request)
        framing = b"Transfer-Encoding: chunked\r\n" if chunked else b""
        transport.write(head + framing + _connection(request.keep_alive) + b"\r\n")

    def pass_on(self, piece: bytes) -> None:
        """Send a piece, which is not empty."""
        request, transport = self._active, self._transport
        if transport is None or request is None:
            return
        if request.trail is not None:
            request.trail.sent(len(piece))
        if request.version == "1.1":
            transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        else:
            transport.write(piece)

    def end(self, whole: bool = True) -> None:
        """The last piece is sent; unless it is `whole` the client has to see that more is
        missing."""
        request, self._active, self.flow = self._active, None, None
        transport = self._transport
        if transport is None or request is None:
            return
        if not whole:
            transport.abort()
            return
        if request.version == "1.1":
            transport.write(b"0\r\n\r\n")
        self._proceed(request.keep_alive, 0)

    def expire(self) -> None:
        """The deadline has passed: the client is idle, or too slow."""
        if self._receiving and not self._deaf:
            self._refuse(errors.request_timeout(self._size, self._head_done))
            self._advance()
        elif self._transport is not None:
            self._transport.abort()

    def drain(self) -> None:
        """Close the connection unless a request or an answer is on its way."""
        busy = self._active is not None or self._full or self._receiving
        if not busy and self._transport is not None:
            self._transport.close()

    # helpers

    def _keeps(self, request: Request) -> bool:
        """Whether the connection stays after the answer to `request`."""
        keep = request.keep_alive and not self._front.draining
        return keep and not (self._eof and not self._queue)

    def _proceed(self, keep: bool, size: int) -> None:
        """An answer of `size` bytes was sent."""
        if not keep:
            self._deaf = True
            self._linger(size)
        elif not self._advancing:
            self._advance()

    def _feed(self, data: bytes) -> None:
        self._wire += len(data)
        if not self._receiving:
            self.deadline = monotonic() + self._front.limits.receive_seconds
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a bug of ours
        except httptools.HttpParserUpgrade as switch:
            self._stay(data[switch.args[0] :])
        except httptools.HttpParserInvalidMethodError:
            self._refuse(ApiError("MethodNotAllowed", "The HTTP method is unknown.", 405))
        except httptools.HttpParserError:
            self._refuse(errors.bad_request("The request is not valid HTTP."))
        # Unfinished headers, and what surrounds the chunks of a body, are counted on the wire.
        limit = self._front.limits.head_bytes
        if self._receiving and self._wire > 2 * limit + 8 * self._size:
            self._refuse(errors.head_too_large())

    def _objection(self, length: int) -> ApiError | None:
        """Why the request, whose headers are in and whose body is at most `length`, is refused."""
        limits = self._front.limits
        if self._request.version not in ("1.1", "1.0"):
            return errors.bad_request("The HTTP version is not supported.")
        if self._head > limits.head_bytes or self._headers > _MOST_HEADERS:
            return errors.head_too_large()
        if length > limits.body_bytes and (error := self._too_large(length)):
            return error
        if "," in self._request.headers.get("host", ""):
            return errors.bad_request("Send one Host header.")
        if length and self._parser.should_upgrade():
            return errors.bad_request("A request with a body can't ask for another protocol.")
        return None

    def _too_large(self, size: int) -> ApiError | None:
        most = self._front.most_body(self._request.target)
        return errors.payload_too_large(most) if size > most else None

    def _stay(self, rest: bytes) -> None:
        """No other protocol is spoken here: what follows is HTTP, as the client must expect."""
        if rest and not self._deaf:
            self._feed(rest)

    def _refuse(self, error: ApiError) -> None:
        """Answer `error` after the requests before it, and close."""
        if not self._deaf:
            self._deaf = True
            self._queue.append(error)

    def _advance(self) -> None:
        """Go on with whatever can be done now."""
        if self._advancing:
            return
        self._advancing = True
        while self._transport is not None and self._active is None and not self._full:
            if self._queue:
                self._serve(self._queue.popleft())
            elif self._stash and not self._deaf:
                data, self._stash = self._stash, b""
                self._feed(data)
            else:
                self._wait()
                break
        self._advancing = False

    def _serve(self, item: Request | ApiError) -> None:
        self.deadline = _FOREVER
        if isinstance(item, Request):
            self._active = item
            self._front.handle(item)
        elif self._transport is not None:
            head, body = self._front.refusal(item)
            length = b"Content-Length: %d\r\n\r\n" % len(body)
            self._send(self._transport, head + _connection(keep=False) + length, body)
            self._linger(len(body))

    def _linger(self, size: int) -> None:
        """Half-close and read the rest: closing on unread data would reset what we just sent."""
        limits = self._front.limits
        self._lingering = True
        self.deadline = monotonic() + limits.linger_seconds + size / limits.slowest_rate
        if self._transport is not None:
            if self._eof:
                self._transport.close()
            else:
                self._transport.write_eof()
                self._transport.resume_reading()

    def _wait(self) -> None:
        """Nothing to do until the client sends more."""
        transport = self._transport
        if transport is None or self._lingering:
            return
        if self._eof:
            transport.close()
            return
        if self._continue:
            self._continue = False
            transport.write(_CONTINUE)
        if self.deadline == _FOREVER:
            limits = self._front.limits
            idle = limits.idle_seconds
            seconds = self._patience(limits.body_bytes) if self._receiving else idle
            self.deadline = monotonic() + seconds
        if not transport.is_reading():
            transport.resume_reading()

    def _patience(self, size: int) -> float:
        """Seconds that `size` bytes may take to or from a client."""
        limits = self._front.limits
        return limits.receive_seconds + size / limits.slowest_rate

    def _send(self, transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        if len(body) < 65_536:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)


def _connection(keep: bool) -> bytes:
    return b"Connection: keep-alive\r\n" if keep else b"Connection: close\r\n"
