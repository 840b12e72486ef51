"""`/_studio/events`: server-sent events on the event loop, one coroutine a listener.

A listener that does nothing costs nothing but a comment now and then, by which proxies and clients
know that it lives. One that does not read what it is sent is cut off; when it comes back with the
id of its last event it gets what it missed, or the event `reset`.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Collection, Mapping
from concurrent.futures import Executor
from functools import partial
from http.client import responses

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, ResponseStartLine
from tornado.iostream import StreamClosedError

from studio.api.registry import Caller, Context
from studio.feed.hub import UNNUMBERED, Hub, Watched
from studio.identity.principals import Principal

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back
    "X-Content-Type-Options": "nosniff",
}
_MOST_BYTES = 2**20
_RETURN_SECONDS = 60.0

Frame = tuple[int, bytes]


class Listener:
    """One connection. Only for the thread of the event loop."""

    def __init__(self, connection: HTTP1Connection, caller: Caller) -> None:
        self.caller = caller
        self.silent = True
        """Nothing was sent since the last beat."""
        self._connection = connection
        self._frames: deque[Frame] = deque()
        self._size = 0
        self._awake = asyncio.Event()
        self.closed = False

    def push(self, frame: Frame) -> None:
        """Send it when those before it are sent; too many, and the connection is cut."""
        self._frames.append(frame)
        self._size += len(frame[1])
        self._awake.set()
        if self._size > _MOST_BYTES:
            self.cut()

    def cut(self) -> None:
        self._connection.stream.close()

    def close(self) -> None:
        """The connection is closed."""
        self.closed = True
        self._awake.set()

    async def say(self, data: bytes) -> None:
        self.silent = False
        await self._connection.write(data)

    async def run(self, last: int) -> None:
        """Send what comes, until the connection is closed; events up to `last` are known."""
        while not self.closed:
            await self._awake.wait()
            self._awake.clear()
            data = b"".join(data for number, data in self._frames if number > last)
            self._frames.clear()
            self._size = 0
            if data:
                await self.say(data)


class Streams:
    """Everybody who listens to what is changed in `stores`, from `start` to `close`."""

    def __init__(
        self, ctx: Context, stores: Collection[Watched], beat_seconds: float = 10.0
    ) -> None:
        self._ctx = ctx
        self._hub = Hub(ctx, stores, self)
        self._beat_seconds = beat_seconds
        self._listeners: set[Listener] = set()
        self._counts: Counter[Principal] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._left = -_RETURN_SECONDS

    def start(self) -> None:
        self._hub.start()

    def close(self) -> None:
        self._hub.close()

    @property
    def attends(self) -> bool:
        return bool(self._counts) or time.monotonic() < self._left + _RETURN_SECONDS

    @property
    def principals(self) -> Collection[Principal]:
        return list(self._counts)

    def send(self, frames: Mapping[Principal, list[Frame]]) -> None:
        """From any thread."""
        if frames and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._push, frames)

    async def serve(
        self, connection: HTTP1Connection, caller: Caller, last_id: str, workers: Executor
    ) -> None:
        """Answer with events until the client leaves."""
        listener = Listener(connection, caller)
        connection.set_close_callback(listener.close)
        self._enter(listener)
        try:
            loop = asyncio.get_running_loop()
            join = partial(self._hub.joined, caller.principal, last_id)
            last, first = await loop.run_in_executor(workers, join)
            line = ResponseStartLine("HTTP/1.1", 200, responses[200])
            connection.write_headers(line, HTTPHeaders(_HEADERS))
            await listener.say(first)
            await listener.run(last)
        except StreamClosedError:
            pass
        finally:
            self._leave(listener)

    def _push(self, frames: Mapping[Principal, list[Frame]]) -> None:
        for listener in self._listeners:
            for frame in frames.get(listener.caller.principal, ()):
                listener.push(frame)

    def _enter(self, listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners.add(listener)
        self._counts[listener.caller.principal] += 1
        if self._beat is None:
            self._beat = self._loop.call_later(self._beat_seconds, self._beats)

    def _leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        self._left = time.monotonic()
        principal = listener.caller.principal
        self._counts[principal] -= 1
        if not self._counts[principal]:
            del self._counts[principal]

    def _beats(self) -> None:
        assert self._loop is not None
        self._beat = None
        for listener in list(self._listeners):
            if not self._may_stay(listener.caller):
                listener.cut()
            elif listener.silent:
                listener.push((UNNUMBERED, b":\n\n"))
            listener.silent = True
        if self._listeners:
            self._beat = self._loop.call_later(self._beat_seconds, self._beats)

    def _may_stay(self, caller: Caller) -> bool:
        """Whether the key that opened the connection is still good."""
        key = self._ctx.identity.keys.find(caller.access_key_id)
        return key is not None and key.usable and not key.expired(self._ctx.now())
