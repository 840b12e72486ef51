"""`gpus`: what a run takes of the machine's GPUs, as NVIDIA's library tells.

That library can hang with its driver, so a process beside the shim asks it, whose end nobody waits
for. Without the library, or without GPUs, that process ends at once.
"""

import os
import signal
import struct
import time
from pathlib import Path
from typing import NamedTuple

from studio.runners.shim import helpers, nvml, tree, usage
from studio.runners.shim.samples import Samples

_SAMPLES = Samples("gpus", struct.Struct("<Qff"))


class GpuSample(NamedTuple):
    """In per cent of one GPU: 400 when four are busy, or full."""

    at: int
    """UTC milliseconds."""
    busy: float
    memory: float


class Watcher:
    """The process that samples; see helpers.Helper."""

    def __init__(self, folder: Path, gpu_ids: list[str]) -> None:
        self.reason = self.detail = ""
        self.pid = helpers.begin(lambda: _watch(folder, gpu_ids), folder)

    def finish(self) -> None:
        """It has nothing left to do. Not waited for: what hangs in the driver cannot be killed."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self.pid = 0

    def ended(self, _status: int) -> None:
        self.pid = 0


def read(folder: Path, after: int) -> list[GpuSample]:
    """The samples later than `after` (UTC milliseconds), in order."""
    return [GpuSample(*each) for each in _SAMPLES.read(folder, after)]


def _watch(folder: Path, gpu_ids: list[str]) -> None:
    try:
        library = nvml.Nvml()
        mine = library.numbers(gpu_ids)
    except (OSError, AttributeError):
        return
    begun, pause, last = time.monotonic(), usage.FIRST_PAUSE, 0
    while library.count:
        time.sleep(pause)
        pause = usage.next_pause(pause, time.monotonic() - begun)
        busy, memory = library.use(set(tree.below(os.getppid())), mine)
        last = max(time.time_ns() // 1_000_000, last + 1)
        try:
            _SAMPLES.append(folder, (last, busy, memory))
        except OSError:
            pass  # a full disk: the next sample may find room
