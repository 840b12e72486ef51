"""The networks of runs. That of a job with several hosts is made by the first of them and removed
by the last. All other runs of a home share one, on which no container reaches another: it is made
by the first run and removed when the control plane ends. A network costs a tenth of a second to
make, and an engine has addresses for some thirty.

A lock file a network says who is on it, and the kernel lets go of the locks of the dead. Whoever
makes or removes one holds the gate, so that no network is removed while somebody comes.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.runners.docker import document
from studio.runners.docker.engine import Engine, EngineError, EngineGone

Doc = dict[str, Any]

_GATE = "gate"


class Network:
    """That of one run."""

    def __init__(self, engine: Engine, spec: Doc) -> None:
        self._engine, self._spec = engine, spec
        self._name = document.network(spec)
        self._locks = Path(spec["engine"]["locks"])
        self._mine = -1

    def join(self) -> None:
        """There is such a network, until `leave`. Raises EngineError, EngineGone."""
        if not self._name or self._mine >= 0:
            return
        with _gate(self._locks):
            self._mine = _opened(self._locks / self._name)
            fcntl.flock(self._mine, fcntl.LOCK_SH)
            if not _there(self._engine, self._name):
                self._engine.call("POST", "/networks/create", body=self._body())

    def leave(self) -> None:
        """Remove it if it was of one job, and nobody else is on it."""
        if not self._name:
            return
        if self._mine >= 0:
            os.close(self._mine)
            self._mine = -1
        if self._apart:
            return
        try:
            remove_unused(self._engine, self._name, self._locks)
        except (EngineError, EngineGone) as error:
            print(f"{self._name} not removed: {error}", file=sys.stderr)  # noqa: T201

    @property
    def _apart(self) -> bool:
        return self._name == document.apart(self._spec["home"])

    def _body(self) -> Doc:
        made = {"Name": self._name, "CheckDuplicate": True, "Driver": "bridge"}
        if self._apart:
            options = {"com.docker.network.bridge.enable_icc": "false"}
            return {**made, "Labels": {"studio.home": self._spec["home"]}, "Options": options}
        return {**made, "Labels": document.labels(self._spec)}


def remove_unused(engine: Engine, name: str, locks: Path) -> None:
    """Remove a network of ours that nobody is on. Raises EngineError, EngineGone."""
    with _gate(locks):
        mine = _opened(locks / name)
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _there(engine, name):
                engine.call("DELETE", f"/networks/{name}")
            (locks / name).unlink(missing_ok=True)
        except BlockingIOError:
            pass  # somebody is on it
        finally:
            os.close(mine)


def _there(engine: Engine, name: str) -> bool:
    try:
        engine.call("GET", f"/networks/{name}")
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    return True


@contextmanager
def _gate(locks: Path) -> Iterator[None]:
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = _opened(locks / _GATE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
