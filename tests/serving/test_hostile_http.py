"""Clients that are wrong, slow or hostile: the right refusal, and the others never notice."""

import contextlib
import socket
import threading

import pytest
from serving_support import Answer, exchange, is_closed
from waiting import eventually

ONE_FOR_ALL = True
HEALTH = b"GET /_studio/health HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Content-Length: 3\r\nContent-Length: 3",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: +3",
        b"Content-Length: 3x",
        b"Content-Length: 99999999999999999999999",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, identity",
        b"X-Folded: a\r\n b",
        b"X-Space : a",
        b"X-Nul: \x00",
        b": nameless",
    ],
)
def test_ambiguous_requests_are_refused_and_closed(router, model, head):
    with router.connect() as connection, connection.makefile("rb") as file:
        start = b"POST /endpoints/echo/invocations HTTP/1.1\r\nHost: a\r\n"
        connection.sendall(start + head + b"\r\n\r\nabc")
        answer = Answer(file)
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert is_closed(connection)
    assert model.bodies() == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"delete / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET /\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 403),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 403),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 405),
    ],
)
def test_what_is_no_request_of_ours(router, data, status):
    assert exchange(router, data).status == status


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 1_048_576 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 129 + b"\r\n",
        b"GET / HTTP/1.1\r\nX-Endless: " + b"a" * 300_000,
    ],
)
def test_large_headers_are_refused_by_431(router, data):
    with router.connect() as connection, connection.makefile("rb") as file:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        assert Answer(file).status == 431
    assert exchange(router, HEALTH).status == 200


def chunks(body: bytes, size: int, extension: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in parts) + b"0\r\n\r\n"


def as_chunked(request: bytes, encoded: bytes) -> bytes:
    head = request.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + encoded


def test_chunked_bodies_are_bodies(router, model):
    request = router.request(b"fast:chunked")
    answer = exchange(router, as_chunked(request, chunks(b"fast:chunked", 5)))
    assert (answer.status, answer.body) == (200, b"one")
    assert model.bodies() == ["fast:chunked"]


def test_trailers_do_not_pass_for_headers(router):
    request = router.request(b"fast")
    encoded = chunks(b"fast", 4)[:-2] + b"X-Amzn-SageMaker-Target-Variant: Blue\r\n\r\n"
    assert exchange(router, as_chunked(request, encoded)).status == 200


def test_chunked_bodies_are_bounded(router, model):
    request = router.request(b"fast")
    with router.connect() as connection, connection.makefile("rb") as file:
        with contextlib.suppress(ConnectionError):
            connection.sendall(as_chunked(request, chunks(b"x" * 6_300_000, 65_536)))
        assert Answer(file).status == 413
    with router.connect() as connection, connection.makefile("rb") as file:
        with contextlib.suppress(ConnectionError):
            connection.sendall(as_chunked(request, chunks(b"x" * 400, 1, b";" + b"e" * 4_000)))
        assert Answer(file).status == 431
    assert model.bodies() == []


def test_expect_100_continue(router):
    request = router.request(b"fast", headers=[("Expect", "100-continue")])
    head, body = request[:-4], request[-4:]
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(head)
        assert file.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert file.readline() == b"\r\n"
        connection.sendall(body)
        assert Answer(file).body == b"one"


def test_expect_with_too_large_a_body_is_refused_before_it_is_sent(router):
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 6291457\r\n\r\n"
    assert exchange(router, head).status == 413


def test_what_is_refused_can_be_sent_to_its_end(router):
    head = b"POST / HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n"
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(head)
        for _ in range(30):
            connection.sendall(b"x" * 1_000_000)
        assert Answer(file).status == 413


def test_pipelined_requests_are_answered_in_order(router):
    requests = [
        router.request(b"slow:0.3"), router.request(b"fast"), HEALTH,
        router.request(b"status:418"), router.request(b"fast", endpoint="nope"), HEALTH,
    ]  # fmt: skip
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(b"".join(requests))
        assert [Answer(file).status for _ in requests] == [200, 200, 200, 424, 400, 200]
        connection.sendall(HEALTH)
        assert Answer(file).status == 200


def test_requests_that_arrive_while_one_is_in_work_wait(router):
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(router.request(b"slow:0.5"))
        for size in (0, 10, 2_000_000):
            threading.Event().wait(0.05)
            connection.sendall(router.request(b"fast" + b":" * size))
        answers = [Answer(file).body for _ in range(4)]
        assert answers == [b"slept", b"one", b"one", b"one"]


