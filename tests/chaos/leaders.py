"""Many control planes on one PostgreSQL, each of which would start every job."""

import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import postgresql
from chaos.house import STARTED, eventually
from chaos.invariants import counted
from chaos.outcome import Report
from structlog.testing import capture_logs

from studio.db import engines, migrate, resources
from studio.db.failures import Unavailable
from studio.db.resources import Resource
from studio.db.session import Database
from studio.errors import StudioError
from studio.reconcile.act import Actor
from studio.reconcile.broker import opened
from studio.reconcile.loop import Loop
from studio.reconcile.steps import Kind, Observed, Plan, Start
from studio.runners.base import Resources, RunSpec
from studio.runners.process import ProcessRunner
from studio.settings import Settings

_LIMIT = Resources(cpus=8, memory_mb=8000)
_LOOK_MS = 200
_END_SECONDS = 600.0
_TAKE_OVER_SECONDS = 0.5
_LEADERS = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {engines.LEADER}"


def claims(repeats: int, seed: int, claimants: int = 32, deposed: int = 8) -> Report:
    """`repeats` queued jobs; `deposed` times the one that leads loses its connection, but goes on
    with what it knows."""
    name, promise = "F5 race on PostgreSQL", "one leads; each job started exactly once, none left"
    if not postgresql.available():
        return Report(name, promise, 0, seed, skipped="needs PostgreSQL")
    chance = random.Random(seed)
    with (
        postgresql.running() as server,
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        patch.object(engines, "_TAKE_OVER_SECONDS", _TAKE_OVER_SECONDS),
        capture_logs(),  # who was deposed complains a lot
    ):
        url = server.database()
        jobs = _queued(url, repeats)
        runner = ProcessRunner(Settings(home=Path(folder)))
        over = threading.Event()
        planes = [_Plane(url, runner, over) for _ in range(claimants)]
        for each in planes:
            each.start()
        try:
            for turn in range(deposed):
                share = repeats * (turn + 1) // (deposed + 1)
                eventually(lambda share=share: _started(folder) >= share, _END_SECONDS, "starts")
                time.sleep(chance.uniform(0, 0.2))
                _depose(server, url)
            eventually(lambda: _ended(url) == repeats, _END_SECONDS, "all jobs end")
            if deposed:
                over_to = partial(_taken_over, planes, server, url)
                eventually(over_to, _END_SECONDS, "somebody takes over")
        finally:
            over.set()
            for each in planes:
                each.join()
        wrong = _judged(url, Path(folder), jobs)
    led = str(sum(each.led for each in planes))
    figures = {"claimants": str(claimants), "deposed": str(deposed), "took the lead": led}
    return Report(name, promise, repeats, seed, figures, tuple(wrong))


class _Plane(threading.Thread):
    """What a control plane does with jobs, once it leads: `led`. It never gives up."""

    def __init__(self, url: str, runner: ProcessRunner, over: threading.Event) -> None:
        super().__init__(name="plane")
        self._db, self._runner, self._over = Database(url), runner, over
        self.led = False

    def run(self) -> None:
        try:
            while not (self.led or self._over.is_set()):
                self.led = self._leads()
            if self.led:
                self._serve()
        finally:
            self._db.close()

    def _leads(self) -> bool:
        try:
            migrate.upgrade(self._db)
        except (StudioError, Unavailable):
            return False
        return True

    def _serve(self) -> None:
        with self._db.read() as connection:
            broker = opened(connection, _LIMIT)
        actor = Actor(self._db, self._runner, None, None, broker, _Open())  # type: ignore[arg-type]
        loop = Loop(self._db, {_KIND.name: _KIND}, actor, broker)
        loop.start()
        self._over.wait()
        loop.stop()


class _Open:
    """Every run may do everything, and gets nothing for it."""

    def storage(self, _resource: Resource, _role: str, storage: object) -> object:
        return storage

    def environment(self, *_: object) -> dict[str, str]:
        return {}

    def ended(self, _runs: object) -> None:
        pass


def _plan(job: Resource, observed: list[Observed], _now: int) -> Plan:
    if observed and observed[0].status.ended:
        return Plan(replace(job, status=observed[0].status.phase, due_at=None))
    if observed and "runner" in observed[0].run.handle:
        return Plan(job, look_ms=_LOOK_MS)
    return Plan(job, (Start(f"{job.id}-run", "run", Resources(1)),))


_KIND = Kind(
    name="raced",
    plan=_plan,
    prepare=lambda _job, start, _storage: RunSpec(start.run_id, ("echo", STARTED)),
)


def _queued(url: str, count: int) -> set[str]:
    """The ids of that many jobs that wait for their turn."""
    db = Database(url)
    migrate.upgrade(db)
    made = [
        Resource("0" * 12, "us-east-1", _KIND.name, str(n), str(n), "Waiting", {}, 1, 1, due_at=1)
        for n in range(count)
    ]
    db.write(lambda connection: [resources.insert(connection, each) for each in made])
    db.close()
    return {each.id for each in made}


def _started(folder: str) -> int:
    return len(list(Path(folder).glob("runs/*/pid.json")))


def _depose(server: postgresql.Server, url: str) -> None:
    with server.connect(url) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({_LEADERS}) AS leaders")


def _taken_over(planes: list[_Plane], server: postgresql.Server, url: str) -> bool:
    """Whether more than one has led; who leads alone may have been faster than the others, and is
    deposed once more."""
    if sum(each.led for each in planes) > 1:
        return True
    _depose(server, url)
    time.sleep(2 * _TAKE_OVER_SECONDS)
    return False


def _ended(url: str) -> int:
    return Counter(each.status for each in _jobs(url))["succeeded"]


def _jobs(url: str) -> list[Resource]:
    engine = engines.reader(url)
    try:
        with engine.connect() as connection:
            return resources.of_kind(connection, _KIND.name)
    finally:
        engine.dispose()


def _judged(url: str, home: Path, jobs: set[str]) -> list[str]:
    wrong = [f"{it.name} is {it.status}" for it in _jobs(url) if it.status != "succeeded"]
    folders = list((home / "runs").iterdir())
    if {folder.name for folder in folders} != {f"{job}-run" for job in jobs}:
        wrong.append(f"{len(folders)} runs of {len(jobs)} jobs")
    for folder in folders:
        if (times := counted(folder)) != 1:
            wrong.append(f"{folder.name} was started {times} times")
    return wrong
