"""From the router's counts to the metric store: every line once, whoever is killed when."""

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.experiments import arms as tested
from studio.metrics import statistics, store
from studio.metrics.store import Metric
from studio.reconcile.collect import Collector
from studio.serving import counters
from studio.serving.arms import INFERENCE_ID, Arms
from studio.serving.counters import Counters
from studio.serving.limits import Limits
from studio.serving.routes import VariantRoute
from studio.serving.table import Arm, Variant
from studio.serving.upstream import Server
from studio.settings import Settings

pytestmark = pytest.mark.usefixtures("unfollowed")

SERVERS = [Server(f"127.0.0.1:{port}", Limits(), set()) for port in (1, 2)]
BLUE = VariantRoute("shop", Variant("blue"), "", SERVERS)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(tmp_path)


@pytest.fixture
def db(settings):
    database = Database(settings.database)
    migrate.upgrade(database)
    yield database
    database.close()


class Collected:
    """Collects by hand: no thread beside."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._collector = Collector(db, settings)
        self._collector.close()
        self.collect = self._collector._collect

    def value(self, name: str, statistic: str = "Sum") -> float | None:
        dimensions = (("EndpointName", "shop"), ("VariantName", "blue"))
        metric = Metric("0" * 12, "us-east-1", "AWS/SageMaker", name, dimensions)
        with self._db.read() as connection:
            found = store.read(connection, metric, 0, 2**62)
        rows = [row for of_unit in found.values() for row in of_unit]
        return statistics.value(statistic, rows) if rows else None


@pytest.fixture
def collected(db, settings) -> Collected:
    return Collected(db, settings)


def files(settings: Settings) -> list[Path]:
    return sorted(counters.folder(settings.home).iterdir())


def test_arms_of_a_test_are_taken_once(db, settings, collected):
    it = Resource("0" * 12, "us-east-1", "variant-test", "t", "arn", "Running", {}, 1, 1)
    db.write(lambda connection: resources.insert(connection, it))
    db.write(lambda connection: tested.begin(connection, it.id, ("blue",), 60_000))
    router, arm = Arms(settings.home), Arm(it.id, ids=True)
    for number in range(300):
        router.note(arm, "blue", {INFERENCE_ID: f"id-{number}"}, number % 3 > 0, 1_000)
    router.tick(1.0)
    collected.collect()
    collected.collect()
    again = Collected(db, settings)  # after a kill: nothing but the database knows how far it was
    again.collect()
    router.close()
    again.collect()
    with db.read() as connection:
        found = tested.tallies(connection, it.id)["blue"]
        ids = len(connection.execute(tested.TEST_ANSWER.select()).all())
    assert (found.requests, found.errors, ids) == (300, 100, 300)
    assert found.log_sum == pytest.approx(200 * math.log(1_000))
    assert not any((settings.home / "router" / "arms").iterdir())


def test_outcomes_and_latencies(settings, collected):
    router = Counters(settings.home)
    for status in (200, 200, 404, 500, 0, None):
        router.count(BLUE, status, 1_000, 50)
    router.count(BLUE, 200, 9_000, 50)
    for said in (b"1 0", b"5 3000", b"5", b"-5 1", b"1e9 1", b"9999999999 1", b"1 2 3"):
        router.count_batch(BLUE, said)
    router.close()
    collected.collect()
    assert collected.value("Invocations") == 7
    assert collected.value("BatchSize", "SampleCount") == 2
    assert collected.value("BatchSize", "Average") == 3
    assert collected.value("BatchWaitTime", "Maximum") == 3_000
    assert collected.value("Invocations", "SampleCount") == 7
    assert collected.value("InvocationsPerInstance") == 3.5
    assert collected.value("Invocation4XXErrors") == 1
    assert collected.value("Invocation5XXErrors") == 2
    assert collected.value("Invocation5XXErrors", "Average") == pytest.approx(2 / 7)
    assert collected.value("InvocationModelErrors") == 3
    assert collected.value("ModelLatency", "SampleCount") == 6
    assert collected.value("ModelLatency", "Maximum") == 9_000
    assert collected.value("ModelLatency", "Sum") == 14_000
    assert collected.value("ModelLatency", "p50") == 1_000
    assert collected.value("OverheadLatency", "Average") == 50


def test_a_file_is_read_while_it_grows_and_goes_when_its_router_is_done(settings, collected):
    router = Counters(settings.home)
    for number in range(1, 4):
        router.count(BLUE, 200, 1_000, 50)
        router.tick(number * 10.0)
        collected.collect()
        assert collected.value("Invocations") == number
        assert len(files(settings)) == 1
    router.close()
    collected.collect()
    assert collected.value("Invocations") == 3
    assert files(settings) == []


def test_counts_wait_for_their_time(settings, collected):
    router = Counters(settings.home)
    router.count(BLUE, 200, 1_000, 50)
    router.tick(100.0)
    router.count(BLUE, 200, 1_000, 50)
    router.tick(101.0)
    collected.collect()
    assert collected.value("Invocations") == 1
    router.tick(102.5)
    collected.collect()
    assert collected.value("Invocations") == 2
    router.close()


def test_another_control_plane_goes_on_where_the_last_one_died(db, settings, collected):
    router = Counters(settings.home)
    router.count(BLUE, 200, 1_000, 50)
    router.tick(10.0)
    collected.collect()
    router.count(BLUE, 200, 1_000, 50)
    router.tick(20.0)
    successor = Collected(db, settings)
    successor.collect()
    successor.collect()
    assert successor.value("Invocations") == 2
    router.close()


def test_a_death_between_the_store_and_the_removal_counts_nothing_twice(
    settings, collected, db, monkeypatch
):
    router = Counters(settings.home)
    router.count(BLUE, 200, 1_000, 50)
    router.close()

    def killed(path: Path) -> None:
        raise OSError("killed")

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(OSError, match="killed"):
        collected.collect()
    monkeypatch.undo()
    successor = Collected(db, settings)
    successor.collect()
    assert successor.value("Invocations") == 1
    assert files(settings) == []
    with db.read() as connection:
        assert connection.exec_driver_sql("SELECT * FROM metric_source").all() == []


def test_a_line_that_was_cut_short_and_one_that_is_none(settings, collected, capsys):
    router = Counters(settings.home)
    router.count(BLUE, 200, 1_000, 50)
    router.close()
    [path] = files(settings)
    good = path.read_bytes()
    path.write_bytes(good + b"[1]\n" + b'{"at": 1}\n' + good + good[:30])
    collected.collect()
    assert collected.value("Invocations") == 2
    assert files(settings) == []
    assert "skipped" in capsys.readouterr().out


def test_two_routers_at_once_and_many_files(settings, collected, monkeypatch):
    monkeypatch.setattr(counters, "_LARGEST_FILE", 100)
    monkeypatch.setattr(counters, "_MOST_FILES", 10)
    old, new = Counters(settings.home), Counters(settings.home)
    for number in range(20):
        for router in (old, new):
            router.count(BLUE, 200, 1_000, 50)
            router.tick(number * 10.0)
    assert len(files(settings)) == 10
    old.close()
    new.close()
    collected.collect()
    assert collected.value("Invocations") == 10
    assert files(settings) == []


def test_counting_is_cheap(settings):
    router = Counters(settings.home)
    started = time.process_time()
    for number in range(20_000):
        router.count(BLUE, 200, 1_000 + number, 40 + number % 50)
    spent = (time.process_time() - started) / 20_000
    router.close()
    # Far below it on an idle machine; the bound is for busy ones.
    assert spent < 20e-6
    [line] = files(settings)[0].read_bytes().splitlines()
    assert len(json.loads(line)["metrics"]["ModelLatency"]) < 400
    assert len(line) < 20_000


def test_counts_belong_to_whose_the_endpoint_is_or_was(db, settings, collected):
    arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/shop"
    for at, owner in ((1, "before"), (2, "ann")):
        shop = Resource("0" * 12, "us-east-1", "endpoint", "shop", arn, "InService", {}, at, at)
        shop = replace(shop, owner=owner, deleted_at=at)
        db.write(lambda connection, it=shop: resources.insert(connection, it))
    router = Counters(settings.home)
    router.count(BLUE, 200, 1_000, 50)
    router.close()
    collected.collect()
    with db.read() as connection:
        every = store.listing(connection, Metric("0" * 12, "us-east-1", "", ""), 0, "")
        assert {each.owner for each in every} == {"ann"}
