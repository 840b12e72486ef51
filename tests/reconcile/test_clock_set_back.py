"""The clock of the machine is set back: nothing waits until its old time has come again."""

import threading
import time
from pathlib import Path

import pytest
from waiting import PATIENCE_SECONDS

from studio.api import training_plan
from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.reconcile.act import Actor
from studio.reconcile.broker import Broker
from studio.reconcile.loop import Loop
from studio.reconcile.routes import Routes
from studio.reconcile.steps import Kind, Plan
from studio.runners.base import Resources
from studio.runners.process import ProcessRunner
from studio.serving.table import Table, load_table, table_path, write_table
from studio.settings import Settings

_HOUR_NS = 3_600 * 10**9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """`clock(ns)` moves the time of day, and not what measures how long things take."""
    real, moved = time.time_ns, [0]
    monkeypatch.setattr(time, "time_ns", lambda: real() + moved[0])

    def move(by: int) -> None:
        moved[0] += by

    return move


def test_the_loop_looks_on(tmp_path: Path, clock):
    db = Database(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(db)
    looks: list[int] = []
    seen = threading.Condition()

    def plan(resource: Resource, *_) -> Plan:
        with seen:
            looks.append(len(looks))
            seen.notify()
        return Plan(resource, look_ms=20)

    kind = Kind("thing", plan, prepare=None)  # type: ignore[arg-type]
    made = Resource("0" * 12, "us-east-1", "thing", "it", "arn", "Busy", {}, 1, 1, due_at=1)
    db.write(lambda connection: resources.insert(connection, made))
    settings = Settings(home=tmp_path)
    broker = Broker(Resources(1))
    actor = Actor(db, ProcessRunner(settings), None, None, broker, None)  # type: ignore[arg-type]
    loop = Loop(db, {"thing": kind}, actor, broker)
    loop.start()
    try:
        with seen:
            assert seen.wait_for(lambda: len(looks) > 2, PATIENCE_SECONDS)
            clock(-_HOUR_NS)
            before = len(looks)
            assert seen.wait_for(lambda: len(looks) > before + 2, PATIENCE_SECONDS)
    finally:
        loop.stop()
        db.close()


def test_a_table_of_the_router_is_newer_than_the_one_before(tmp_path: Path, clock):
    ahead = time.time_ns() // 10**6 + 1_000_000
    settings = Settings(home=tmp_path)
    write_table(tmp_path, Table(ahead, settings.account, settings.region, {}, {}))
    Routes(settings, dict, {})
    assert load_table(table_path(tmp_path)).version == ahead + 1


def test_a_job_does_not_end_before_it_began():
    transitions = [{"Status": "Training", "StartTime": 5_000, "StatusMessage": ""}]
    job = Resource("", "", "training-job", "it", "", "InProgress", {}, 1, 1)
    job.state.update(Transitions=transitions, TrainingStartTime=5_000)
    done = training_plan._finished(job, "Completed", "Completed", "", 4_000)
    assert done.state["TrainingEndTime"] == 5_000
    assert all(each["EndTime"] >= each["StartTime"] for each in done.state["Transitions"])
