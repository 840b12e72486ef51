"""The program of shims: one process forks them, and each claims its run and sees it through."""

import gc
import os
import sys
from pathlib import Path

from studio import processes
from studio.runners.shim import claim, contained, helpers, warm
from studio.runners.shim.life import Shim


def serve() -> None:
    """Start a shim for each run that comes in, until nobody is there to ask: what it is, the name
    of its folder, NUL.

    The answer is "1" once the run is claimed, by this shim or another, else "0".
    """
    os.umask(0o077)
    gc.freeze()  # shared by all shims as long as nobody touches it
    asked = b""
    while more := os.read(sys.stdin.fileno(), 4096):
        *folders, asked = (asked + more).split(b"\0")
        for folder in folders:
            if folder.startswith(claim.CONTAINER):
                contained.client()  # once, for all
            pid = os.fork()
            if not pid:
                begin(Path(os.fsdecode(folder[1:])))
            os.write(sys.stdout.fileno(), b"0" if os.waitpid(pid, 0)[1] else b"1")


def begin(folder: Path) -> None:
    """Detach, claim the run in `folder` and see it through. This returns to nobody: the process
    that calls it ends with 0 once the run is claimed."""
    os.chdir(folder)  # by which people tell shims apart
    _redirect(folder / "shim.log")
    claimed, teller = os.pipe()
    if os.fork():
        os.close(teller)
        os._exit(0 if os.read(claimed, 1) else 1)
    os.close(claimed)
    os.setsid()
    mine = claim.claim(folder, processes.identity())
    try:
        os.write(teller, b"1")
    except BrokenPipeError:
        pass  # whoever started us was killed meanwhile
    os.close(teller)
    if mine:
        helpers.prctl(helpers.PR_SET_CHILD_SUBREAPER, 1)
        helpers.prctl(helpers.PR_SET_NAME, b"studio-shim")
        Shim(*warm.await_run(folder)).run()
    os._exit(0)


def _redirect(log: Path) -> None:
    """Away from who asked: what a shim says against its will goes to its log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number, source in enumerate((nothing, told, told)):
        os.dup2(source, number)
    os.close(nothing)
    os.close(told)
