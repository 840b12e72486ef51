"""The router process: its table, its port, its lock; kills, stops and changes under load."""

import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from serving_support import Answer, exchange
from waiting import PATIENCE_SECONDS, eventually

from studio.serving.table import Key, Table, Variant, load_table, table_path, write_table


class Load:
    """Threads that send one signed request over and over, on connections kept alive."""

    def __init__(self, router, body=b"fast", threads=4) -> None:
        self.statuses: collections.Counter = collections.Counter()
        self.names: collections.Counter = collections.Counter()
        self.broken: list[BaseException] = []
        self._request = router.request(body)
        self._router = router
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def count(self) -> int:
        return self.statuses.total()

    def _run(self) -> None:
        try:
            with self._router.connect() as connection, connection.makefile("rb") as file:
                while not self._stop.is_set():
                    connection.sendall(self._request)
                    answer = Answer(file)
                    with self._lock:
                        self.statuses[answer.status] += 1
                        self.names[answer.headers.get("x-amzn-invoked-production-variant")] += 1
        except BaseException as error:
            self.broken.append(error)

    def more(self, count: int) -> None:
        """Let `count` more requests pass."""
        target = self.count + count
        eventually(lambda: self.count >= target or self.broken)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_weights_split_the_traffic_and_change_live(router, model):
    def split(a: float, b: float) -> None:
        router.write({"echo": [("A", a, [model.address]), ("B", b, [model.address])]})

    split(0.1, 0.9)
    load = Load(router)
    for a, b in ((1, 9), (1, 1), (3, 1)):
        split(a, b)
        load.more(50)  # answers of requests routed before the change
        load.names.clear()
        load.more(3000)
        counts = load.names["A"], load.names["B"]
        total = sum(counts)
        expected = total * a / (a + b), total * b / (a + b)
        chi_square = sum((n - e) ** 2 / e for n, e in zip(counts, expected, strict=True))
        assert chi_square < 23.9  # p = 0.000001 with one degree of freedom
    load.stop()
    assert load.broken == []
    assert set(load.statuses) == {200}


def test_servers_come_and_go_under_load_without_an_error(router, start_model):
    load = Load(router)
    models = [start_model(f"m{number}") for number in range(3)]
    for shift in range(12):
        chosen = [models[shift % 3].address, models[(shift + 1) % 3].address]
        router.write({"echo": [("V", 1.0, chosen)], f"other-{shift}": []})
        load.more(100)
    load.stop()
    assert load.broken == []
    assert set(load.statuses) == {200}


def test_connections_to_a_server_that_left_are_closed(router, start_model):
    other = start_model("other")
    before = router.sockets()
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(router.request())
        assert Answer(file).body == b"one"
        router.write({"echo": [("V", 1.0, [other.address])]})
        eventually(lambda: router.sockets() == before + 1)  # the client's own


def test_a_killed_replica_costs_only_what_it_held(router, start_model):
    first, second = start_model("first"), start_model("second")
    router.write({"echo": [("V", 1.0, [first.address, second.address])]})
    load = Load(router)
    load.more(500)
    second.process.kill()
    load.more(4000)
    load.stop()
    assert load.broken == []
    assert load.statuses[200] == load.count - load.statuses[424]
    assert load.statuses[424] <= 4  # one for each of the clients, at most


def test_a_broken_or_missing_table_changes_nothing(router):
    path = table_path(router.home)
    for broken in (b"", b"{", b"[]", b'{"version": 2}', b"\xff\xfe"):
        refusals = router.log().count("table refused")
        path.write_bytes(broken)
        eventually(lambda count=refusals: router.log().count("table refused") > count)
        assert exchange(router, router.request()).status == 200
    path.unlink()
    time.sleep(0.5)
    assert exchange(router, router.request()).status == 200


def test_sighup_reads_the_table_again(router):
    loads = router.log().count("table loaded")
    router.process.send_signal(signal.SIGHUP)
    eventually(lambda: router.log().count("table loaded") == loads + 1)


def test_an_announced_table_is_read_once(start_router, model):
    router = start_router()
    router.write({"echo": [("V", 1.0, [model.address])]})
    loads = router.log().count("table loaded")
    assert exchange(router, router.request()).status == 200
    # What was counted is written by the same tick that looks at the table's file.
    eventually(lambda: any((router.home / "router" / "metrics").iterdir()))
    router.hints = False
    router.write({"echo": [("V", 1.0, [model.address])]})
    assert router.log().count("table loaded") == loads + 1


