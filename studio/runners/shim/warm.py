"""A shim without a run yet: for a time it keeps a Python in an empty sandbox ready, or a container.

Its folder lies among the warm ones, and holds `warm.json`: what that is started with, and
until when it is kept. Whoever has a run for it moves the folder to where runs lie, which only one
can, and then writes `spec.json`: from then on this is the shim of that run. Nobody may before the
file `ready` is there: until then a job would wait for what is imported. When the time is over the
shim moves the folder away itself, and is gone.
"""

import json
import os
import select
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio import durable
from studio.container import files
from studio.runners.shim import command
from studio.runners.shim.contained import Held

TICKET, READY = "warm.json", "ready"
_LONGEST_LOOK = 30.0
_PATIENCE_SECONDS = 600.0
"""For the spec of a run, once the folder was moved: a control plane may be started again."""
_ANSWER_SECONDS = 30.0
"""A worker that has been stopped says nothing, and is killed then."""


class Worker:
    """A Python that waits in a sandbox; see studio/container/worker.py."""

    def __init__(self, folder: Path, ticket: dict[str, Any]) -> None:
        self.gate, inner = socket.socketpair()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            self.process = command.spawn(
                ticket, ticket["env"], folder / "ml", nowhere, [], stdin=inner.fileno()
            )
        finally:
            inner.close()
            os.close(nowhere)
        self._tell({"modules": ticket["modules"]})

    def alive(self) -> bool:
        return self.process.poll() is None

    def release(self, spec: dict[str, Any], env: dict[str, str], log: int) -> bool:
        """Let it become the command of a run; False when it is not there any more. What it says
        counts: a short command has ended before anybody could see whether it lives."""
        try:
            self.gate.settimeout(_ANSWER_SECONDS)
            self._tell({"command": spec["command"], "env": env}, log)
            return self.gate.recv(1) == b"1"
        except OSError:
            return False
        finally:
            self.gate.close()

    def end(self) -> None:
        """Kill it, for good."""
        self.gate.close()
        self.process.kill()
        self.process.wait()

    def _tell(self, message: dict[str, Any], *descriptors: int) -> None:
        data = json.dumps(message).encode()
        socket.send_fds(self.gate, [len(data).to_bytes(8, "big")], list(descriptors))
        self.gate.sendall(data)


Kept = Worker | Held
"""What is kept ready: of processes, of containers."""


def await_run(folder: Path) -> tuple[Path, Kept | None]:
    """The folder of the run that this shim got, and what was kept ready for it.

    Of a shim that has its run already: at once, and nothing. Does not return without a run.
    """
    ticket = durable.read_json(folder / TICKET)
    if ticket is None:
        return folder, None
    wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    worker: Kept = Held(folder) if ticket["image"] else Worker(folder, ticket)
    watched: list[Any] = [wake, worker.gate]
    while not (_here(place) / "spec.json").exists():
        left = _seconds_left(_here(place), worker)
        if left <= 0 and _leave(_here(place)):
            worker.end()
            files.remove_tree(_here(place))
            os._exit(0)
        found = select.select(watched, [], [], min(max(left, 0.05), _LONGEST_LOOK))[0]
        if wake in found:
            os.read(wake, 4096)
        if worker.gate in found:  # it says that it is ready, or has ended
            watched.remove(worker.gate)
            with suppress(OSError):
                if worker.gate.recv(1):
                    (_here(place) / READY).touch()
    here = _here(place)
    os.close(place)
    return here, worker if worker.alive() else None


def released(
    kept: Kept | None, spec: dict[str, Any], env: dict[str, str], log: int, read_only: list[str]
) -> "subprocess.Popen[bytes] | None":
    """The command of a run in the Python that was kept ready for it; None where that cannot be.
    What is bound read-only was not there when its sandbox was made."""
    if not isinstance(kept, Worker):
        return None
    if not read_only and kept.release(spec, env, log):
        return kept.process
    kept.end()
    return None


def _here(place: int) -> Path:
    """Where the folder is now."""
    return Path(os.readlink(f"/proc/self/fd/{place}"))  # noqa: PTH115


def _seconds_left(here: Path, worker: Kept) -> float:
    """None or less when it is time to go."""
    ticket = durable.read_json(here / TICKET)
    if ticket is None:
        return 0.0
    until = float(ticket["until"]) / 1000
    if here.parent.name != ticket["pool"]:  # it is a run's now
        return max(until, here.stat().st_ctime) + _PATIENCE_SECONDS - time.time()
    return until - time.time() if worker.alive() else 0.0


def _leave(here: Path) -> bool:
    """Out of everybody's reach; False when somebody was faster."""
    try:
        here.rename(here.with_name(f".gone-{here.name}"))
    except FileNotFoundError:
        return False
    return True
