"""Jupyter's control plane: it outlives Jupyter, is started again when it dies, not when it was
stopped, and what can't be helped is said."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from jupyters import ended, kill_studio, running_jupyter
from studios import run_studio
from tornado.netutil import bind_sockets
from waiting import eventually

from studio import daemon
from studio.errors import StudioError
from studio.extension import access
from studio.extension.plane import Plane
from studio.settings import Settings


def pid_of(home):
    return json.loads((home / "pid.json").read_text())["pid"]


def test_the_next_call_after_a_death_works(jupyter):
    home = jupyter.log.parent / "home"
    jupyter.ready()
    jupyter.ask("PUT", "s3/kept")
    dead = kill_studio(home)
    with ThreadPoolExecutor(16) as people:
        answers = list(people.map(lambda _: jupyter.ask("GET", "s3/"), range(16)))
    assert [it.text for it in answers if "<Name>kept</Name>" not in it.text] == []
    assert pid_of(home) != dead
    # Sixteen have asked, one was started.
    assert (home / "logs" / "studio.log").read_text().count('"event": "ready"') == 2


def test_an_upload_that_finds_it_dead_is_not_lost(jupyter):
    jupyter.ready()
    jupyter.ask("PUT", "s3/uploads")
    kill_studio(jupyter.log.parent / "home")
    assert jupyter.ask("PUT", "s3/uploads/k", data=b"x" * 3_000_000).ok
    assert len(jupyter.ask("GET", "s3/uploads/k").content) == 3_000_000


def test_it_outlives_jupyter_and_the_next_one_attaches(tmp_path):
    home = tmp_path / "home"
    with ended(home):
        with running_jupyter(tmp_path, home) as jupyter:
            first = jupyter.ready()
            pid = pid_of(home)
        assert daemon.status(home).ready
        with running_jupyter(tmp_path, home) as jupyter:
            assert jupyter.ready() == first
            assert pid_of(home) == pid


def test_what_was_stopped_stays_stopped(tmp_path):
    """Whoever makes a backup or installs another version wants that."""
    home = tmp_path / "home"
    with ended(home), running_jupyter(tmp_path, home) as jupyter:
        jupyter.ready()
        run_studio("stop", "--home", home)
        refused = jupyter.ask("POST", "aws/sagemaker/ListModels")
        assert refused.status_code == 503
        assert refused.json()["__type"] == "ServiceUnavailable"
        assert "studio serve --detach" in refused.json()["message"]
        assert jupyter.status()["problem"] == refused.json()["message"]
        assert jupyter.ask("PUT", "s3/b/k", data=b"x" * 1_000_000).status_code == 503
        run_studio("serve", "--detach", "--home", home)
        assert jupyter.call("ListModels") == {"Models": []}
        assert jupyter.status()["problem"] == ""


@pytest.mark.parametrize(("member", "value"), [("version", "0.0.1"), ("prefix", "/opt/other")])
def test_another_installation_is_told(jupyter, member, value):
    jupyter.ready()
    file = jupyter.log.parent / "home" / "pid.json"
    known = file.read_text()
    try:
        file.write_text(json.dumps(json.loads(known) | {member: value}))
        status = jupyter.status()
    finally:
        file.write_text(known)
    assert status["ready"]
    assert value in status["problem"]
    assert "studio stop" in status["problem"]


def test_a_start_in_vain_is_not_tried_by_every_request(tmp_path):
    settings = Settings(tmp_path)
    found = access.find(settings, {})
    now = 100.0
    plane = Plane(settings, found, {}, lambda: now)
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(found.url.rpartition(":")[2])))
        other.listen()
        tries = [failure(plane) for _ in range(3)]
        assert len(set(tries)) == 1
        assert "taken by another program" in tries[0]
        output = tmp_path / "logs" / "studio.log"
        assert output.read_text().count("taken by another") == 1
        now += 1.5  # the pause is over, the next one is longer
        assert failure(plane) == failure(plane) == tries[0]
        assert output.read_text().count("taken by another") == 2
        now += 1.5
        failure(plane)
        assert output.read_text().count("taken by another") == 2


def failure(plane):
    with pytest.raises(StudioError) as caught:
        asyncio.run(plane.revive())
    return str(caught.value)


def test_addresses_are_known_before_anything_runs(tmp_path):
    """Kernels must not wait for it, and keep what they were told."""
    settings = Settings(tmp_path)
    with ThreadPoolExecutor(8) as jupyters:
        found = set(jupyters.map(lambda _: daemon.reserve(settings), range(8)))
    assert len(found) == 1
    with ended(tmp_path):
        known = daemon.ensure(settings)
        assert (known.url, known.router_url) == found.pop()
        assert daemon.ensure(settings) == known


def test_a_port_that_was_picked_is_nobody_elses_before_it_is_listened_on(tmp_path):
    """Some imports lie between the two."""
    with daemon._held_port(Settings(tmp_path)) as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        (listener,) = bind_sockets(port, "127.0.0.1")
        listener.close()


def test_two_that_start_it_have_one(tmp_path):
    settings = Settings(tmp_path)
    with ended(tmp_path), ThreadPoolExecutor(2) as jupyters:
        first, second = jupyters.map(lambda _: daemon.ensure(settings), range(2))
        assert first == second
        assert eventually(lambda: daemon.status(tmp_path).ready)


def test_one_that_is_killed_while_it_starts_is_started_again(tmp_path):
    with ended(tmp_path), ThreadPoolExecutor(1) as starter:
        starting = starter.submit(daemon.ensure, Settings(tmp_path))
        eventually((tmp_path / "pid.json").exists)
        dead = kill_studio(tmp_path)
        assert starting.result().ready
        assert pid_of(tmp_path) != dead
