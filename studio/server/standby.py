"""A control plane that stands by: it hands requests on, watches the one who leads, and waits.

A request is handed on byte for byte over a connection of its own, so that whatever may be asked of
the leader may be asked here: AWS's protocols, S3, streams of events. A connection that comes while
nobody leads waits a moment for the next one, which may be this process. An invocation is handed to
the router, which does not notice who leads: none is lost with a leader.

Who leads is ended here when its lease (studio.db.lease) is not renewed: a process that is paused
must not go on where it was, and the kernel alone can promise that.
"""

import asyncio
import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from socket import socket
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError
from tornado.httputil import HTTPHeaders, HTTPInputError, parse_request_start_line
from tornado.netutil import bind_sockets

from studio import durable, leadership, processes
from studio.db import engines, lease
from studio.db.failures import StorageError
from studio.db.lease import Lease
from studio.errors import StudioError
from studio.leadership import Lock
from studio.server import forward
from studio.server.routing import HEALTH_PATH, part_for
from studio.serving import control
from studio.settings import Settings

log = structlog.get_logger()

LOOKS = 5
"""In the time of a lease; it is also renewed so often."""

_PATIENCE_SECONDS = 15.0
_RETRY_SECONDS = 0.05
_AGAIN_SECONDS = 0.5
_FREE_SECONDS = 2.0
_HEAD_SECONDS = 25.0
_CHUNK = 64 * 1024
_HEALTH = tuple(f"{method} {HEALTH_PATH} ".encode() for method in ("GET", "HEAD"))
_INVOCATION = b"POST /endpoints/"
_ONCE = b"\r\nConnection: close\r\n"

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def wait(settings: Settings, lock: Lock) -> tuple[int, list[socket]]:
    """Stand by until this process has the lock of the home and the database answers; the port of
    the home, and sockets that listen there and on the port that the settings ask for.

    SystemExit when a signal says stop; StudioError when the port cannot be had.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    own = _own_sockets(settings)
    ports = sorted({port_of(each) for each in own})
    with leadership.standing_by(settings.home, settings.host, ports):
        standby = Standby(settings, own)
        log.info("stands by", ports=ports, home=str(settings.home))
        lock.wait()
        log.info("has the lock of the home")
        port, sockets = _home_sockets(settings, own)
        _end_sessions(settings.database)
        standby.retire()
    return port, sockets


def port_of(bound: socket) -> int:
    return int(bound.getsockname()[1])


class Standby:
    """Stands by from construction until `retire`, in a thread of its own; `sockets` are bound,
    and stay open for whoever leads then."""

    def __init__(self, settings: Settings, sockets: Sequence[socket]) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._retired = asyncio.Event()
        self._copies = [each.dup() for each in sockets]
        self._thread = threading.Thread(target=self._run, name="standby", daemon=True)
        self._thread.start()

    def retire(self) -> None:
        """Take no further connection; those that are there are served to their end."""
        self._loop.call_soon_threadsafe(self._retired.set)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        watch = asyncio.ensure_future(self._watch())
        async with contextlib.AsyncExitStack() as listening:
            for each in self._copies:
                server = await asyncio.start_server(self._connected, sock=each, limit=_CHUNK)
                listening.callback(server.close)
            await self._retired.wait()
            for each in self._copies:
                self._loop.remove_reader(each)
            # What was taken just now becomes a connection of a server, in one round of the loop:
            # one that is closed by then drops it.
            await asyncio.sleep(0)
        watch.cancel()
        # Of a connection that was taken just now the task may be yet to come.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)

    async def _watch(self) -> None:
        """The time of a lease is counted in looks of our own: of what passed while this process
        did not run, nothing is held against another."""
        engine = engines.reader(self._settings.database)
        known, unchanged = None, 0
        while True:
            await asyncio.sleep(self._settings.lease_seconds / LOOKS)
            try:
                found = await asyncio.to_thread(lease.read, engine)
            except (StorageError, SQLAlchemyError):
                found = None
            unchanged = unchanged + 1 if found == known else 0
            known = found
            if found is not None and unchanged > LOOKS:
                self._depose(found)

    def _depose(self, found: Lease) -> None:
        """End the holder of a lease that has run out, if it is the one who has the lock: another
        may have begun to lead, and has not said so yet."""
        known = leadership.leader(self._settings.home)
        if known is not None and processes.same(known, found.holder):
            log.warning("the leader does not renew its lease, and is ended", pid=known["pid"])
            leadership.end(known)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError), contextlib.closing(writer):
            head = await asyncio.wait_for(reader.read(_CHUNK), _HEAD_SECONDS)
            if head.startswith(_HEALTH):
                writer.write(self._health(head))
            elif head:
                await self._hand_on(head, reader, writer)
            writer.close()
            # The loop of who leads now ends with its last task, and says no more.
            await writer.wait_closed()

    async def _hand_on(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        router = await self._router(head)
        leader = router or await self._leader()
        if leader is None:
            writer.write(_answer("503 Service Unavailable", {"message": "Nobody leads now."}))
            return
        theirs, ours = leader
        # What comes behind an invocation need not be one.
        ours.write(head.replace(b"\r\n", _ONCE, 1) if router else head)
        with contextlib.closing(ours):
            asked = asyncio.ensure_future(_copy(reader, ours))
            # Who has heard the whole answer may leave; who has said all still listens.
            await _copy(theirs, writer)
            asked.cancel()

    async def _router(self, head: bytes) -> Line | None:
        """A connection to the router of this machine, for an invocation whose head is whole."""
        if _is_invocation(head) and control.find(self._settings.home):
            parts = urlsplit(control.url(self._settings.home))
            with contextlib.suppress(OSError, TimeoutError):
                return await forward.connect((parts.hostname or "", parts.port or 0))
        return None

    async def _leader(self) -> Line | None:
        """A connection to whoever leads, once there is one; None when there is none for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    with contextlib.suppress(OSError, TimeoutError):
                        if (address := self._address()) is not None:
                            return await forward.connect(address)
                    await asyncio.sleep(_RETRY_SECONDS)
        return None

    def _address(self) -> tuple[str, int] | None:
        home = self._settings.home
        known = leadership.leader(home)
        if known is not None:
            parts = urlsplit(known["url"])
            return (parts.hostname or "", parts.port or 0)
        if (known := leadership.remote_leader(home)) is not None:
            return (known["host"], urlsplit(known["url"]).port or 0)
        return None

    def _health(self, head: bytes) -> bytes:
        known = leadership.leader(self._settings.home) or leadership.remote_leader(
            self._settings.home
        )
        told = {"status": "ready", "standby_of": known["url"] if known else ""}
        answer = _answer("200 OK", told)
        return answer if head.startswith(b"GET") else answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _is_invocation(head: bytes) -> bool:
    """A bucket may be called `endpoints`: what the client signed for decides."""
    text, whole, _ = head.partition(b"\r\n\r\n")
    if not (whole and head.startswith(_INVOCATION)):
        return False
    first, _, lines = text.decode("latin-1").partition("\r\n")
    try:
        path, _, query = parse_request_start_line(first).path.partition("?")
        headers = HTTPHeaders.parse(lines + "\r\n")
    except HTTPInputError:  # the leader says what is wrong
        return False
    return part_for(path, query, {name.lower(): it for name, it in headers.items()}) == "router"


