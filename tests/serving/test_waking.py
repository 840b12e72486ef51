"""A variant without servers: its requests wait, and the control plane is told."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from serving_support import Answer, Router
from waiting import eventually

from studio.serving import waking
from studio.serving.limits import Limits
from studio.serving.routes import Routes
from studio.serving.table import Sleep, Table, Variant

ENDPOINT_ID = "e" * 32


def sleeper(*servers: str, **sleep) -> Variant:
    return Variant("AllTraffic", 1.0, servers, sleep=Sleep(ENDPOINT_ID, **{"capacity": 2} | sleep))


@contextmanager
def asked(router: Router, body: bytes = b"fast") -> Iterator[socket.socket]:
    with router.connect() as client:
        client.sendall(router.request(body))
        yield client


def demand(router: Router) -> dict:
    return waking.read(router.home).get("echo/AllTraffic", {"Asked": 0, "Busy": []})


def said(client: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    with client.makefile("rb") as file:
        answer = Answer(file)
    return answer.status, answer.body


def message(body: bytes) -> str:
    return next(text for name, text in json.loads(body).items() if name.lower() == "message")


@pytest.fixture
def control_plane(router) -> Iterator[socket.socket]:
    """What the control plane hears."""
    folder = os.open(router.home, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(30)
        channel.bind(f"/proc/self/fd/{folder}/hints.sock")
        yield channel
    os.close(folder)
    (router.home / "hints.sock").unlink()


def test_a_request_waits_for_a_server_and_the_control_plane_is_told(router, model, control_plane):
    router.write({"echo": [sleeper()]})
    with asked(router) as client:
        assert control_plane.recv(256).decode() == ENDPOINT_ID
        known = demand(router)
        assert known["Asked"] > 0 == known["Ready"]
        assert len(known["Busy"]) == 1
        router.write({"echo": [sleeper(model.address)]})
        assert said(client) == (200, b"one")
    known = eventually(lambda: it if (it := demand(router))["Answered"] else None)
    assert known["Asked"] <= known["Ready"] <= known["Answered"]
    # Awake, nobody is told of anything.
    with asked(router) as client:
        assert said(client) == (200, b"one")
    assert demand(router)["Asked"] == known["Asked"]
    # Asleep again, the next start has times of its own.
    router.write({"echo": [sleeper()]})
    with asked(router) as client:
        again = eventually(lambda: it if (it := demand(router))["Asked"] > known["Asked"] else None)
        assert (again["Ready"], again["Answered"]) == (0, 0)
        router.write({"echo": [sleeper(trouble="boom")]})
        assert said(client)[0] == 503


def test_a_server_has_so_many_at_once_and_the_variant_no_more_than_it_may(router, model):
    router.write({"echo": [sleeper(model.address, capacity=1, most=2)]})
    with asked(router, b"held") as first:
        eventually(lambda: model.bodies() == ["held"])
        with asked(router, b"fast") as second:
            eventually(lambda: len(demand(router)["Busy"]) == 2)
            with asked(router) as third:
                status, body = said(third)
            assert (status, message(body)) == (429, "Rate exceeded")
            assert model.bodies() == ["held"]
            model.let_go()
            assert said(first) == (200, b"let go")
            assert said(second) == (200, b"one")


def test_who_does_not_wait_any_more_is_forgotten(router, model):
    router.write({"echo": [sleeper(most=1)]})
    with asked(router, b"gone"):
        eventually(lambda: demand(router)["Asked"])

    def taken() -> bool:
        """There is room for one once the other is forgotten."""
        with asked(router, b"status:200") as client:
            client.settimeout(0.1)
            try:
                return said(client)[0] != 429
            except TimeoutError:
                return True

    eventually(taken)
    router.write({"echo": [sleeper(model.address)]})
    with asked(router, b"fast") as client:
        assert said(client)[0] == 200
    assert "gone" not in model.bodies()


def test_requests_wait_neither_for_what_does_not_start_nor_for_ever(start_router):
    router = start_router("--held-seconds", "0.2", "--held", "1")
    router.write({"echo": [sleeper()]})
    with asked(router) as client, asked(router) as other:
        answers = [message(body) for _, body in (said(client), said(other))]
    assert sorted(answers) == [
        "Variant AllTraffic of endpoint echo is being started, and too many requests wait already.",
        "Variant AllTraffic of endpoint echo sleeps, and nobody wakes it: the control plane does "
        "not run. Start it with `studio serve`.",
    ]
    router.write({"echo": [sleeper(trouble="boom")]})
    with asked(router) as client:
        status, body = said(client)
    assert (status, message(body)) == (
        503,
        "Variant AllTraffic of endpoint echo does not start: boom",
    )


def test_what_a_router_knew_the_next_one_knows(router, model):
    router.write({"echo": [sleeper(model.address)]})
    with asked(router) as client:
        assert said(client)[0] == 200
    before = eventually(lambda: demand(router).get("Busy"))
    router.process.kill()
    router.restart()
    with router.connect() as client:
        client.sendall(b"GET /_studio/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert said(client)[0] == 200
    assert demand(router)["Busy"] >= before


def test_a_variant_that_sleeps_has_its_weight():
    made = Routes(Limits(), set())
    awake = Variant("b", 1.0, ("127.0.0.1:1",))
    made.update(Table(1, "0" * 12, "us-east-1", {}, {"echo": (sleeper(), awake)}))
    assert {made.find("echo", None).name for _ in range(200)} == {"AllTraffic", "b"}
