"""What a router counts reaches the disk, also when it is killed."""

import fcntl
import json
import signal

from serving_support import exchange
from waiting import eventually

from studio.serving import arms, counters
from studio.serving.limits import Limits
from studio.serving.loads import Loads
from studio.serving.routes import VariantRoute
from studio.serving.table import Arm, Variant
from studio.serving.upstream import Server


def lines(router, folder=counters.folder) -> list[dict]:
    files = sorted(folder(router.home).glob("[0-9]*"))
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def counted(router, metric: str = "Invocations") -> float:
    return sum(
        total for line in lines(router) for _, total, _, _ in line["metrics"].get(metric, [])
    )


def test_outcomes_are_counted_and_a_kill_loses_nothing_that_was_written(router):
    for _ in range(20):
        assert exchange(router, router.request()).status == 200
    assert exchange(router, router.request(b"status:404")).status == 424
    assert exchange(router, router.request(b"status:500")).status == 424
    eventually(lambda: counted(router) == 22)
    router.process.send_signal(signal.SIGKILL)
    router.restart()
    for _ in range(10):
        exchange(router, router.request())
    router.process.send_signal(signal.SIGTERM)
    router.process.wait(30)
    assert counted(router) == 32
    assert counted(router, "Invocation4XXErrors") == 1
    assert counted(router, "Invocation5XXErrors") == 1
    assert counted(router, "InvocationModelErrors") == 2
    assert {(line["endpoint"], line["variant"]) for line in lines(router)} == {
        ("echo", "AllTraffic")
    }


def test_requests_at_the_same_time_are_sampled_until_a_while_after_the_last():
    servers = [Server(f"127.0.0.1:{port}", Limits(), set()) for port in (1, 2)]
    variant = VariantRoute("e", Variant("v", 1, ()), "", servers)
    idle = VariantRoute("e", Variant("idle", 1, ()), "", [])
    servers[0].in_flight, servers[1].in_flight = 3, 1
    loads = Loads()
    loads.sample([variant, idle], 0.0)
    for server in servers:
        server.in_flight = 0
    loads.sample([variant, idle], 1.0)
    [line] = map(json.loads, loads.lines(7))
    row = [2, 2.0, 0.0, 2.0]  # two looks: two requests for each server, then none
    assert line["metrics"] == {"ConcurrentRequestsPerModel": [row]}
    assert (line["endpoint"], line["variant"], line["at"]) == ("e", "v", 7)
    loads.sample([variant, idle], 9.0)
    assert loads
    list(loads.lines(8))
    loads.sample([variant, idle], 30.0)
    list(loads.lines(9))
    loads.sample([variant, idle], 31.0)
    assert not loads


def test_a_variant_that_is_tested_notes_what_the_weights_sent_to_it(router, model):
    router.write({"echo": [Variant("blue", 1, (model.address,), arm=Arm("t1", ids=True))]})
    named = {"X-Amzn-SageMaker-Target-Variant": "blue"}
    known = {"X-Amzn-SageMaker-Inference-Id": "id-1"}
    for headers in ({}, known, {"X-Amzn-SageMaker-Inference-Id": "x" * 65}, {**named, **known}):
        assert exchange(router, router.request(headers=headers)).status == 200
    assert exchange(router, router.request(b"status:500")).status == 424
    eventually(lambda: sum(line["requests"] for line in lines(router, arms.folder)) == 4)
    router.process.kill()
    noted = lines(router, arms.folder)
    assert {(line["test"], line["variant"]) for line in noted} == {("t1", "blue")}
    assert sum(line["errors"] for line in noted) == 1
    assert [given for line in noted for given in line["ids"]] == ["id-1"]
    total = sum(line["log_sum"] for line in noted)
    # The sum of three logarithms of microseconds, and of their squares.
    assert 3 * 3 < total < 3 * 17
    assert sum(line["log_squares"] for line in noted) >= total**2 / 3


def test_what_reaches_no_variant_is_not_counted(router):
    assert exchange(router, router.request(endpoint="nobody")).status == 400
    router.process.send_signal(signal.SIGTERM)
    router.process.wait(30)
    assert lines(router) == []


def test_a_file_is_locked_until_its_router_has_ended(router):
    exchange(router, router.request())
    eventually(lambda: lines(router))
    [path] = counters.folder(router.home).glob("[0-9]*")
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            router.process.kill()
            router.process.wait(30)
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        else:
            raise AssertionError("the file of a living router is not locked")
