"""The container of a run, as the shim sees it: by way of the client that stands for it."""

import json
import os
import signal
import socket
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from studio import durable
from studio.runners.shim import helpers, tree

Doc = dict[str, Any]

_PATIENCE_SECONDS = 20.0
_SAYS = "container.json"
SERVER_PORT = 8080
"""Inside the container, as on AWS."""


def client() -> Any:
    """The program of clients, which shims of processes do without."""
    return import_module("studio.runners.docker.client")


class Held:
    """The client of a container that waits for a run; see studio/runners/docker/held.py."""

    def __init__(self, folder: Path) -> None:
        self.gate, inner = socket.socketpair()
        self.pid = helpers.begin(lambda: client().hold(folder), folder, gate=inner.fileno())
        inner.close()

    def alive(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def release(self, log: int, read_only: list[str]) -> bool:
        """Let it go on with its run; False when it is not there any more."""
        message = json.dumps({"read_only": read_only}).encode()
        try:
            socket.send_fds(self.gate, [message], [log])
        except OSError:
            return False
        finally:
            self.gate.close()
        return self.alive()

    def end(self) -> None:
        """Until its container is removed."""
        self.gate.close()
        os.waitpid(self.pid, 0)


class Contained:
    """A client that is killed is begun again, and goes on with the same container."""

    def __init__(
        self, folder: Path, log: int, read_only: list[str], held: Held | None = None
    ) -> None:
        """`log` is the pipe to the run's log; it stays open for the next client."""
        self._folder, self._log, self._read_only = folder, log, read_only
        self._asked_to_end, self._killed_at = False, 0.0
        self._says: Doc = {}
        if held and held.release(log, read_only):
            self.pid = held.pid
        else:
            self._begin()

    def look(self) -> bool:
        """Whether there is news."""
        before = self._says
        try:
            self._says = durable.read_json(self._folder / _SAYS) or {}
        except ValueError:
            return False  # it is being written, on a full disk
        return self._says != before

    @property
    def detail(self) -> str:
        """What is waited for, for people."""
        return str(self._says.get("detail", ""))

    @property
    def started_at(self) -> int | None:
        """When the container began, UTC milliseconds."""
        return self._says.get("started_at")

    @property
    def address(self) -> str:
        """host:port of a server; "" for one without a network."""
        return str(self._says.get("address", ""))

    @property
    def image(self) -> str:
        """Digest of the image."""
        return str(self._says.get("image", ""))

    @property
    def written(self) -> int:
        """Bytes in the container's own root, where it may write there."""
        return int(self._says.get("written", 0))

    @property
    def root(self) -> int:
        """The container's first process, as this machine sees it; 0 when it is not seen."""
        return int(self._says.get("pid", 0))

    def pids(self) -> list[int]:
        """The container's processes."""
        return [self.root, *tree.below(self.root)] if self.root else []

    def signal(self, number: signal.Signals) -> int:
        """SIGTERM or SIGKILL, to the container; to the client itself when it cannot hand it on.
        How many processes were told."""
        self._asked_to_end = True
        if number == signal.SIGKILL:
            self._killed_at = self._killed_at or time.monotonic()
            late = time.monotonic() - self._killed_at > _PATIENCE_SECONDS
            number = signal.SIGKILL if late else signal.SIGQUIT
        tree.send(number, [self.pid])
        return 1

    def ended(self, status: int) -> tuple[int | None, str, str] | None:
        """(exit code, reason, message) of the container, given the wait status of the client;
        None when the client was killed, and another has taken its place."""
        given_up = self._killed_at and time.monotonic() - self._killed_at > _PATIENCE_SECONDS
        if os.WIFSIGNALED(status) and not given_up:
            self._begin()
            return None
        end = self._says.get("end")
        if end:
            return end["code"], end["reason"], end["message"]
        if given_up:
            return 137, "", ""
        return None, "StartFailed", "The process that stands for the container has failed."

    def _begin(self) -> None:
        """`pid` is a new client's."""
        self.pid = helpers.begin(
            lambda: client().main(self._folder, self._read_only), self._folder, self._log
        )
        if self._asked_to_end:
            tree.send(signal.SIGTERM, [self.pid])  # the one before may not have handed it on
