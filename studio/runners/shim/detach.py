"""What the shim does with itself: leave its parent, claim the run, adopt orphans, hold a port."""

import ctypes
import json
import os
import socket
from pathlib import Path

from studio import durable, processes


def leave_parent() -> None:
    """Go on in a process that nobody waits for, in a session of its own."""
    os.umask(0o077)
    if os.fork():
        os._exit(0)
    os.setsid()


def claim(folder: Path) -> bool:
    """pid.json, made whole and only once: whoever made it may start the run."""
    return claim_as(folder, processes.identity())


def claim_as(folder: Path, owner: dict[str, object]) -> bool:
    """Give the run to `owner`; False when it has one."""
    temporary = folder / f".pid.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        with temporary.open("w") as file:
            file.write(json.dumps(owner))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, folder / "pid.json")
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    durable.sync_dir(folder)
    return True


def adopt_orphans() -> None:
    """Processes of the run whose parents end become children of this one (Linux: subreaper)."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def hold_port() -> socket.socket:
    """A free loopback port that nobody else is given while the socket lives.

    The server of the run binds it all the same: with SO_REUSEADDR, which servers set, a second
    bind is allowed as long as no socket listens.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def set_oom_score(value: int) -> None:
    """Where memory runs out, the kernel ends jobs before it ends us."""
    try:
        Path("/proc/self/oom_score_adj").write_text(str(value))
    except OSError:
        pass
