"""The router of a home: started once, found, replaced when it dies, told of its table."""

import os
import signal
import urllib.request

import pytest
from waiting import eventually

from studio import processes
from studio.reconcile.routes import Routes
from studio.serving import control
from studio.serving.table import Key, Variant, load_table, table_path
from studio.settings import Settings

KEYS = {"AKIATESTTESTTESTTEST": Key("a secret of the tests")}


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    control.stop(tmp_path)


def test_start_is_idempotent_and_stop_ends_it(home):
    first = control.start(home)
    assert control.start(home) == first
    assert control.url(home).startswith("http://127.0.0.1:")
    assert control.stop(home)
    assert control.find(home) is None
    assert not control.stop(home)


def test_a_dead_router_is_replaced_on_the_same_port(home):
    watch = control.Watch(home)
    try:
        url = control.url(home)
        for _ in range(2):
            before = control.find(home)
            os.kill(before["pid"], signal.SIGKILL)
            eventually(lambda known=before: not processes.alive(known))
            # Who comes now waits for its successor, as often as it dies.
            assert urllib.request.urlopen(f"{url}/_studio/health", timeout=20).status == 200
            eventually(lambda known=before: control.find(home) not in (None, known))
            eventually(lambda: control.table_version(home) is not None)
            assert control.url(home) == url
    finally:
        watch.close()
    assert processes.alive(control.find(home))


def test_routes_are_in_force_when_set_returns(home):
    settings = Settings(home)
    routes = Routes(settings, lambda: KEYS, {"old": (Variant("v"),)})
    control.start(home)
    routes.set("new", (Variant("v", 1.0, ("127.0.0.1:9",)),))
    table = load_table(table_path(home))
    assert set(table.endpoints) == {"old", "new"}
    assert table.keys == KEYS
    assert control.table_version(home) == table.version
    routes.set("new", None)
    assert set(load_table(table_path(home)).endpoints) == {"old"}


def test_routes_can_be_written_while_no_router_runs(home):
    routes = Routes(Settings(home), lambda: KEYS, {})
    routes.set("e", (Variant("v"),))
    assert set(load_table(table_path(home)).endpoints) == {"e"}
