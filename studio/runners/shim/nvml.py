"""NVIDIA's library, as far as it is needed: which GPUs there are, and what processes take of them.

It can hang with its driver: who asks it is a process that somebody else can end.
"""

import ctypes
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIBRARY = "libnvidia-ml.so.1"

_MOST_PROCESSES = 1_024
_UNKNOWN = 2**64 - 1
_TEXT = 96


def main() -> None:
    """Print `describe()` as JSON; an empty list where there is no such library."""
    try:
        found = Nvml().describe()
    except (OSError, AttributeError):
        found = []
    json.dump(found, sys.stdout)


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


class Nvml:
    """The few functions of NVML that are needed. What a GPU does not tell counts as nought.

    Raises OSError or AttributeError where there is no such library.
    """

    def __init__(self) -> None:
        library = self._library = ctypes.CDLL(LIBRARY)
        number = ctypes.c_uint()
        started = library.nvmlInit_v2() == 0
        told = started and library.nvmlDeviceGetCount_v2(ctypes.byref(number)) == 0
        self.count = number.value if told else 0

    def numbers(self, gpu_ids: list[str]) -> list[int]:
        """Those of the GPUs with these ids."""
        return [n for n, it in enumerate(self.describe()) if it["id"] in gpu_ids]

    def use(self, pids: set[int], numbers: list[int]) -> tuple[float, float]:
        """(busy, memory) of those of the GPUs that these processes use. Where the driver names no
        process that can be seen from here, as in most containers, all of each counts."""
        devices = [self._device(number) for number in numbers]
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

    def describe(self) -> list[dict[str, Any]]:
        """`id`, `name` and `memory_mb` of each GPU, in the order of the driver."""
        return [self._described(index) for index in range(self.count)]

    def _described(self, index: int) -> dict[str, Any]:
        device = self._device(index)
        memory = self._ask("nvmlDeviceGetMemoryInfo", device, _Memory())
        return {
            "id": self._text("nvmlDeviceGetUUID", device) or str(index),
            "name": self._text("nvmlDeviceGetName", device) or "GPU",
            "memory_mb": memory.total // 2**20,
        }

    def _text(self, function: str, device: ctypes.c_void_p) -> str:
        found = ctypes.create_string_buffer(_TEXT)
        answer = getattr(self._library, function)(device, found, ctypes.c_uint(_TEXT))
        return found.value.decode("utf-8", "replace") if answer == 0 else ""

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
