"""The program of a shim: it becomes a process of its own, claims its run and sees it through."""

import os
from pathlib import Path

from studio import processes
from studio.runners.shim import claim, helpers
from studio.runners.shim.life import Shim


def main(folder: str) -> None:
    """Detach, claim the run in `folder` and see it through. This returns to nobody: the process
    that was started ends with 0 once the run is claimed, by this shim or another."""
    os.umask(0o077)
    claimed, teller = os.pipe()
    if os.fork():
        os.close(teller)
        os._exit(0 if os.read(claimed, 1) else 1)
    os.close(claimed)
    os.setsid()
    run = Path(folder)
    mine = claim.claim(run, processes.identity())
    try:
        os.write(teller, b"1")
    except BrokenPipeError:
        pass  # whoever started us was killed meanwhile
    os.close(teller)
    if mine:
        helpers.prctl(helpers.PR_SET_CHILD_SUBREAPER, 1)
        Shim(run).run()
    os._exit(0)
