"""Model servers: their connections kept alive, bounded, passed over while they fail."""

import asyncio
import socket
from time import monotonic

from studio.serving.connection import Call, Connection
from studio.serving.limits import Limits

_FIRST_PENALTY = 0.25
_LONGEST_PENALTY = 8.0


class Server:
    """One model server: its idle connections, its load and how it has been doing."""

    def __init__(self, address: str, limits: Limits, busy: set[Connection]) -> None:
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

    def keep(self, connection: Connection) -> None:
        """Put a connection back for the next call."""
        if self.retired:
            connection.close()
        else:
            self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
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

    async def _connect(self) -> Connection:
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
