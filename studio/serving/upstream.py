"""HTTP towards model servers: connections kept alive, bounded, passed over while they fail.

It knows nothing of clients: a `Call` goes out, exactly one of its three outcomes comes back. A call
that `streams` may have its answer in pieces instead.
"""

import asyncio
import select
import socket
from collections.abc import Iterable
from time import monotonic
from typing import Protocol, cast

import httptools

from studio.serving import errors
from studio.serving.limits import Limits

_FOREVER = float("inf")
_FIRST_PENALTY = 0.25
_LONGEST_PENALTY = 8.0
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


class Server:
    """One model server: its idle connections, its load and how it has been doing."""

    def __init__(self, address: str, limits: Limits, busy: "set[Connection]") -> None:
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        self.limits = limits
        self.busy = busy
        self.in_flight = 0
        self.held = 0
        """Requests whose clients do not read: it is not this server that makes no progress."""
        self.retired = False
        self._host = address.encode()
        self._idle: list[Connection] = []
        self.trouble = ""
        """Why it is passed over."""
        self.silent_since = 0.0
        """When `/ping` first got no answer, by the monotonic clock; 0.0 while it does."""
        self._failures = 0
        self._errors = 0  # answers with 5xx in turn
        self._down_until = 0.0
        self._pings = True  # whether it has answered /ping since it failed
        self._ping: asyncio.Task[None] | None = None
        self._progress = 0.0  # when it last answered, or took its first request
        self._opening: set[asyncio.Task[None]] = set()

    def healthy(self, now: float) -> bool:
        """Worth a request: not failing, and not sitting on requests without answering any.

        After failures it has to answer `/ping`, and then gets one request at a time until one
        succeeds.
        """
        if self._failures:
            return self.in_flight == 0 and now >= self._down_until and self._pings
        return not self.stuck(now)

    @property
    def ejected(self) -> bool:
        """It failed, and no request has succeeded since."""
        return self._failures > 0

    def stuck(self, now: float) -> bool:
        """It holds requests and has answered none for long."""
        return self.in_flight > self.held and now - self._progress > self.limits.stuck_seconds

    def hung(self, now: float) -> bool:
        """It has not answered `/ping` for long."""
        return 0.0 < self.silent_since < now - self.limits.hung_seconds

    def send(self, call: Call) -> None:
        """Take `call`: on an idle connection when there is a live one, else on a new one."""
        if self.in_flight == 0:
            self._progress = monotonic()
        self.in_flight += 1
        while self._idle:
            connection = self._idle.pop()
            if connection.alive():
                connection.start(call, self._host)
                return
            connection.close()
        task = asyncio.get_running_loop().create_task(self._open(call))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def settle(self, trouble: str = "", status: int = 0) -> None:
        """A call is over: answered with `status`, or not at all for the reason `trouble`."""
        self.in_flight -= 1
        self._progress = monotonic()
        if trouble:
            self._eject(trouble)
        elif status >= 500:
            self._errors += 1
            if self._failures or self._errors >= self.limits.failing_answers:
                self._eject(f"It answers {status}.")
        elif status:
            self._failures = self._errors = 0
            self.trouble, self.silent_since = "", 0.0

    def progress(self) -> None:
        """A piece of an answer has come."""
        self._progress = monotonic()

    def _eject(self, trouble: str) -> None:
        self.trouble = trouble
        penalty = min(_FIRST_PENALTY * 2**self._failures, _LONGEST_PENALTY)
        self._down_until = monotonic() + penalty
        self._failures = min(self._failures + 1, 16)
        self._pings = False

    def keep(self, connection: "Connection") -> None:
        """Put a connection back for the next call."""
        if self.retired:
            connection.close()
        else:
            self._idle.append(connection)

    def forget(self, connection: "Connection") -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def tend(self, now: float) -> None:
        """Close connections that have been idle for long, and see whether it is well again."""
        if not self._pings and now >= self._down_until and self._ping is None:
            self._ping = asyncio.get_running_loop().create_task(self._look())
        oldest = now - self.limits.pool_seconds
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.pop(0).close()

    def retire(self) -> None:
        """No longer in the table: calls in flight end, then nothing is left."""
        self.retired = True
        while self._idle:
            self._idle.pop().close()

    async def _look(self) -> None:
        """A request of a client is not what to try a server with that may hang."""
        try:
            await asyncio.wait_for(ping(*self.address), self.limits.ping_seconds)
        except (OSError, TimeoutError) as error:
            self._eject(str(error) or "GET /ping got no answer.")
            self.silent_since = self.silent_since or monotonic()
        else:
            self._pings = True
            self.silent_since = 0.0
        finally:
            self._ping = None

    async def _open(self, call: Call) -> None:
        try:
            connection = await asyncio.wait_for(self._connect(), self.limits.connect_seconds)
        except (OSError, TimeoutError):
            self.settle("It accepts no connections.")
            call.unreachable(self)
            return
        if call.wanted:
            connection.start(call, self._host)
        else:
            self.settle()
            connection.release()

    async def _connect(self) -> "Connection":
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await loop.sock_connect(sock, self.address)
            _, connection = await loop.create_connection(lambda: Connection(self, sock), sock=sock)
        except BaseException:
            sock.close()
            raise
        return connection


async def ping(host: str, port: int) -> None:
    """Returns when a model server says that it is well; else raises OSError."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /ping HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host.encode())
        words = (await reader.readline()).split()
        if words[1:2] != [b"200"]:
            raise OSError("GET /ping did not answer 200.")
    finally:
        writer.close()


class Connection(asyncio.Protocol):
    """One connection to a model server; one call at a time."""

    __slots__ = (
        "_body", "_call", "_complete", "_framed", "_head", "_head_done", "_headers", "_held",
        "_keep", "_parser", "_poll", "_server", "_size", "_status", "_stream", "_transport",
        "_trouble", "deadline", "idle_since",
    )  # fmt: skip

    def __init__(self, server: Server, sock: socket.socket) -> None:
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
        self._fail(errors.TIMED_OUT)

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
