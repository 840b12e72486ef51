"""Which queued run may start: first in, first out, over the CPUs and GPUs of this machine.

GPU jobs and CPU jobs wait in separate lines, so that a job which waits for a GPU does not hold
up those that need none.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from functools import cache

from studio.runners.base import Resources
from studio.settings import Settings


@dataclass(frozen=True)
class Waiting:
    """A run that asked for its turn."""

    since: int
    resource_id: str
    wanted: Resources


def capacity(settings: Settings) -> Resources:
    """What queued runs may occupy together."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return Resources(
        cpus=settings.cpu_slots or len(os.sched_getaffinity(0)),
        memory_mb=settings.job_memory_mb or memory * 9 // 10,
        gpus=settings.gpu_slots if settings.gpu_slots >= 0 else _gpus(),
    )


def fitted(wanted: Resources, limit: Resources) -> Resources:
    """`wanted`, but no more than there is: a laptop runs what asks for an ml.m5.24xlarge."""
    return replace(
        wanted,
        cpus=max(1, min(wanted.cpus, limit.cpus)),
        gpus=min(wanted.gpus, limit.gpus),
        memory_mb=limit.memory_mb,
    )


def obstacle(
    turn: Waiting, queue: list[Waiting], used: list[Resources], limit: Resources
) -> str | None:
    """Why `turn` has to wait, as a sentence; None when it may start now."""
    line = [other for other in queue if bool(other.wanted.gpus) == bool(turn.wanted.gpus)]
    ahead = sum((other.since, other.resource_id) < (turn.since, turn.resource_id) for other in line)
    if ahead:
        return f"Waiting for its turn: {ahead} ahead in the queue"
    free_cpus = limit.cpus - sum(each.cpus for each in used)
    free_gpus = limit.gpus - sum(each.gpus for each in used)
    if turn.wanted.cpus > free_cpus:
        return f"Waiting for {turn.wanted.cpus} CPUs: {max(free_cpus, 0)} of {limit.cpus} free"
    if turn.wanted.gpus > free_gpus:
        return f"Waiting for {turn.wanted.gpus} GPUs: {max(free_gpus, 0)} of {limit.gpus} free"
    return None


@cache
def _gpus() -> int:
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    listing = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())
