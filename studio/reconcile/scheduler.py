"""Which queued runs may start: higher priority first, then first in, first out, over the CPUs and
GPUs of this machine.

GPU jobs and CPU jobs wait in separate lines, so that a job which waits for a GPU does not hold
up those that need none. The hosts of a job take their turn together.
"""

import bisect
import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from studio.reconcile.pool import Pool, dealt
from studio.runners import devices
from studio.runners.base import Resources
from studio.runners.devices import Gpu
from studio.settings import Settings

_LOOK_MS = 5_000
_LOOK_MS_A_PLACE = 1_000
_Key = tuple[int, int, str]


@dataclass(frozen=True)
class Waiting:
    """A job that asked for its turn; `wanted` is what its `hosts` occupy together."""

    since: int
    resource_id: str
    wanted: Resources
    hosts: int = 1
    priority: int = 0

    @property
    def key(self) -> _Key:
        """Less is earlier."""
        return -self.priority, self.since, self.resource_id


@dataclass(frozen=True)
class Obstacle:
    """Why a job has to wait, as a sentence, and when to say so anew."""

    reason: str
    look_ms: int = _LOOK_MS
    ahead: int = 0


@dataclass(frozen=True)
class Place:
    """Where somebody waits: 1 is the first of its line. The reason is "" once its turn has come."""

    turn: Waiting
    position: int
    reason: str


