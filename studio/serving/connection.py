"""One HTTP connection to a model server, and what is asked on it.

It knows nothing of clients: a `Call` goes out, exactly one of its three outcomes comes back. A call
that `streams` may have its answer in pieces instead.
"""

import asyncio
import select
import socket
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

import httptools

from studio.serving import errors

if TYPE_CHECKING:
    from studio.serving.upstream import Server

_FOREVER = float("inf")
_MOST_RESPONSE_HEAD = 65_536


class Call(Protocol):
    """A request to a model server and what becomes of it."""

    tried: "tuple[Server, ...]"

    @property
    def streams(self) -> bool:
        """It is a Streaming."""

    @property
    def wanted(self) -> bool:
        """False when nobody waits any more: an unsent call is then dropped."""

    def message(self, host: bytes) -> Iterable[bytes]:
        """The request as bytes; `host` is the value of its Host header."""

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None: ...

    def unreachable(self, server: "Server") -> None:
        """No connection came about: nothing was sent, another server may be tried."""

    def broken(self, reason: str) -> None:
        """The request was sent, and no whole answer came."""


class Streaming(Call, Protocol):
    """A call that is told of a good answer in pieces: `begun`, any number of pieces, then `ended`,
    `broken`, `cut` or `left`. Other answers come whole."""

    def opened(self, flow: "Connection") -> None:
        """It is sent now. `flow` is there to pause, resume and abandon its answer."""

    def begun(self, status: int, headers: dict[bytes, bytes]) -> None: ...

    def piece(self, data: bytes) -> None: ...

    def ended(self) -> None: ...

    def left(self) -> None:
        """Its answer was abandoned."""

    def cut(self, reason: str) -> None:
        """Its answer is ended from this side."""


