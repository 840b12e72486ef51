"""A program of ours that takes the requests of a run's server in its place.

The listening socket is the shim's: while the program is started again, who connects waits.
"""

import os
import signal
import socket
from pathlib import Path

from studio.runners.shim import helpers

_BACKLOG = 1024


class Front:
    """`command`, on 127.0.0.1:`port`, with `server`, the address that it stands before."""

    def __init__(self, command: list[str], port: int, server: str, folder: Path, seen: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        about = ["--server", server, "--folder", str(folder.resolve()), "--seen", seen]
        self._command = [*command, *about]
        self._folder = folder
        self._finishing = False
        self.reason = self.detail = ""
        self.pid = self._begin()

    def finish(self) -> None:
        self._finishing = True
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def ended(self, status: int) -> None:
        self.pid = 0
        if self._finishing:
            return
        if os.WIFSIGNALED(status):
            self.pid = self._begin()
        else:
            self.reason = "StartFailed"
            self.detail = "the program in front of the server has failed; see shim.log"

    def _begin(self) -> int:
        command = self._command
        return helpers.begin(
            lambda: os.execv(command[0], command), self._folder, gate=self._listener.fileno()
        )
