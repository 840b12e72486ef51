"""`gpus`: what a run takes of the machine's GPUs, as NVIDIA's library tells.

That library can hang with its driver, so a process beside the shim asks it, whose end nobody waits
for. Without the library, or without GPUs, that process ends at once.
"""

import ctypes
import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from studio.runners.shim import helpers, tree, usage
from studio.runners.shim.samples import Samples

_SAMPLES = Samples("gpus", struct.Struct("<Qff"))
_LIBRARY = "libnvidia-ml.so.1"
_MOST_PROCESSES = 1_024
_UNKNOWN = 2**64 - 1


class GpuSample(NamedTuple):
    """In per cent of one GPU: 400 when four are busy, or full."""

    at: int
    """UTC milliseconds."""
    busy: float
    memory: float


class Watcher:
    """The process that samples; see helpers.Helper."""

    def __init__(self, folder: Path) -> None:
        self.reason = self.detail = ""
        self.pid = helpers.begin(lambda: _watch(folder), folder)

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


def _watch(folder: Path) -> None:
    try:
        nvml = _Nvml(ctypes.CDLL(_LIBRARY))
    except (OSError, AttributeError):
        return
    begun, pause, last = time.monotonic(), usage.FIRST_PAUSE, 0
    while nvml.count:
        time.sleep(pause)
        pause = usage.next_pause(pause, time.monotonic() - begun)
        busy, memory = nvml.use(set(tree.below(os.getppid())))
        last = max(time.time_ns() // 1_000_000, last + 1)
        try:
            _SAMPLES.append(folder, (last, busy, memory))
        except OSError:
            pass  # a full disk: the next sample may find room


class _Utilization(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


class _Process(ctypes.Structure):
    _fields_ = [
        ("pid", ctypes.c_uint),
        ("memory", ctypes.c_ulonglong),
        ("instance", ctypes.c_uint),
        ("compute", ctypes.c_uint),
    ]


class _Nvml:
    """The few functions of NVML that are needed. What a GPU does not tell counts as nought."""

    def __init__(self, library: Any) -> None:
        self._library = library
        number = ctypes.c_uint()
        started = library.nvmlInit_v2() == 0
        told = started and library.nvmlDeviceGetCount_v2(ctypes.byref(number)) == 0
        self.count = number.value if told else 0

    def use(self, pids: set[int]) -> tuple[float, float]:
        """(busy, memory) of the GPUs that these processes use. Where the driver names no process
        that can be seen from here, as in most containers, all of every GPU counts."""
        devices = [self._device(index) for index in range(self.count)]
        processes = [list(self._processes(device)) for device in devices]
        named = {each.pid for mine in processes for each in mine}
        visible = any(Path(f"/proc/{pid}").exists() for pid in named)
        busy = memory = 0.0
        for device, running in zip(devices, processes, strict=True):
            known = self._ask("nvmlDeviceGetMemoryInfo", device, _Memory())
            mine = [each.memory for each in running if each.pid in pids]
            if visible and not mine:
                continue
            used = sum(it for it in mine if it != _UNKNOWN) if visible else known.used
            busy += self._ask("nvmlDeviceGetUtilizationRates", device, _Utilization()).gpu
            memory += used / max(known.total, 1) * 100
        return busy, memory

    def _device(self, index: int) -> ctypes.c_void_p:
        device = ctypes.c_void_p()
        self._library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device))
        return device

    def _processes(self, device: ctypes.c_void_p) -> Iterator[_Process]:
        number = ctypes.c_uint(_MOST_PROCESSES)
        found = (_Process * _MOST_PROCESSES)()
        ask = self._library.nvmlDeviceGetComputeRunningProcesses_v3
        if ask(device, ctypes.byref(number), found) == 0:
            yield from found[: number.value]

    def _ask(self, function: str, device: ctypes.c_void_p, answer: Any) -> Any:
        getattr(self._library, function)(device, ctypes.byref(answer))
        return answer
