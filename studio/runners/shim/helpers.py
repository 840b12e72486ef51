"""The shim's own processes beside the command of its run. They are no part of the run."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36

ASKED = {signal.SIGTERM, signal.SIGQUIT}
"""Signals by which a helper is asked for something."""

_FDS = 4096
_PATIENCE_SECONDS = 600.0


class Helper(Protocol):
    """A process that serves a command; `pid` is 0 once it has ended for good."""

    pid: int
    reason: str
    """Empty, or why the run has failed with this helper; `detail` says it in words."""
    detail: str

    def finish(self) -> None:
        """Ask it to do what is left to do, then to end. May be called again."""

    def ended(self, status: int) -> None:
        """To be told of the wait status of `pid`."""


def dismiss(serving: Sequence[Helper], reap: Callable[[], object]) -> None:
    """Until all have ended; `reap` collects the dead and tells those that they were."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(helper.pid for helper in serving):
        for helper in serving:
            helper.finish()
            if helper.pid and time.monotonic() > deadline:
                os.kill(helper.pid, signal.SIGKILL)
        reap()
        time.sleep(0.005)


def prctl(option: int, value: int | bytes) -> None:
    """Ask the kernel for an attribute of this process; a kernel that has it not is not told."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def begin(work: Callable[[], None], folder: Path, output: int = 1, gate: int = 0) -> int:
    """The pid of a child that does `work` in `folder`: it exits with 0 when that returns, else
    with 1. It has no file of this process open but the standard ones, which `output` and `gate` may
    take the places of, and is killed with it.

    ASKED is blocked in it: nothing of that is lost before `work` knows what to do about it.
    """
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKED)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            os.dup2(gate, 0)
            os.dup2(output, 1)
            os.closerange(3, _FDS)
            os.chdir(folder)
            work()
            code = 0
    except Exception as error:
        print(f"{work}: {type(error).__name__}: {error}"[:500], file=sys.stderr)  # noqa: T201
    finally:
        os._exit(code)