def test_a_router_without_a_table_serves_nobody(start_router):
    router = start_router()
    assert exchange(router, b"GET /_studio/health HTTP/1.1\r\n\r\n").status == 200
    assert exchange(router, router.request()).error == "UnrecognizedClientException"


def test_killed_and_restarted_it_keeps_its_port(router):
    port, pid = router.port, router.process.pid
    router.process.kill()
    router.restart()
    assert router.port == port
    assert router.process.pid != pid
    assert exchange(router, router.request()).body == b"one"
    identity = json.loads((router.home / "router" / "pid.json").read_text())
    assert identity["pid"] == router.process.pid
    assert set(identity) == {"pid", "starttime", "boot_id"}


def test_sigterm_lets_requests_end_and_serves_no_new_ones(router, model):
    with router.connect() as busy, busy.makefile("rb") as file, router.connect() as idle:
        busy.sendall(router.request(b"held"))
        eventually(lambda: model.bodies() == ["held"])
        router.process.terminate()
        eventually(lambda: refuses(router))
        model.let_go()
        answer = Answer(file)
        assert (answer.status, answer.body) == (200, b"let go")
        assert answer.headers["connection"] == "close"
        assert idle.recv(1) == b""
    assert router.process.wait(30) == 0


def test_sigterm_does_not_wait_for_ever(start_router, model):
    router = start_router("--drain-seconds", "0.5")
    router.write({"echo": [("V", 1.0, [model.address])]})
    with router.connect() as busy:
        busy.sendall(router.request(b"slow:60"))
        eventually(lambda: model.bodies() == ["slow:60"])
        router.process.terminate()
        assert router.process.wait(30) == 0


def test_sigterm_under_load_breaks_no_answer(router):
    load = Load(router)
    load.more(200)
    router.process.terminate()
    assert router.process.wait(30) == 0
    load.stop()
    assert set(load.statuses) == {200}
    # Each client was told by its last answer, or found its idle connection closed.
    assert all(isinstance(error, OSError | IndexError) for error in load.broken)


def test_one_router_a_home(router):
    command = [sys.executable, "-m", "studio.serving.router", "--home", str(router.home)]
    second = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_named(start_router, tmp_path):
    first = start_router()
    other = tmp_path / "other"
    (other / "router").mkdir(parents=True)
    (other / "router" / "port").write_text(str(first.port))
    command = [sys.executable, "-m", "studio.serving.router", "--home", str(other)]
    second = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    assert second.returncode == 1
    assert f"Port {first.port} of the router is taken" in second.stderr


def test_its_files_are_the_owners_alone(router):
    for name in ("router/table.json", "router/port", "router/pid.json", "logs/router.log"):
        assert (router.home / name).stat().st_mode & 0o077 == 0


def test_it_imports_nothing_heavy():
    program = "import studio.serving.router, sys; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    heavy = {"botocore", "boto3", "tornado", "sqlalchemy", "numpy", "structlog", "click"}
    assert not heavy & set(modules)


def test_the_table_comes_back_as_it_was_written(tmp_path):
    variants = (Variant("A", 0.25, ("127.0.0.1:1", "127.0.0.1:2"), "arn:aws:logs:x:1:y"),)
    table = Table(
        3,
        "000000000000",
        "eu-west-1",
        {"AKIA": Key("s", "arn:a", "f0", 7, ("e",)), "B": Key("t")},
        {"e": variants, "f": ()},
    )
    write_table(tmp_path, table)
    assert load_table(table_path(tmp_path)) == table
    assert "AKIA" not in repr(table)


@pytest.mark.parametrize(
    "variant",
    [
        Variant("a\r\nX: y"),
        Variant("a", servers=("127.0.0.1:80\r\n",)),
        Variant("a", servers=("localhost",)),
        Variant("a", weight=-1.0),
        Variant("a", weight=float("nan")),
    ],
)
def test_a_table_that_could_forge_headers_is_never_written(tmp_path, variant):
    table = Table(1, "000000000000", "us-east-1", {}, {"e": (variant,)})
    with pytest.raises(ValueError, match=r"match|weight"):
        write_table(tmp_path, table)
    assert not os.path.lexists(table_path(tmp_path))


def refuses(router) -> bool:
    try:
        router.connect().close()
    except (ConnectionRefusedError, ConnectionResetError):  # the latter: just about to
        return True
    return False