def _own_sockets(settings: Settings) -> list[socket]:
    """None where no port of its own is asked for, or where whoever leads listens meanwhile."""
    if not settings.port:
        return []
    try:
        return bind_sockets(settings.port, settings.host)
    except OSError as error:
        known = leadership.leader(settings.home)
        if known is not None and urlsplit(known["url"]).port == settings.port:
            return []
        raise StudioError(
            f"{settings.host} port {settings.port}: {error.strerror}. Choose another with --port."
        ) from error


def _home_sockets(settings: Settings, own: list[socket]) -> tuple[int, list[socket]]:
    """Those of `own`, and of the home's port, at which clients expect whoever leads; without, if
    another program took it."""
    port = int(durable.read_json(settings.home / "port") or 0)
    known = [port_of(each) for each in own]
    deadline = time.monotonic() + _FREE_SECONDS
    while port not in known:
        try:
            return port, own + bind_sockets(port, settings.host)
        except OSError as error:
            # The kernel closes the files of a process that it ends one after the other.
            if time.monotonic() > deadline:
                if not own:
                    raise
                log.warning("the port of the home is taken", port=port, reason=error.strerror)
                return known[0], own
            time.sleep(0.01)
    return port, own


def _end_sessions(url: str) -> None:
    while True:
        try:
            return lease.end_sessions(url)
        except StorageError as error:
            log.warning("waits for the database", reason=error.message)
            time.sleep(_AGAIN_SECONDS)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _answer(status: str, told: dict[str, str]) -> bytes:
    body = json.dumps(told).encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
