"""Which queued runs may start: first in, first out, over the CPUs and GPUs of this machine.

GPU jobs and CPU jobs wait in separate lines, so that a job which waits for a GPU does not hold
up those that need none. The hosts of a job take their turn together.
"""

import bisect
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from studio.runners.base import Resources
from studio.settings import Settings

_LOOK_MS = 5_000
_LOOK_MS_A_PLACE = 100


@dataclass(frozen=True)
class Waiting:
    """A job that asked for its turn; `wanted` is what its `hosts` occupy together."""

    since: int
    resource_id: str
    wanted: Resources
    hosts: int = 1


@dataclass(frozen=True)
class Obstacle:
    """Why a job has to wait, as a sentence, and when to say so anew."""

    reason: str
    look_ms: int = _LOOK_MS


class Queue:
    """Who waits, and what the runs hold that have started. Not for several threads."""

    def __init__(self, limit: Resources, held: Mapping[str, Resources]) -> None:
        self.limit = limit
        self._held = dict(held)
        self._waiting: dict[str, Waiting] = {}
        self._lines: dict[bool, list[tuple[int, str]]] = {True: [], False: []}

    def ask(self, turn: Waiting) -> Obstacle | None:
        """None when `turn` may start now; else it waits in its line."""
        ahead = bisect.bisect_left(self._line(turn), _place(turn))
        obstacle = _behind(ahead) if ahead else self._lack(turn, self._free())
        if obstacle is None:
            self.leave(turn.resource_id)
        elif turn.resource_id not in self._waiting:
            self._waiting[turn.resource_id] = turn
            bisect.insort(self._line(turn), _place(turn))
        return obstacle

    def hold(self, runs: Mapping[str, Resources]) -> None:
        """These runs, by their ids, occupy that much from now on."""
        self._held.update(runs)

    def release(self, run_ids: Iterable[str]) -> None:
        """What these runs held is free."""
        for run_id in run_ids:
            self._held.pop(run_id, None)

    def leave(self, resource_id: str) -> bool:
        """Out of the line; False for who did not wait."""
        turn = self._waiting.pop(resource_id, None)
        if turn is None:
            return False
        line = self._line(turn)
        del line[bisect.bisect_left(line, _place(turn))]
        return True

    def ready(self) -> set[str]:
        """Those who could start now, in the order of their lines: nobody else need be woken."""
        free = self._free()
        found = set()
        for gpus in (True, False):
            for _, resource_id in self._lines[gpus]:
                turn = self._waiting[resource_id]
                if self._lack(turn, free) is not None:
                    break
                found.add(resource_id)
                free = _minus(free, [turn.wanted])
        return found

    def _line(self, turn: Waiting) -> list[tuple[int, str]]:
        return self._lines[bool(turn.wanted.gpus)]

    def _free(self) -> Resources:
        return _minus(self.limit, self._held.values())

    def _lack(self, turn: Waiting, free: Resources) -> Obstacle | None:
        hosts = f" for {turn.hosts} hosts" if turn.hosts > 1 else ""
        for kind in ("cpus", "gpus"):
            wanted, there = getattr(turn.wanted, kind), max(getattr(free, kind), 0)
            if wanted > there:
                total = getattr(self.limit, kind)
                name = kind[:-1].upper() + "s"
                return Obstacle(f"Waiting for {wanted} {name}{hosts}: {there} of {total} free")
        return None


def capacity(settings: Settings) -> Resources:
    """What queued runs may occupy together."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return Resources(
        cpus=settings.cpu_slots or len(os.sched_getaffinity(0)),
        memory_mb=settings.job_memory_mb or memory * 9 // 10,
        gpus=settings.gpu_slots if settings.gpu_slots >= 0 else _gpus(),
    )


def fitted(wanted: Resources, limit: Resources, hosts: int = 1) -> Resources:
    """`wanted` by one of `hosts`, but no more than its part of what there is: a laptop runs what
    asks for an ml.m5.24xlarge, or for four of them."""
    return replace(
        wanted,
        cpus=max(1, min(wanted.cpus, limit.cpus // hosts)),
        gpus=min(wanted.gpus, max(limit.gpus // hosts, min(limit.gpus, 1))),
        memory_mb=limit.memory_mb // hosts,
    )


def together(parts: Iterable[Resources], limit: Resources) -> Resources:
    """What runs occupy that start together: with more hosts than CPUs, all of them."""
    parts = list(parts)
    return Resources(
        cpus=min(sum(each.cpus for each in parts), limit.cpus),
        gpus=min(sum(each.gpus for each in parts), limit.gpus),
    )


def _behind(ahead: int) -> Obstacle:
    """Those far behind look rarely: the others' turns must not cost the machine."""
    reason = f"Waiting for its turn: {ahead} ahead in the queue"
    return Obstacle(reason, _LOOK_MS + _LOOK_MS_A_PLACE * ahead)


def _minus(free: Resources, taken: Iterable[Resources]) -> Resources:
    for each in taken:
        free = replace(free, cpus=free.cpus - each.cpus, gpus=free.gpus - each.gpus)
    return free


def _place(turn: Waiting) -> tuple[int, str]:
    return turn.since, turn.resource_id


@cache
def _gpus() -> int:
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    listing = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())
