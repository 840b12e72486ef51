"""Starts, finds, stops and watches the router process of a home. It knows nothing of routing."""

import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from studio import durable, processes
from studio.errors import StudioError
from studio.serving.listener import fetch

_START_SECONDS = 10.0
_STOP_SECONDS = 15.0
_RESTART_SECONDS = 0.5


def find(home: Path) -> dict[str, Any] | None:
    """The identity of the router that runs for `home`, or None."""
    known: dict[str, Any] | None = durable.read_json(home / "router" / "pid.json")
    return known if processes.alive(known) else None


def url(home: Path) -> str:
    """Where the router listens; empty before its first start."""
    port = durable.read_json(home / "router" / "port")
    return f"http://127.0.0.1:{port}" if port else ""


def reserve(home: Path) -> None:
    """Pick the port of a router that has never run, for it to keep."""
    path = home / "router" / "port"
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        durable.write_json(path, probe.getsockname()[1])


def start(home: Path, listener: socket.socket | None = None) -> dict[str, Any]:
    """The identity of the router of `home`, started if none runs: on `listener`, where clients may
    be waiting, or on one of its own. Raises StudioError."""
    if known := find(home):
        return known
    logs = home / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", "studio.serving.router", "--home", str(home)]
    held = (listener.fileno(),) if listener else ()
    with (logs / "router.err").open("ab") as errors:
        process = subprocess.Popen(
            [*command, *(f"--listener={fd}" for fd in held)],
            pass_fds=held,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            cwd="/",
        )
    # Our child, but not our concern: somebody must read its exit status.
    threading.Thread(target=process.wait, name="router-exit", daemon=True).start()
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        known = find(home)
        if known and known["pid"] == process.pid and table_version(home) is not None:
            return known
        time.sleep(0.02)
    raise StudioError(f"The router did not start; see {logs / 'router.err'}.")


def stop(home: Path) -> bool:
    """Stop the router of `home`, letting requests in flight end. False when none ran."""
    known = find(home)
    if known is None:
        return False
    os.kill(known["pid"], signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while processes.alive(known):
        if time.monotonic() > deadline:
            os.kill(known["pid"], signal.SIGKILL)
        time.sleep(0.02)
    return True


def nudge(home: Path) -> None:
    """Make the router read its table now rather than in a moment."""
    if known := find(home):
        with contextlib.suppress(ProcessLookupError):
            os.kill(known["pid"], signal.SIGHUP)


def table_version(home: Path) -> int | None:
    """The version of the table that the router goes by; None when it does not answer."""
    port = durable.read_json(home / "router" / "port")
    if port is None:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/_studio/health")
        return int(connection.getresponse().headers["X-Studio-Table-Version"])
    except (OSError, http.client.HTTPException, TypeError):
        return None
    finally:
        connection.close()


class Watch:
    """Starts the router again whenever it dies, until `close`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stop, self._stopper = os.pipe()
        self._known = start(home)
        self._listener = fetch(home / "router")
        self._thread = threading.Thread(target=self._run, name="router-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching; the router goes on."""
        os.close(self._stopper)
        self._thread.join()
        os.close(self._stop)
        self._let_go()

    def _run(self) -> None:
        failures = 0
        while not self._ended():
            try:
                self._known = start(self._home, self._listener)
            except StudioError:
                failures += 1
                if failures > 1:  # nobody waits in a queue that nobody looks at
                    self._let_go()
                if self._wait(None, _RESTART_SECONDS):
                    return
            else:
                failures = 0
                self._listener = self._listener or fetch(self._home / "router")

    def _let_go(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _ended(self) -> bool:
        """Waits for the router's end; True when it is the watch that ends."""
        try:
            fd = os.pidfd_open(self._known["pid"])
        except ProcessLookupError:
            return False
        try:
            return processes.alive(self._known) and self._wait(fd, None)
        finally:
            os.close(fd)

    def _wait(self, fd: int | None, seconds: float | None) -> bool:
        readable, _, _ = select.select([self._stop, *([fd] if fd else [])], [], [], seconds)
        return self._stop in readable
