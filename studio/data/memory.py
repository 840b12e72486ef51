"""Memory of processes, and how they end together."""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LEAST, _MOST = 1 << 30, 8 << 30
# Of mallopt: one arena; larger than 32 MiB is mapped; up to 512 MiB stay when they are free.
_KEPT = ((-8, 1), (-3, 32 << 20), (-1, 512 << 20))


def fair() -> int:
    """Bytes that looking at data may take on this machine: a quarter of it, 1 to 8 GiB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(total // 4, _LEAST), _MOST)


def taken(pid: int) -> int:
    """Bytes of a process that no file backs; 0 when there is no such process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(it.split()[1]) << 10 for it in lines if it.startswith("RssAnon:")), 0)


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def die_with(parent: int) -> None:
    """This process ends when its parent does, and is the first to go when memory is short."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # the parent died before
    try:
        Path("/proc/self/oom_score_adj").write_text("1000")
    except OSError:  # some sandboxes forbid it; the limit above still holds
        pass


def keep() -> None:
    """Let this process and its children use freed memory again in place of giving it back.

    A column is a few arrays of megabytes, made and freed one after the other: to get fresh pages
    for each of them takes a sixth of a profile's time. Does nothing where the C library is not
    glibc.
    """
    library = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):
        for option, value in _KEPT:
            library.mallopt(option, value)
