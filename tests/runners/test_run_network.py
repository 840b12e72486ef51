"""What a run sees of the network: names of its job's hosts, or nothing at all."""

import socket
import time

import pytest
from runner_contract import Bench

from studio.errors import StudioError
from studio.runners import sandbox
from studio.runners.base import Network
from studio.runners.process import ProcessRunner
from studio.settings import Settings

NAMES = (("algo-1", "127.201.3.1"), ("algo-2", "127.201.3.2"))


@pytest.fixture
def boxed(home) -> Bench:
    return Bench(ProcessRunner(Settings(home=home, sandbox="always")))


def test_a_run_has_the_name_of_its_host_and_finds_the_others(boxed):
    script = (
        "hostname; echo $HOSTNAME; "
        "python3 -c \"import socket; print(*map(socket.gethostbyname, ('algo-1', 'algo-2')))\"; "
        "python3 -c \"import socket; print(socket.gethostbyname('localhost'))\"; "
        "touch /etc/hosts 2>/dev/null && echo wrote"
    )
    _, lines = boxed.result(script, network=Network("algo-2", NAMES))
    assert lines == ["algo-2", "algo-2", "127.201.3.1 127.201.3.2", "127.0.0.1"]


def test_hosts_may_bind_the_same_port_and_talk(boxed):
    first = boxed.start(
        "python3 -c \"import socket; s = socket.create_server(('algo-1', 7777)); "
        "print('listening', flush=True); c = s.accept()[0]; print(c.recv(9).decode())\"",
        network=Network("algo-1", NAMES),
    )
    boxed.said(first, "listening")
    _, lines = boxed.result(
        "python3 -c \"import socket; s = socket.create_server(('algo-2', 7777)); "
        "socket.create_connection(('algo-1', 7777)).sendall(b'hello'); print('sent')\"",
        network=Network("algo-2", NAMES),
    )
    assert lines == ["sent"]
    boxed.ended(first)
    assert boxed.lines(first) == ["listening", "hello"]


def test_a_resolver_service_of_the_machine_is_not_asked_first():
    text = "passwd: files\nhosts: mymachines resolve [!UNAVAIL=return] files dns\ngroup: files\n"
    assert sandbox._files_first(text) == "passwd: files\nhosts: files dns\ngroup: files\n"


REACH = """
import socket, sys
def reached(address, family=socket.AF_INET):
    with socket.socket(family) as it:
        it.settimeout(2)
        try:
            it.connect(address)
        except OSError as error:
            return type(error).__name__
        return 'reached'
print(reached(('127.0.0.1', %d)), reached(chr(0) + %r, socket.AF_UNIX))
print(reached(('169.254.169.254', 80)), reached(('192.0.2.1', 80)))
print(socket.if_nameindex())
server = socket.create_server(('algo-1', 7777))
print(reached(('algo-1', 7777)), reached(('127.0.0.1', 7777)))
"""


def test_an_isolated_run_reaches_nothing_but_itself(boxed):
    name = f"studio-test-{time.monotonic_ns()}"
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket(socket.AF_UNIX) as unix:
        unix.bind("\0" + name)
        unix.listen()
        script = REACH % (other.getsockname()[1], name)
        results = [
            boxed.result(
                "exec python3 $ML/code/reach.py",
                files={"code/reach.py": script},
                network=Network("algo-1", NAMES[:1], isolated),
            )[1]
            for isolated in (False, True)
        ]
    open_, shut = results
    assert open_[0] == "reached reached"
    assert shut[0] == "ConnectionRefusedError ConnectionRefusedError"
    assert shut[1] == "OSError OSError"
    assert shut[2] == "[(1, 'lo')]"
    assert shut[3].split()[0] == "reached"


def test_without_a_sandbox_hosts_and_isolation_are_refused(home):
    bench = Bench(ProcessRunner(Settings(home=home, sandbox="never")))
    for network in (Network("algo-1", NAMES), Network(isolated=True)):
        with pytest.raises(StudioError, match="need bubblewrap"):
            bench.start("true", network=network)
    status, lines = bench.result("echo ran", network=Network("algo-1", NAMES[:1]))
    assert (status.phase, lines) == ("succeeded", ["ran"])