class Connection(asyncio.Protocol):
    """One connection to a model server; one call at a time."""

    __slots__ = (
        "_body", "_call", "_complete", "_framed", "_head", "_head_done", "_headers", "_held",
        "_keep", "_parser", "_poll", "_server", "_size", "_status", "_stream", "_transport",
        "_trouble", "deadline", "idle_since",
    )  # fmt: skip

    def __init__(self, server: "Server", sock: socket.socket) -> None:
        self._server = server
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._transport: asyncio.Transport | None = None
        self._call: Call | None = None
        self._stream: Streaming | None = None  # the call, once its answer comes in pieces
        self._held = False
        self.deadline = _FOREVER
        self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._renew()

    def _renew(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = self._head = self._status = 0
        self._framed = self._head_done = self._complete = self._keep = False
        self._trouble = ""

    @property
    def call(self) -> Call | None:
        """What is asked on it now."""
        return self._call

    def alive(self) -> bool:
        """Nothing has arrived on the idle connection, its end included.

        The look at the socket closes the gap between the server's close and our loop hearing of
        it: what is sent into that gap is lost, and must not be sent twice.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        return not self._poll.poll(0)

    def start(self, call: Call, host: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            self._server.settle(errors.CLOSED)
            call.unreachable(self._server)  # nothing was sent: another server may be asked
            return
        self._call = call
        self.deadline = monotonic() + self._server.limits.model_seconds
        self._server.busy.add(self)
        if call.streams:
            cast(Streaming, call).opened(self)
        for part in call.message(host):
            self._transport.write(part)

    def release(self) -> None:
        """Idle from now on."""
        self.idle_since = monotonic()
        self._server.keep(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def expire(self) -> None:
        """The deadline has passed without an answer."""
        limits = self._server.limits
        if self._stream is not None:
            said = errors.late("end", limits.stream_seconds, "studio:stream-timeout-seconds")
        else:
            what = "end" if self._head_done else "begin"
            said = errors.late(what, limits.model_seconds, "studio:model-timeout-seconds")
        self._fail(said)

    def pause(self) -> None:
        """Let the model wait: who reads its answer does not keep up."""
        if self._transport is not None and not self._held:
            self._held = True
            self._server.held += 1
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._held:
            self._held = False
            self._server.held -= 1
            self._server.progress()
            if self._transport is not None:
                self._transport.resume_reading()

    def abandon(self) -> None:
        """Nobody wants the answer any more: the model server sees its connection close."""
        call = self._give_up()
        if call is not None:
            cast(Streaming, call).left()

    def cut(self, reason: str) -> None:
        """End an answer in pieces that has begun; others are left to their ends."""
        stream = self._stream
        if stream is not None:
            self._give_up()
            stream.cut(reason)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.forget(self)
        if self._call is None:
            return
        if exc is None and self._head_done and not self._framed:
            self._keep = False
            self._succeed()  # an answer without a length ends with its connection
        else:
            self._fail(errors.CLOSED)

    def data_received(self, data: bytes) -> None:
        if self._call is None:
            self.close()  # nobody asked
            return
        if not self._head_done:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # a bug of ours
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep = False
            self._trouble = self._trouble or errors.MALFORMED
        if self._stream is not None:
            self._pass_on(self._stream)
        if self._complete:
            self._succeed()
        elif self._trouble:
            self._fail(self._trouble)
        elif not self._head_done and self._head > _MOST_RESPONSE_HEAD:
            self._fail(errors.MALFORMED)

    # the parser calls these

    def on_message_begin(self) -> None:
        if self._complete:
            self._keep = False  # two answers to one request: this server is out of step

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete and not self._head_done:
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        headers = self._headers
        length = headers.get(b"content-length")
        self._status = self._parser.get_status_code()
        self._head_done = True
        self._framed = length is not None or b"transfer-encoding" in headers
        if self._call is not None and self._call.streams and 200 <= self._status < 300:
            self._begin_stream(cast(Streaming, self._call))
        elif length is not None and int(length) > self._server.limits.body_bytes:
            self._refuse()

    def on_body(self, data: bytes) -> None:
        if self._complete:
            return
        self._size += len(data)
        if self._size > self._server.limits.body_bytes and self._stream is None:
            self._refuse()
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        if self._complete:
            return
        if self._status < 200:
            self._renew()  # 100 Continue and the like: the answer is still to come
            return
        self._complete = True
        self._keep = self._parser.should_keep_alive()

    # helpers

    def _begin_stream(self, call: Streaming) -> None:
        self._stream = call
        limits = self._server.limits
        self.deadline += limits.stream_seconds - limits.model_seconds
        call.begun(self._status, self._headers)

    def _pass_on(self, call: Streaming) -> None:
        """What has come, in one piece."""
        if self._body:
            data = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._body.clear()
            self._server.progress()
            call.piece(data)

    def _refuse(self) -> None:
        self._body.clear()
        self._trouble = errors.TOO_LARGE.format(limit=self._server.limits.body_bytes)

    def _succeed(self) -> None:
        status, headers = self._status, self._headers
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        trouble, stream = self._trouble, self._stream
        call = self._finish()
        self._server.settle(status=status)
        transport = self._transport
        if self._keep and transport is not None and transport.get_write_buffer_size() == 0:
            self._renew()
            self.release()
        else:
            self.close()
        if call is None:
            return
        if trouble:
            call.broken(trouble)
        elif stream is not None:
            stream.ended()
        else:
            call.answered(status, headers, body)

    def _fail(self, reason: str) -> None:
        call = self._finish()
        # One that began to answer is up.
        self._server.settle(status=self._status) if self._head_done else self._server.settle(reason)
        if self._transport is not None:
            self._transport.abort()
        if call is not None:
            call.broken(reason)

    def _give_up(self) -> Call | None:
        call = self._finish()
        self._server.settle(status=self._status if self._head_done else 0)
        if self._transport is not None:
            self._transport.abort()
        return call

    def _finish(self) -> Call | None:
        call, self._call = self._call, None
        self._stream = None
        self.deadline = _FOREVER
        self._server.busy.discard(self)
        if self._held:
            self.resume()
        return call
