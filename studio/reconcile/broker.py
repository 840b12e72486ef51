"""The one who gives out the machine: reserves slots for runs, and knows who waits for what.

For several threads. It is told of every run that begins to hold something and of every one that
has ended; what runs hold is in their rows, so that nothing is given twice after a restart.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from studio.db import resources
from studio.db.resources import Resource, Run
from studio.reconcile import priorities, scheduler
from studio.reconcile.scheduler import Obstacle, Place, Queue, Waiting
from studio.runners.base import Resources
from studio.runners.devices import Gpu


class Broker:
    """`limit` is what queued runs may occupy together; `gpus` are the GPUs in it."""

    def __init__(
        self, limit: Resources, open_runs: Iterable[Run] = (), gpus: tuple[Gpu, ...] = ()
    ) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._queue = Queue(limit, {run.id: occupied(run) for run in open_runs}, gpus)
        self._freed: set[str] = set()

    @property
    def gpus(self) -> tuple[Gpu, ...]:
        return self._queue.gpus

    @property
    def runs(self) -> int:
        """How many hold something."""
        return self._queue.runs

    def turn(self, parts: Sequence[Resources], resource: Resource) -> Waiting:
        """What a resource asks for whose hosts occupy `parts`."""
        wanted = scheduler.together(parts, self.limit)
        priority = priorities.of(resource)
        return Waiting(resource.created_at, resource.id, wanted, len(parts), priority)

    def reserve(
        self, turn: Waiting | None, run_ids: Sequence[str], parts: Sequence[Resources]
    ) -> list[Resources] | Obstacle:
        """What each run has from now on, or why `turn` has to wait; without a turn none waits."""
        with self._lock:
            if turn is not None:
                obstacle = self._queue.ask(turn)
                if obstacle is not None:
                    return obstacle
            given = self._queue.leased(parts)
            slots = (_slots(each, turn is not None) for each in given)
            self._queue.hold(dict(zip(run_ids, slots, strict=True)))
            self._freed |= self._queue.ready()
            return given

    def release(self, runs: Sequence[Run]) -> None:
        """To be called once the ends of these runs are stored."""
        if runs:
            with self._lock:
                self._queue.release(run.id for run in runs)
                self._freed |= self._queue.ready()

    def leave(self, resource_id: str) -> None:
        """It waits no longer."""
        with self._lock:
            if self._queue.leave(resource_id):
                self._freed |= self._queue.ready()

    def wake(self, resource_ids: Iterable[str]) -> None:
        """Have these looked at soon."""
        with self._lock:
            self._freed.update(resource_ids)

    def freed(self) -> Iterable[str]:
        """Resources whose turn has come, once."""
        with self._lock:
            freed, self._freed = self._freed, set()
        return freed

    def victims(self, turn: Waiting, ending: Sequence[str], others: Sequence[str]) -> list[str]:
        """See Queue.victims."""
        with self._lock:
            return self._queue.victims(turn, ending, others)

    def places(self) -> list[Place]:
        """All who wait, in the order of their turns."""
        with self._lock:
            return list(self._queue.places())


def opened(connection: Connection, limit: Resources, gpus: tuple[Gpu, ...] = ()) -> Broker:
    """The broker of a home that has served before."""
    return Broker(limit, resources.open_runs(connection), gpus)


def reserved(run: Run) -> Resources:
    """What a run was given at its start."""
    return Resources.of(run.spec["resources"])


def occupied(run: Run) -> Resources:
    """What nobody else has meanwhile."""
    return _slots(reserved(run), run.spec["queued"])


def _slots(given: Resources, queued: bool) -> Resources:
    """Who does not wait shares the CPUs with everybody, its GPUs with nobody who waits."""
    return given if queued else replace(given, cpus=0)
