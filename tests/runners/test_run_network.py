"""What a run sees of the network: names of its job's hosts, or nothing at all."""

import contextlib
import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from left_over import assert_gone
from runner_contract import Bench, lasting
from waiting import eventually

from studio.errors import StudioError
from studio.runners import sandbox
from studio.runners.base import Network, Server
from studio.runners.process import ProcessRunner
from studio.settings import Settings

NAMES = (("algo-1", "127.201.3.1"), ("algo-2", "127.201.3.2"))


@pytest.fixture
def boxed(home) -> Iterator[Bench]:
    yield from lasting(Bench(ProcessRunner(Settings(home=home, sandbox="always"))))


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
    first = text.replace("hosts: mymachines", "hosts: files mymachines")
    assert sandbox._files_first(text) == first


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


SERVER = """
import http.server, os, socket
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        body = str(socket.if_nameindex()).encode() + b'x' * 300_000
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
port = int(os.environ['SAGEMAKER_BIND_TO_PORT'])
http.server.ThreadingHTTPServer(('0.0.0.0', port), Handler).serve_forever()
"""


def isolated_server(bench: Bench) -> str:
    return bench.start(
        "exec python3 $ML/code/server.py",
        files={"code/server.py": SERVER},
        server=Server(30.0),
        network=Network(isolated=True),
    )


def asked(address: str) -> bytes:
    with urllib.request.urlopen(f"http://{address}/ping", timeout=60) as answer:
        return answer.read()


def test_an_isolated_server_can_be_reached(boxed, home):
    run = isolated_server(boxed)
    address = boxed.until(run, lambda it: it.ready or it.ended).address
    for _ in range(3):
        body = asked(address)
        assert body.startswith(b"[(1, 'lo')]")
        assert len(body) > 300_000
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as kept:
        for _ in range(2):
            kept.sendall(b"GET /ping HTTP/1.1\r\nHost: it\r\n\r\n")
            received = b""
            while len(received) < 300_000:
                received += kept.recv(65536)
    boxed.stop(run)
    assert boxed.ended(run).phase == "stopped"
    assert_gone(home)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)))


def elsewhere(shim: int) -> list[int]:
    """The children of a shim that are in another network than this process."""
    found = []
    for pid in Path(f"/proc/{shim}/task/{shim}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError):  # it has ended
            if Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink():
                found.append(int(pid))
    return found


def test_a_bridge_that_is_killed_is_built_again(boxed, home):
    run = isolated_server(boxed)
    address = boxed.until(run, lambda it: it.ready or it.ended).address
    shim = json.loads((home / "runs" / run / "pid.json").read_text())["pid"]
    (bridge,) = eventually(lambda: elsewhere(shim))
    os.kill(bridge, signal.SIGKILL)

    def answers() -> bytes:
        try:
            return asked(address)
        except OSError:
            return b""

    eventually(answers)
    boxed.stop(run)
    assert boxed.ended(run).phase == "stopped"


_AS_SOMEBODY = """
import sys, time, urllib.request
from pathlib import Path
from studio.runners.base import Network, RunSpec, Server
from studio.runners.process import ProcessRunner
from studio.settings import Settings
home = Path(sys.argv[1]) / "home"
home.mkdir()
runner = ProcessRunner(Settings(home=home, sandbox="always"))
network = Network("algo-1", (("algo-1", "127.201.9.1"),), isolated=True)
spec = RunSpec(id="run", command=("python3", "/opt/ml/code/server.py"), network=network,
               files={"code/server.py": sys.argv[2]}, server=Server(30.0), stop_seconds=1.0)
handle = runner.start(spec)
while not (status := runner.poll("run", handle)).ready and not status.ended:
    time.sleep(0.02)
if status.ready:
    with urllib.request.urlopen(f"http://{status.address}/ping", timeout=60) as answer:
        print(answer.read(20))
runner.stop("run", handle)
while not (status := runner.poll("run", handle)).ended:
    time.sleep(0.02)
print(status.phase, status.message)
"""


def test_an_isolated_server_of_a_user_without_rights_can_be_reached(unprivileged):
    said = unprivileged.run(_AS_SOMEBODY, SERVER).splitlines()
    assert said[0].startswith("b\"[(1, 'lo')]xx"), said
    assert said[1].startswith("stopped")
