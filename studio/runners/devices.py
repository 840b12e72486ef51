"""The GPUs of this machine. Whoever leases one is given its `id`, whatever runs the run."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import structlog

from studio.settings import Settings

log = structlog.get_logger()

_ROOT = Path(__file__).parents[2]
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); from studio.runners.shim import nvml; nvml.main()"
)
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Gpu:
    id: str
    """NVIDIA's UUID, as CUDA_VISIBLE_DEVICES and container engines take it; else its index."""
    name: str = "GPU"
    memory_mb: int = 0
    """0 where nobody tells: then it cannot be shared."""


def gpus(settings: Settings) -> tuple[Gpu, ...]:
    """Those that runs may have: `gpu_slots` of them; more than are found go by their index."""
    known = _found()
    if settings.gpu_slots < 0:
        return known
    more = (Gpu(str(index)) for index in range(len(known), settings.gpu_slots))
    return (*known[: settings.gpu_slots], *more)


@cache
def _found() -> tuple[Gpu, ...]:
    """Asked by a process of its own: a driver that hangs must not hang the control plane."""
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_ROOT)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/")
    said: list[bytes] = []
    asking = threading.Thread(target=lambda: said.append(process.communicate()[0]), daemon=True)
    asking.start()
    asking.join(_PATIENCE_SECONDS)
    if not said:
        process.kill()  # and not waited for: what hangs in the driver cannot be killed
        log.warning("NVIDIA's driver does not answer: no GPUs")
        return ()
    return tuple(Gpu(**each) for each in json.loads(said[0] or "[]"))
