"""A load test: sends one request to the router again and again, and measures. A process of its own.

It reads what to do from one line of JSON on its standard input, and tells what it has measured so
far in a line on its standard output, each second. It ends at its time, and when its input is
closed: with whoever has started it. Of a rate, latency counts from when a request was due, so that
an endpoint that holds up the requests is charged for those it kept from being sent.
"""

import asyncio
import base64
import gc
import json
import selectors
import signal
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, cast

import httptools

from studio.serving.latencies import Latencies

MOST_RATE = 2_000
"""Requests a second."""
_GRACE_SECONDS = 5.0
"""After its time, for the answers to what was sent."""
_BACKSTOP_SECONDS = 15
_RETRY_SECONDS = 0.05
_NOT_SENT, _UNANSWERED, _CLOSED = "NotSent", "Unanswered", "ConnectionClosed"


def main() -> None:
    plan = Plan.read(json.loads(sys.stdin.buffer.readline()))
    signal.alarm(plan.seconds + _BACKSTOP_SECONDS)  # the kernel ends what hangs
    gc.disable()
    with asyncio.Runner(loop_factory=_precise) as runner:
        runner.run(_run(plan))


def _precise() -> asyncio.AbstractEventLoop:
    """Others wait in whole milliseconds, which is longer than many an answer takes."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


@dataclass(frozen=True)
class Plan:
    """What to send, and how often."""

    address: tuple[str, int]
    message: bytes = field(repr=False)
    """The request, signed."""
    seconds: int
    connections: int
    rate: float
    """Requests a second; 0: each connection sends when it has its answer."""

    @classmethod
    def read(cls, given: dict[str, Any]) -> "Plan":
        """From the line that `line` has made."""
        address, message = tuple(given.pop("address")), base64.b64decode(given.pop("message"))
        return cls(address, message, **given)

    def line(self) -> bytes:
        """As the process reads it."""
        message = base64.b64encode(self.message).decode()
        return json.dumps({**vars(self), "message": message}).encode() + b"\n"


async def _run(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    load, ended = Load(plan), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    load.begin()
    finished = asyncio.ensure_future(load.finish())
    stopped = asyncio.ensure_future(ended.wait())
    second = 0
    while not finished.done() and not stopped.done():
        second += 1
        # The last one takes in what comes after the time.
        pause = load.begun + second - loop.time() if second < plan.seconds else None
        await asyncio.wait((finished, stopped), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        load.turn(second)
        _tell(load.told(over=finished.done()))


def _tell(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


class Load:
    """`begin` it, `finish` it; `turn` at the end of each second, and ask what is `told`."""

    def __init__(self, plan: Plan) -> None:
        self.begun = 0.0
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._due: deque[float] = deque()
        """Of requests that wait for a connection: when each was due."""
        self._idle: list[_Connection] = []
        self._open = 0
        self._busy: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._asked = self._sent = 0
        self._slot = 0.0
        self._lag = 0.0
        self._over = False
        self._errors: Counter[str] = Counter()
        self._all, self._now = Latencies(), Latencies()
        self._asked_before = self._failed_before = 0
        self._seconds: list[dict[str, float]] = []
        self._quiet = asyncio.Event()

    def begin(self) -> None:
        self.begun = self._slot = self._loop.time()
        if self._plan.rate:
            self._tick()
        else:
            for _ in range(self._plan.connections):
                self._next()

    async def finish(self) -> None:
        """Returns when the time is over, and what was sent is answered or given up."""
        await asyncio.sleep(self.begun + self._plan.seconds - self._loop.time())
        self._over = True
        now = self._loop.time()
        for due in self._due:
            self._fail(_NOT_SENT)
            self._count(now - due)
        self._due.clear()
        if self._busy:
            try:
                await asyncio.wait_for(self._quiet.wait(), _GRACE_SECONDS)
            except TimeoutError:
                for connection in self._busy:
                    self._fail(_UNANSWERED)
                    self._count(self._loop.time() - connection.due)

    def turn(self, second: int) -> None:
        """A second, the first is 1, is over."""
        failed = self._errors.total()
        self._seconds.append(
            {
                "Second": second,
                "Requested": self._asked - self._asked_before,
                "Answered": self._now.count,
                "Failed": failed - self._failed_before,
                **self._now.summary(),
            }
        )
        self._now = Latencies()
        self._asked_before, self._failed_before = self._asked, failed

    def told(self, over: bool) -> dict[str, Any]:
        """All that was measured so far."""
        return {
            "Over": over,
            "Requested": self._asked,
            "Sent": self._sent,
            "Errors": dict(self._errors),
            "Latency": self._all.summary(),
            "Histogram": [[round(upper, 4), count] for upper, count in self._all.buckets()],
            "Seconds": self._seconds,
            "Lag": self._lag * 1e3,
        }

    # connections call these

    def answered(self, connection: "_Connection", kind: str) -> None:
        """Its request is over; `kind` of error, "" for none."""
        self._busy.discard(connection)
        if kind:
            self._fail(kind)
        else:
            latency = self._loop.time() - connection.due
            self._now.add(latency)
            self._all.add(latency)
        if self._over:
            self._hush()
        elif not self._plan.rate:
            self._next()

    def free(self, connection: "_Connection") -> None:
        self._idle.append(connection)
        self._pump()

    def lost(self, connection: "_Connection") -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        self._open -= 1
        if connection in self._busy:
            self.answered(connection, _CLOSED)
        self._pump()

    def _tick(self) -> None:
        """Of a rate: what is due is due, whether or not there is a connection for it."""
        now, plan = self._loop.time(), self._plan
        while not self._over and self._asked < plan.rate * plan.seconds:
            at = self.begun + self._asked / plan.rate
            if at > now:
                self._loop.call_at(at, self._tick)
                break
            self._lag = max(self._lag, now - at)
            self._asked += 1
            self._due.append(at)
        self._pump()

    def _next(self) -> None:
        """Of connections: one may send, but all together not too often."""
        self._slot = max(self._slot + 1 / MOST_RATE, self._loop.time())
        self._loop.call_at(self._slot, self._want, self._slot)

    def _want(self, at: float) -> None:
        if not self._over:
            self._asked += 1
            self._due.append(at)
            self._pump()

    def _pump(self) -> None:
        while self._due and self._idle:
            connection = self._idle.pop()
            self._busy.add(connection)
            self._sent += 1
            connection.send(self._due.popleft(), self._plan.message)
        wanted = min(len(self._due) - len(self._opening), self._plan.connections - self._open)
        for _ in range(wanted):
            self._open += 1
            task = self._loop.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        while not self._over:
            try:
                await self._loop.create_connection(lambda: _Connection(self), *self._plan.address)
            except OSError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _count(self, latency: float) -> None:
        """What had no answer yet has waited that long at the least."""
        self._all.add(latency)

    def _fail(self, kind: str) -> None:
        self._errors[kind] += 1

    def _hush(self) -> None:
        if not self._busy:
            self._quiet.set()


class _Connection(asyncio.Protocol):
    """One connection to the router; one request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._error = b""
        self._whole = self._keep = False
        self.due = 0.0

    def send(self, due: float, message: bytes) -> None:
        self.due = due
        self._error, self._whole, self._keep = b"", False, False
        self._transport.write(message)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._load.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()
            return
        if self._whole:
            self._whole = False
            status = self._parser.get_status_code()
            kind = "" if 200 <= status < 300 else f"{status} {self._error.decode('latin-1')}"
            self._load.answered(self, kind.strip())
            if self._keep:
                self._load.free(self)
            else:
                self._transport.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-amzn-errortype":
            self._error = value

    def on_message_complete(self) -> None:
        self._whole = True
        self._keep = self._parser.should_keep_alive()


if __name__ == "__main__":
    main()