class Queue:
    """Who waits, and what the runs hold that have started. Not for several threads."""

    def __init__(
        self, limit: Resources, held: Mapping[str, Resources], gpus: tuple[Gpu, ...] = ()
    ) -> None:
        self.limit = limit
        self.gpus = gpus or tuple(Gpu(str(number)) for number in range(limit.gpus))
        self._free = Pool(limit.cpus, self.gpus)
        self._held: dict[str, Resources] = {}
        self._waiting: dict[str, Waiting] = {}
        self._lines: dict[bool, list[_Key]] = {True: [], False: []}
        self.hold(held)

    @property
    def runs(self) -> int:
        """How many hold something."""
        return len(self._held)

    def ask(self, turn: Waiting) -> Obstacle | None:
        """None when `turn` may start now; else it waits in its line."""
        if (before := self._waiting.get(turn.resource_id)) != turn and before is not None:
            self.leave(turn.resource_id)
        ahead = bisect.bisect_left(self._line(turn), turn.key)
        obstacle = self._obstacle(turn, ahead)
        if obstacle is None:
            self.leave(turn.resource_id)
        elif turn.resource_id not in self._waiting:
            self._waiting[turn.resource_id] = turn
            bisect.insort(self._line(turn), turn.key)
        return obstacle

    def leased(self, parts: Iterable[Resources]) -> list[Resources]:
        """`parts` with GPUs of their own: free ones when it is their turn; who does not wait gets
        the roomiest."""
        parts = list(parts)
        wanted = together(parts, self.limit)
        return dealt(parts, self._free.pick(wanted) or self._free.roomiest(wanted.gpus))

    def hold(self, runs: Mapping[str, Resources]) -> None:
        """These runs, by their ids, occupy that much from now on."""
        self.release(runs)
        for run_id, taken in runs.items():
            self._held[run_id] = taken
            self._free.take(taken)

    def release(self, run_ids: Iterable[str]) -> None:
        """What these runs held is free."""
        for run_id in list(run_ids):
            taken = self._held.pop(run_id, None)
            if taken is not None:
                self._free.give(taken)

    def leave(self, resource_id: str) -> bool:
        """Out of the line; False for who did not wait."""
        turn = self._waiting.pop(resource_id, None)
        if turn is None:
            return False
        line = self._line(turn)
        del line[bisect.bisect_left(line, turn.key)]
        return True

    def ready(self) -> set[str]:
        """Those who could start now, in the order of their turns: nobody else need be woken."""
        free, found, stuck = self._free.copy(), set(), set[bool]()
        lines = sum(map(bool, self._lines.values()))
        for turn in self._in_order():
            gpus = bool(turn.wanted.gpus)
            if gpus in stuck:
                continue
            if self._lack(turn, free) is None:
                found.add(turn.resource_id)
                free.take(replace(turn.wanted, gpu_ids=free.pick(turn.wanted) or ()))
                continue
            stuck.add(gpus)
            if len(stuck) == lines or self._holds_up_all(turn, free):
                break
        return found

    def places(self) -> Iterator[Place]:
        """All who wait, in the order of their turns."""
        positions = {True: 0, False: 0}
        for turn in self._in_order():
            gpus = bool(turn.wanted.gpus)
            obstacle = self._obstacle(turn, positions[gpus])
            positions[gpus] += 1
            yield Place(turn, positions[gpus], obstacle.reason if obstacle else "")

    def victims(self, turn: Waiting, ending: Iterable[str], others: Iterable[str]) -> list[str]:
        """Of `others`, who is to be interrupted first before the next, those resources whose end
        lets `turn` start. None are needed when `ending`, which end already, give enough; none are
        of use when all of them do not."""
        free = self._free.copy()
        self._give_back(free, ending)
        chosen: list[str] = []
        for resource_id in others:
            if self._lack(turn, free) is None:
                break
            chosen.append(resource_id)
            self._give_back(free, [resource_id])
        if self._lack(turn, free) is not None:
            return []
        return self._spared(turn, ending, chosen)

    def _spared(self, turn: Waiting, ending: Iterable[str], chosen: list[str]) -> list[str]:
        """`chosen` without those who need not end."""
        for resource_id in list(reversed(chosen)):
            fewer = [each for each in chosen if each != resource_id]
            free = self._free.copy()
            self._give_back(free, [*ending, *fewer])
            if self._lack(turn, free) is None:
                chosen = fewer
        return chosen

    def _give_back(self, free: Pool, resource_ids: Iterable[str]) -> None:
        starts = tuple(resource_ids)
        for run_id, taken in self._held.items():
            if starts and run_id.startswith(starts):
                free.give(taken)

    def _in_order(self) -> Iterator[Waiting]:
        for *_, resource_id in heapq.merge(self._lines[True], self._lines[False]):
            yield self._waiting[resource_id]

    def _line(self, turn: Waiting) -> list[_Key]:
        return self._lines[bool(turn.wanted.gpus)]

    def _obstacle(self, turn: Waiting, ahead: int) -> Obstacle | None:
        if ahead:
            return _behind(ahead)
        line = self._lines[not turn.wanted.gpus]
        first = self._waiting[line[0][-1]] if line else None
        if first and first.priority > turn.priority and self._holds_up_all(first, self._free):
            return _behind(1)
        return self._lack(turn, self._free)

    def _holds_up_all(self, turn: Waiting, free: Pool) -> bool:
        """It waits for CPUs, which everybody needs: who has less priority must not take them."""
        return turn.wanted.cpus > free.cpus

    def _lack(self, turn: Waiting, free: Pool) -> Obstacle | None:
        hosts = f" for {turn.hosts} hosts" if turn.hosts > 1 else ""
        wanted, total = turn.wanted, self.limit
        if wanted.cpus > max(free.cpus, 0):
            there = f"{max(free.cpus, 0)} of {total.cpus} free"
            return Obstacle(f"Waiting for {_counted(wanted.cpus, 'CPU')}{hosts}: {there}")
        if free.pick(wanted) is not None:
            return None
        if wanted.gpu_memory_mb:
            share = f"{wanted.gpu_memory_mb} MiB of a GPU"
            return Obstacle(f"Waiting for {share}: {free.widest} MiB free of the emptiest")
        there = f"{free.gpus} of {total.gpus} free"
        return Obstacle(f"Waiting for {_counted(wanted.gpus, 'GPU')}{hosts}: {there}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def capacity(settings: Settings) -> Resources:
    """What queued runs may occupy together."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return Resources(
        cpus=settings.cpu_slots or len(os.sched_getaffinity(0)),
        memory_mb=settings.job_memory_mb or memory * 9 // 10,
        gpus=len(devices.gpus(settings)),
    )


def fitted(wanted: Resources, limit: Resources, hosts: int = 1) -> Resources:
    """`wanted` by one of `hosts`, but no more than its part of what there is: a laptop runs what
    asks for an ml.m5.24xlarge, or for four of them."""
    gpus = min(wanted.gpus, max(limit.gpus // hosts, min(limit.gpus, 1)))
    return replace(
        wanted,
        cpus=max(1, min(wanted.cpus, limit.cpus // hosts)),
        gpus=gpus,
        gpu_memory_mb=wanted.gpu_memory_mb if gpus else 0,
        memory_mb=min(wanted.memory_mb or limit.memory_mb, limit.memory_mb) // hosts,
    )


def together(parts: Iterable[Resources], limit: Resources) -> Resources:
    """What runs occupy that start together: with more hosts than CPUs, all of them."""
    parts = list(parts)
    return Resources(
        cpus=min(sum(each.cpus for each in parts), limit.cpus),
        gpus=min(sum(each.gpus for each in parts), limit.gpus),
        gpu_memory_mb=max((each.gpu_memory_mb for each in parts), default=0),
    )


def _behind(ahead: int) -> Obstacle:
    """Those far behind look rarely: the others' turns must not cost the machine."""
    reason = f"Waiting for its turn: {ahead} ahead in the queue"
    return Obstacle(reason, _LOOK_MS + _LOOK_MS_A_PLACE * ahead, ahead)