def test_nobody_is_read_faster_than_answered(router):
    with router.connect() as connection:
        connection.sendall(router.request(b"slow:20"))
        connection.settimeout(2)
        with pytest.raises(TimeoutError):
            connection.sendall(router.request(b"x" * 1_000_000) * 30)


def test_requests_split_at_every_byte(router):
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in router.request(b"fast") + HEALTH:
            connection.sendall(bytes([byte]))
        assert Answer(file).body == b"one"
        assert Answer(file).body == b"{}"


def test_endless_pipelines_are_cut_after_whole_answers(router):
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(HEALTH * 100)
        answers = [Answer(file) for _ in range(64)]
        assert {answer.status for answer in answers} == {200}
        assert answers[-1].headers["connection"] == "close"


def test_http_1_0(router):
    old = router.request(b"fast").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(old)
        answer = Answer(file)
        assert (answer.body, answer.headers["connection"]) == (b"one", "close")
        assert is_closed(connection)
    with router.connect() as connection, connection.makefile("rb") as file:
        for _ in range(2):
            connection.sendall(old.replace(b"\r\n", b"\r\nConnection: keep-alive\r\n", 1))
            answer = Answer(file)
            assert (answer.body, answer.headers["connection"]) == (b"one", "keep-alive")


def test_offers_to_switch_the_protocol_are_passed_over(router):
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    health = HEALTH.replace(b"Host", offer + b"Host")
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(health * 2 + router.request(b"fast") + health)
        assert [Answer(file).body for _ in range(4)] == [b"{}", b"{}", b"one", b"{}"]
        # The parser would take the body for the other protocol's: nobody may smuggle by that.
        connection.sendall(router.request(HEALTH).replace(b"Host", offer + b"Host", 1))
        assert Answer(file).status == 400
        assert is_closed(connection)


def test_connection_close_is_honoured(router):
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(HEALTH.replace(b"Host", b"Connection: close\r\nHost") + HEALTH)
        assert Answer(file).headers["connection"] == "close"
        assert is_closed(connection)


def test_a_client_may_shut_its_half_and_wait(router):
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(router.request(b"slow:0.3"))
        connection.shutdown(socket.SHUT_WR)
        assert Answer(file).body == b"slept"
        assert is_closed(connection)


def test_a65_slow_clients_are_told_408(start_router):
    router = start_router("--receive-seconds", "0.5")
    for data in (b"G", b"GET / HTTP/1.1\r\nX-A: b\r\n"):
        answer = exchange(router, data)
        assert (answer.status, answer.headers["connection"]) == (408, "close")
    with router.connect() as connection:
        assert is_closed(connection)  # said nothing: hears nothing


def test_idle_connections_are_closed(start_router):
    router = start_router("--idle-seconds", "0.5")
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(HEALTH)
        assert Answer(file).status == 200
        assert is_closed(connection)


def test_too_many_connections(start_router):
    router = start_router("--connections", "3")
    held = [router.connect() for _ in range(3)]
    for connection in held:
        connection.sendall(HEALTH)
        assert connection.recv(12) == b"HTTP/1.1 200"
    with router.connect() as connection, connection.makefile("rb") as file:
        assert Answer(file).status == 503
    for connection in held:
        connection.close()


def test_clients_that_do_not_read_are_cut_off(start_router, model):
    router = start_router("--receive-seconds", "0.5", "--slowest-rate", "100000000")
    router.write({"echo": [("V", 1.0, [model.address])]})
    before = router.sockets()
    with router.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(router.request(b"huge:6000000") * 20)
        eventually(lambda: len(model.bodies()) >= 1)
        eventually(lambda: router.sockets() == before)  # the client's is gone, and the model's
        assert exchange(router, router.request(b"fast")).status == 200
    assert len(model.bodies()) < 10  # back-pressure: no answer is fetched that can't be sent


def test_a65_a_swarm_of_slow_clients_hurts_nobody(router):
    swarm = [router.connect() for _ in range(300)]
    for connection in swarm:
        connection.sendall(b"POST / HTTP/1.1\r\n")
    request = router.request(b"fast")
    assert {exchange(router, request).status for _ in range(50)} == {200}
    for connection in swarm:
        connection.close()
