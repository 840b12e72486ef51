"""Copies what a command says from a pipe into the log of its run.

A pipe, because whoever opens /dev/stderr anew (`echo > /dev/stderr`) would cut a file off at its
beginning. A process of its own, because the last lines must not die with the shim.
"""

import fcntl
import os
import signal
import time

_PIPE_BYTES = 2**20
_CHUNK = 64 * 1024
_PATIENCE_SECONDS = 5.0


class Scribe:
    """`pipe` is what the command writes to; `pid` the process that copies."""

    def __init__(self, log: int) -> None:
        self._log = log
        self._said, self.pipe = os.pipe()
        try:
            fcntl.fcntl(self._said, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            pass  # more than this user may have
        self.pid = self._begin()

    def handed(self) -> None:
        """The command has the pipe: from now on it ends with the last process that has it."""
        if self.pipe >= 0:
            os.close(self.pipe)
        self.pipe = -1

    def ended(self, status: int) -> None:
        """To be told of the wait status of `pid`. What was killed goes on in another process."""
        self.pid = self._begin() if os.WIFSIGNALED(status) else 0

    def _begin(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self.handed()
            _copy(self._said, self._log)
        finally:
            os._exit(0)


def _copy(said: int, log: int) -> None:
    """Until nobody is left who could say anything. On a full disk lines are lost, not the run.

    The kernel moves what it writes out of the pipe in one step: a process that is killed here
    loses nothing and writes nothing twice.
    """
    # Opened anew, because nothing can be spliced into a file that is open for appending.
    file = os.open(f"/proc/self/fd/{log}", os.O_WRONLY)
    os.lseek(file, 0, os.SEEK_END)
    deadline = float("inf")
    while True:
        try:
            if os.splice(said, file, _CHUNK) == 0:
                return
            deadline = float("inf")
        except OSError:
            deadline = min(deadline, time.monotonic() + _PATIENCE_SECONDS)
            if time.monotonic() >= deadline:
                os.read(said, _PIPE_BYTES)
            time.sleep(0.1)
