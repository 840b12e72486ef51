"""The one loop that makes what is asked for come true.

Level-triggered: it looks at a resource and its runs, asks the kind's pure plan what to do, does
it, and stores the outcome. Intent is stored before the act and every act is idempotent, so the
process may die anywhere. Hints (of operations, of shims) only make it look sooner.
"""

import heapq
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import structlog

from studio.db import resources
from studio.db.session import Database
from studio.reconcile.act import Actor
from studio.reconcile.broker import Broker
from studio.reconcile.steps import Kind

log = structlog.get_logger()

_WORKERS = 16
_AFTER_ERROR_MS = 2_000
_LINES_MS, _LONGEST_LINES_MS = 50, 5_000


class Loop:
    """`start` it, `hint` it, `stop` it. One resource is never looked at by two threads."""

    def __init__(
        self, db: Database, kinds: Mapping[str, Kind], actor: Actor, broker: Broker
    ) -> None:
        self._db = db
        self._kinds = kinds
        self._actor = actor
        self._broker = broker
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="reconcile")
        self._thread = threading.Thread(target=self._run, name="reconcile", daemon=True)
        self._wake = threading.Condition()
        self._agenda: list[tuple[int, str]] = []
        self._next: dict[str, int] = {}
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._stopping = False

    def start(self) -> None:
        """Take up whatever was left undone, then keep looking."""
        with self._db.read() as connection:
            undone = resources.due(connection)
        for resource_id in undone:
            self.hint(resource_id)
        self._thread.start()

    def hint(self, resource_id: str, lines: bool = False) -> None:
        """Something about this resource may have changed: look now. At new `lines` of its log it
        looks within moments, the later the more runs there are."""
        pause = min(self._broker.runs * _LINES_MS, _LONGEST_LINES_MS) if lines else 0
        self._schedule(resource_id, _clock() + pause)

    def stop(self) -> None:
        """Finish the looks that are under way, start no other."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True)

    def _schedule(self, resource_id: str, when: int) -> None:
        with self._wake:
            if resource_id in self._busy:
                self._again.add(resource_id)
                return
            planned = self._next.get(resource_id)
            if planned is not None and planned <= when:
                return
            self._next[resource_id] = when
            heapq.heappush(self._agenda, (when, resource_id))
            self._wake.notify()

    def _run(self) -> None:
        while (resource_id := self._take()) is not None:
            self._pool.submit(self._look, resource_id)

    def _take(self) -> str | None:
        with self._wake:
            while not self._stopping:
                if not self._agenda:
                    self._wake.wait()
                    continue
                when, resource_id = self._agenda[0]
                if self._next.get(resource_id) != when:
                    heapq.heappop(self._agenda)
                elif (pause := when - _clock()) > 0:
                    self._wake.wait(pause / 1000)
                else:
                    heapq.heappop(self._agenda)
                    del self._next[resource_id]
                    self._busy.add(resource_id)
                    return resource_id
            return None

    def _look(self, resource_id: str) -> None:
        try:
            after = self._reconcile(resource_id)
        except Exception:
            log.exception("reconcile failed", resource=resource_id)
            after = _AFTER_ERROR_MS
        with self._wake:
            self._busy.discard(resource_id)
            if resource_id in self._again:
                self._again.discard(resource_id)
                after = 0
        if after is not None:
            self._schedule(resource_id, _clock() + after)
        for waiting in self._broker.freed():
            self.hint(waiting)

    def _reconcile(self, resource_id: str) -> int | None:
        with self._db.read() as connection:
            resource = resources.get(connection, resource_id)
            if resource is None or resource.due_at is None:
                return None
            kind = self._kinds[resource.kind]
            runs = resources.runs(connection, resource_id, kind.recalled)
            informed = kind.informed(connection, resource, _now())
        observed = [self._actor.observe(kind, resource, run) for run in runs]
        plan = kind.plan(informed, observed, _now())
        return self._actor.carry_out(kind, resource, observed, plan)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _clock() -> int:
    """Milliseconds by a clock that nobody sets back: the agenda would wait for its old time."""
    return time.monotonic_ns() // 1_000_000
