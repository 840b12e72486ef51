"""The router process: one a home, its own port, its table, its signals. `python -m` starts it.

It never talks to the control plane: the table in its home is all it goes by.
"""

import argparse
import asyncio
import fcntl
import os
import resource
import signal
import sys
import traceback
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import uvloop

from studio import durable, processes
from studio.errors import StudioError
from studio.http.protocol import Client
from studio.serving import errors
from studio.serving.dispatch import Dispatcher
from studio.serving.health import Health
from studio.serving.limits import Limits
from studio.serving.listener import BACKLOG, listen, offer
from studio.serving.log import Log
from studio.serving.recording import Recording
from studio.serving.table import load_table, table_path

_TICK_SECONDS = 0.2
# A laptop sleeps better: without clients nothing has to be timed, and new tables are announced.
_IDLE_TICK_SECONDS = 1.0
_MOST_FILES = 65_536


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    limits = Limits(**{field.name: getattr(options, field.name) for field in fields(Limits)})
    try:
        uvloop.run(serve(options.home.absolute(), options.host, limits, options.listener))
    except StudioError as error:
        print(error, file=sys.stderr)  # noqa: T201  the caller reads why it did not start
        return 1
    return 0


async def serve(home: Path, host: str, limits: Limits, held: int | None = None) -> None:
    """Run the router of `home` until SIGTERM, on the socket with the descriptor `held` if given;
    StudioError when it can't start."""
    folder = home / "router"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _lock(folder / "lock")
    log = Log(home / "logs" / "router.log")
    limits = _affordable(limits)
    recording = Recording(home, limits, log)
    dispatcher = Dispatcher(home, limits, log, recording)
    health = Health(home, dispatcher.routes)
    watch = TableWatch(table_path(home), dispatcher, health)
    watch.look()
    listener = listen(folder, host, held)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: _log_bug(log, context))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, watch.read)
    server = await loop.create_server(lambda: Client(dispatcher), sock=listener, backlog=BACKLOG)
    withdraw = offer(folder, listener)
    durable.write_json(folder / "pid.json", processes.identity())
    log("router started", port=listener.getsockname()[1], pid=os.getpid())
    while not stop.is_set():
        dispatcher.tick()
        watch.look()
        recording.tick()
        health.tick()
        try:
            pause = _TICK_SECONDS if dispatcher.clients else _IDLE_TICK_SECONDS
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            pass
    withdraw()
    server.close()
    dispatcher.counters.usage.close()
    os.close(lock)  # a successor may start while the last requests end
    await _drain(dispatcher)
    dispatcher.close()
    await recording.close()
    log("router stopped", pid=os.getpid())


def _affordable(limits: Limits) -> Limits:
    """With no more connections than there may be files: each may need one to a model server too."""
    most = max(_raise_file_limit() // 2 - 64, 1)
    return replace(limits, connections=min(limits.connections, most))


class TableWatch:
    """Reads the table when its file changes. A broken or missing one leaves the last in force."""

    def __init__(self, path: Path, dispatcher: Dispatcher, health: Health) -> None:
        self._path = path
        self._dispatcher = dispatcher
        self._health = health
        self._seen: tuple[int, int, int] | None = None

    def look(self) -> None:
        """Read the table if its file is not the one last seen."""
        mark = self._mark()
        if mark is not None and mark != self._seen:
            self.read()

    def read(self) -> None:
        """Read the table now."""
        log = self._dispatcher.log
        self._seen = self._mark()  # first: a table that is written meanwhile is seen next time
        try:
            table = load_table(self._path)
        except (OSError, ValueError) as error:
            log("table refused", error=type(error).__name__)
            return
        self._dispatcher.take(table)
        if self._dispatcher.routes.recorded:
            self._dispatcher.recording.want()
        self._dispatcher.waking.look()
        self._health.tick()  # who knows of the new table has to know who is still busy
        log("table loaded", version=table.version, endpoints=len(table.endpoints))

    def _mark(self) -> tuple[int, int, int] | None:
        """What tells one table from the next; None when there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size


async def _drain(dispatcher: Dispatcher) -> None:
    """Let requests in flight end. Clients in full swing part by their next answer, not by force."""
    dispatcher.draining = True
    dispatcher.waking.close()
    deadline = asyncio.get_running_loop().time() + dispatcher.limits.drain_seconds
    await asyncio.sleep(_TICK_SECONDS)
    while dispatcher.clients and asyncio.get_running_loop().time() < deadline:
        dispatcher.tick()
        for client in list(dispatcher.clients):
            client.drain()
        await asyncio.sleep(0.02)
    for connection in list(dispatcher.busy):
        connection.cut(errors.STOPPING)
    await asyncio.sleep(0.02)  # what was said last leaves


def _lock(path: Path) -> int:
    """Hold the home's lock; StudioError when another router does."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise StudioError(f"A router already runs on {path.parent.parent}.") from error
    return fd


def _log_bug(log: Log, context: dict[str, Any]) -> None:
    """What nobody caught: the connection it happened on is closed, the others go on."""
    error = context.get("exception")
    trace = "".join(traceback.format_exception(error)) if error else ""
    log("unexpected error", message=context.get("message", ""), traceback=trace)


def _raise_file_limit() -> int:
    """Take as many open files as the system lets us; the number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studio.serving.router", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--listener", type=int, help="the descriptor of a socket that listens")
    for field in fields(Limits):
        kind = float if field.name.endswith("_seconds") else int
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(option, type=kind, default=field.default)
    return parser


if __name__ == "__main__":
    sys.exit(main())
