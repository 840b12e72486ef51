"""What runs took of their machine, from the samples in their folders."""

import math
from collections.abc import Iterator
from pathlib import Path

from studio.runners.base import Usage
from studio.runners.shim import gpus, traffic, usage

_TRAFFIC = (
    ("disk_read", "read"),
    ("disk_write", "written"),
    ("machine_network_in", "received"),
    ("machine_network_out", "sent"),
)


def of_machine(folder: Path, after: int) -> tuple[Usage, ...]:
    """CPUs, memory, disk and, where it was counted, traffic: later than `after`, in order."""
    counted = {each.at: each for each in traffic.read(folder, after)}
    return tuple(
        Usage(
            each.at,
            {"cpu": each.cpu, "memory": each.memory, "disk": each.disk}
            | dict(_counted(counted.get(each.at))),
        )
        for each in usage.read(folder, after)
    )


def of_gpus(folder: Path, after: int) -> tuple[Usage, ...]:
    """GPUs and their memory: later than `after`, in order."""
    return tuple(
        Usage(each.at, {"gpu": each.busy, "gpu_memory": each.memory})
        for each in gpus.read(folder, after)
    )


def _counted(sample: traffic.TrafficSample | None) -> Iterator[tuple[str, float]]:
    for name, member in _TRAFFIC if sample else ():
        value = getattr(sample, member)
        if not math.isnan(value):
            yield name, value
