"""Model servers that misbehave: they are judged, stopped and never taken for one another."""

import socket
import time
from collections.abc import Iterator

import pytest
from runner_contract import Bench, lasting, serving

from studio.runners.base import Resources, Server
from studio.runners.process import ProcessRunner
from studio.runners.shim.command import Port
from studio.settings import Settings

HOSTILE = """python3 -c "
import os, socket, sys, time
port = int(os.environ['SAGEMAKER_BIND_TO_PORT'])
with socket.create_server(('127.0.0.1', port)) as server:
    print('listening', flush=True)
    while True:
        connection, _ = server.accept()
        try:
            connection.recv(1000)
            {answer}
        except OSError:
            pass
        connection.close()
" """
ANSWERS = {
    "silence": "time.sleep(1000)",
    "one byte a second": "[(connection.sendall(b'H'), time.sleep(0.9)) for _ in range(1000)]",
    "nothing": "pass",
    "endless": "[connection.sendall(b'x' * 65536) for _ in range(10**6)]",
    "not found": "connection.sendall(b'HTTP/1.1 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n')",
    "a redirect": "connection.sendall(b'HTTP/1.1 302 Found\\r\\nLocation: /\\r\\n\\r\\n')",
    "no http": "connection.sendall(b'SSH-2.0-OpenSSH_9.2 200 \\r\\n')",
}


@pytest.fixture
def boxed(home) -> Iterator[Bench]:
    yield from lasting(Bench(ProcessRunner(Settings(home=home))))


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_that_are_not_healthy(boxed: Bench, answer: str):
    run = boxed.start(HOSTILE.format(answer=ANSWERS[answer]), server=Server(1.0))
    status = boxed.ended(run)
    assert (status.phase, status.reason) == ("failed", "HealthCheckFailed")
    assert [stage for stage, _ in status.stages] == ["Downloading", "Starting"]


@pytest.mark.parametrize("answer", ["silence", "one byte a second"])
def test_a_server_that_holds_the_health_check_is_stopped_all_the_same(boxed: Bench, answer: str):
    run = boxed.start(HOSTILE.format(answer=ANSWERS[answer]), server=Server(600.0))
    boxed.said(run, "listening")
    time.sleep(0.2)
    boxed.stop(run)
    assert boxed.ended(run).phase == "stopped"


def test_a_server_that_answers_in_pieces_is_healthy(boxed: Bench):
    pieces = (
        "[(connection.sendall(bytes([b])), time.sleep(0.01)) for b in b'HTTP/1.0 200 OK\\r\\n']"
    )
    run = boxed.start(HOSTILE.format(answer=pieces), server=Server(30.0))
    assert boxed.until(run, lambda it: it.ready or it.ended).ready
    boxed.stop(run)
    boxed.ended(run)


def test_many_servers_at_once_have_addresses_of_their_own(boxed: Bench):
    runs = [boxed.start(serving("true"), server=Server(60.0)) for _ in range(6)]
    found = [boxed.until(run, lambda it: it.ready or it.ended) for run in runs]
    assert all(status.ready for status in found), found
    assert len({status.address for status in found}) == 6
    for run in runs:
        boxed.stop(run)
    assert {boxed.ended(run).phase for run in runs} == {"stopped"}


def test_a_port_is_nobody_elses_while_it_is_held():
    held = [Port() for _ in range(200)]
    assert len({port.number for port in held}) == 200
    for port in held:
        with (
            pytest.raises(OSError, match="in use"),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as it,
        ):
            it.bind(f"\0studio-port-{port.number}")
        port.close()


def test_a_healthy_server_that_dies_is_not_ready(boxed: Bench, home):
    hold = 'until [ -e "$ML/go" ]; do sleep 0.05; done'
    run = boxed.start(f"({serving('true')}) & {hold}; echo gone; exit 9", server=Server(30.0))
    assert boxed.until(run, lambda it: it.ready or it.ended).ready
    (home / "runs" / run / "ml" / "go").touch()
    status = boxed.ended(run)
    assert (status.phase, status.exit_code) == ("failed", 9)
    assert not status.ready


def test_memory_of_daemons_counts(boxed: Bench, home):
    """They are no children of the command any more, with a sandbox or without."""
    hog = "import time; x = bytearray(300 * 2**20); x[::4096] = x[::4096]; time.sleep(60)"
    for bench in (boxed, Bench(ProcessRunner(Settings(home=home, sandbox="never")))):
        status, _ = bench.result(
            f"(setsid python3 -c '{hog}' &) ; sleep 60", resources=Resources(1, 150)
        )
        assert (status.phase, status.reason) == ("failed", "OutOfMemory")
