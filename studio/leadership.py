"""Who of the control planes of a home leads: whoever holds its lock. The others stand by.

The kernel frees the lock however its holder ends, and gives it to one of those who wait. `pid.json`
says who leads, `planes/` who stands by.
"""

import contextlib
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio import __version__, durable, processes

Doc = dict[str, Any]


class Lock:
    """The lock of a home, open and not held. It is freed by `close`, and by any end of the
    process."""

    def __init__(self, home: Path) -> None:
        self._fd = os.open(home / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def taken(self) -> bool:
        """Whether this process holds it now: at once, and by nobody's leave."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self) -> None:
        """Return once this process holds it."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def close(self) -> None:
        os.close(self._fd)


@contextmanager
def leading(home: Path, url: str, host: str, ports: Iterable[int]) -> Iterator[None]:
    """To be known as the one who leads, and answers at `url`, and on `ports` of `host` too. Call
    it with the lock."""
    file = home / "pid.json"
    durable.write_json(file, {**_about(), "url": url, "listens": host, "ports": list(ports)})
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def standing_by(home: Path, host: str, ports: Iterable[int]) -> Iterator[None]:
    """To be known as one who waits, and listens on `ports` of `host`."""
    folder = home / "planes"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{socket.gethostname()}-{os.getpid()}.json"
    durable.write_json(file, {**_about(), "listens": host, "ports": list(ports)})
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def leader(home: Path) -> Doc | None:
    """The identity and the address of the control plane of this machine that leads."""
    known: Doc | None = durable.read_json(home / "pid.json")
    return known if processes.alive(known) else None


def remote_leader(home: Path) -> Doc | None:
    """The same of one on another machine, which may be gone."""
    known: Doc | None = durable.read_json(home / "pid.json")
    return known if known and known["host"] != socket.gethostname() else None


def standbys(home: Path) -> list[Doc]:
    """Those who wait, on this machine or another."""
    found = []
    for file in sorted((home / "planes").glob("*.json")):
        known = durable.read_json(file)
        if known is None:
            continue
        if known["host"] != socket.gethostname() or processes.alive(known):
            found.append(known)
    return found


def hosts(home: Path) -> frozenset[str]:
    """The Host headers of requests that control planes of the home hand on: also the one that leads
    now may have taken some while it stood by."""
    first = leader(home)
    return frozenset(
        f"{name.lower()}:{port}"
        for known in (*standbys(home), *([first] if first else ()))
        for port in known["ports"]
        for name in ("127.0.0.1", "localhost", "[::1]", known["host"], known["listens"])
    )


def end(known: Doc, number: int = signal.SIGKILL) -> None:
    """Signal the process that `known` identifies, and no stranger that has its pid meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(known["pid"])
        try:
            if processes.alive(known):
                signal.pidfd_send_signal(fd, number)
        finally:
            os.close(fd)


def _about() -> Doc:
    return {
        **processes.identity(),
        "host": socket.gethostname(),
        "version": __version__,
        "prefix": sys.prefix,
    }
