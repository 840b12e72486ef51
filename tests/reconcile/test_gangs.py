"""Hosts that start together, and a control plane that dies while it starts them."""

import time
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS

from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.reconcile.act import Actor
from studio.reconcile.broker import Broker, opened
from studio.reconcile.steps import Gang, Kind, Observed, Plan, Start
from studio.runners.base import Resources, RunSpec
from studio.runners.process import ProcessRunner
from studio.settings import Settings

HOSTS = 3
LIMIT = Resources(cpus=4, memory_mb=4000)


class Death(BaseException):
    """As a kill: nothing after it is done."""


class Mortal(ProcessRunner):
    """Dies at the start number `at`, before or after the run is really started."""

    def __init__(self, settings: Settings, at: int, after: bool) -> None:
        super().__init__(settings)
        self._left, self._after = at, after

    def start(self, spec: RunSpec) -> dict:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Death
        handle = super().start(spec)
        if self._left == 0:
            raise Death
        return handle


class Open:
    """Every run may do everything, and gets nothing for it."""

    def storage(self, _resource, _role, storage):
        return storage

    def environment(self, *_):
        return {}

    def ended(self, _runs):
        pass


def plan(job: Resource, observed: list[Observed], _now: int) -> Plan:
    if len(observed) == HOSTS and all("runner" in it.run.handle for it in observed):
        return Plan(job)
    names = [f"{job.id}-host-{number}" for number in range(HOSTS)]
    return Plan(job, (Gang(tuple(Start(name, name, Resources(1)) for name in names)),))


KIND = Kind(
    name="team",
    plan=plan,
    prepare=lambda _job, start, _storage: RunSpec(start.run_id, ("sh", "-c", "echo started")),
    role_arn=lambda *_: "",
)


@pytest.fixture
def db(tmp_path: Path):
    db = Database(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(db)
    yield db
    db.close()


def team(db: Database, name: str) -> Resource:
    made = Resource("0" * 12, "us-east-1", "team", name, name, "InProgress", {}, 1, 1, due_at=1)
    db.write(lambda connection: resources.insert(connection, made))
    return made


def look(actor: Actor, db: Database, job: Resource) -> list[Observed]:
    with db.read() as connection:
        found = resources.get(connection, job.id)
        runs = resources.runs(connection, job.id)
    observed = [actor.observe(KIND, found, run) for run in runs]
    actor.carry_out(KIND, found, observed, plan(found, observed, 0))
    return observed


def actor(db: Database, runner: ProcessRunner) -> tuple[Actor, Broker]:
    with db.read() as connection:
        broker = opened(connection, LIMIT)
    return Actor(db, runner, None, None, broker, Open()), broker  # type: ignore[arg-type]


@pytest.mark.parametrize("at", range(1, HOSTS + 1))
@pytest.mark.parametrize("after", [False, True])
def test_whoever_dies_while_it_starts_hosts_starts_none_twice(tmp_path, db, at, after):
    settings = Settings(home=tmp_path, sandbox="never")
    job, other = team(db, "job"), team(db, "other")
    with pytest.raises(Death):
        look(actor(db, Mortal(settings, at, after))[0], db, job)
    runner = ProcessRunner(settings)
    next_one, broker = actor(db, runner)
    # What the dead one reserved is held: nobody else starts in between.
    look(next_one, db, other)
    with db.read() as connection:
        assert resources.runs(connection, other.id) == []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look(next_one, db, job)) or not all(it.status.ended for it in seen):
        assert time.monotonic() < deadline, seen
        time.sleep(0.02)
    assert [it.status.phase for it in seen] == ["succeeded"] * HOSTS
    for it in seen:
        assert [text for _, text in runner.logs(it.run.id, 0, 10).events] == ["started"]
    assert set(broker.freed()) == {other.id}
