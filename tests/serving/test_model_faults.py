"""Model servers that fail: the caller learns what happened, and nothing is sent twice."""

import json
import signal
import socket
import threading
from time import monotonic

import pytest
from botocore.exceptions import ClientError
from serving_support import ACCOUNT, Answer, exchange
from waiting import eventually

from studio.serving.connection import Connection
from studio.serving.limits import Limits
from studio.serving.upstream import Server


def fault(router, body, client=None, **kwargs):
    with pytest.raises(ClientError) as caught:
        (client or router.client()).invoke_endpoint(EndpointName="echo", Body=body, **kwargs)
    return caught.value.response


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (503, "server")])
def test_a70_an_error_of_the_model_is_a_model_error(router, status, side):
    response = fault(router, b"status:%d" % status)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    message = response["Error"]["Message"]
    assert message.startswith(
        f'Received {side} error ({status}) from primary with message "broken: \ufffd {status}". '
    )
    assert "/aws/sagemaker/Endpoints/echo" in message
    assert ACCOUNT in message
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == f"broken: \ufffd {status}"
    assert response["LogStreamArn"] == (
        f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/echo"
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"close", "closed the connection"),
        (b"truncate", "closed the connection"),
        (b"garbage", "malformed"),
        (b"endless-head", "malformed"),
        (b"huge:6291457", "larger than 6291456 bytes"),
        (b"huge:1000000000", "larger than 6291456 bytes"),
        (b"chunked:97", "larger than 6291456 bytes"),
        (b"until-close:6291457", "larger than 6291456 bytes"),
    ],
)
def test_a70_no_proper_answer_is_a_model_error_too(router, model, body, words):
    response = fault(router, body)
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 0
    assert words in response["Error"]["Message"]
    assert exchange(router, router.request(b"fast:after")).body == b"one"
    assert model.bodies() == [body.decode(), "fast:after"]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"until-close:70000", b"z" * 70_000),
        (b"interim", b"after"),
        (b"twice", b"one"),
        (b"bare", b""),
        (b"chunked:3", b"y" * 196_608),
    ],
)
def test_unusual_answers_are_answers(router, body, answer):
    for _ in range(3):
        got = exchange(router, router.request(body))
        assert (got.status, got.body) == (200, answer)


def test_a70_a_model_that_takes_too_long(start_router, model):
    router = start_router("--model-seconds", "0.5")
    router.write({"echo": [("AllTraffic", 1.0, [model.address])]})
    response = fault(router, b"slow:30")
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 0
    assert "Your invocation timed out while waiting for a response" in response["OriginalMessage"]
    eventually(lambda: model.bodies() == ["slow:30"])


def test_a70_nobody_listens(router, model):
    model.stop()
    response = fault(router, b"fast")
    assert response["Error"]["Code"] == "ServiceUnavailable"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_dead_replica_costs_no_error(router, start_model):
    first, second = start_model("first"), start_model("second")
    router.write({"echo": [("V", 1.0, [first.address, second.address])]})
    request = router.request(b"fast")
    answers = [exchange(router, request).body for _ in range(20)]
    assert set(answers) == {b"first", b"second"}
    second.stop()
    answers = [exchange(router, request) for _ in range(200)]
    assert [answer.status for answer in answers] == [200] * 200
    assert {answer.body for answer in answers} == {b"first"}
    assert len(first.bodies()) + len(second.bodies()) == 220


def test_a_connection_that_the_server_closed_gets_no_request(router, model, start_model):
    request = router.request(b"fast")
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(request)
        assert Answer(file).body == b"one"
        router.process.send_signal(signal.SIGSTOP)
        connection.sendall(request)  # the router will hear of this first, then of the close
        model.stop()
        start_model("successor", port=model.port)
        router.process.send_signal(signal.SIGCONT)
        assert Answer(file).body == b"successor"


def test_a_connection_that_ended_before_anything_was_sent_may_be_replaced():
    class Call:
        def unreachable(self, server):
            self.tried = server

    server, call = Server("127.0.0.1:1", Limits(), set()), Call()
    server.in_flight = 1
    with socket.socket() as sock:
        Connection(server, sock).start(call, b"127.0.0.1:1")
    assert call.tried is server
    assert (server.in_flight, server.healthy(monotonic())) == (0, False)


def test_a_replica_comes_back_on_its_own(router, start_model):
    first, second = start_model("first"), start_model("second")
    router.write({"echo": [("V", 1.0, [first.address, second.address])]})
    request = router.request(b"fast")
    second.stop()
    for _ in range(5):
        exchange(router, request)
    start_model("again", port=second.port)
    eventually(lambda: exchange(router, request).body == b"again")


def test_a_stuck_replica_is_passed_over(start_router, start_model):
    router = start_router("--stuck-seconds", "1.5")
    first, second = start_model("first"), start_model("second")
    router.write({"echo": [("V", 1.0, [first.address, second.address])]})
    request = router.request(b"fast")
    for _ in range(4):
        exchange(router, request)
    second.process.send_signal(signal.SIGSTOP)
    stuck = [router.connect() for _ in range(4)]  # some of these hang, on the stopped server
    for connection in stuck:
        connection.sendall(request)
    eventually(lambda: len(first.bodies()) >= 4)
    threading.Event().wait(2.0)
    slow = [router.connect() for _ in range(8)]  # more than the stopped server holds
    held = router.request(b"held")
    for connection in slow:
        connection.sendall(held)
    eventually(lambda: first.bodies().count("held") == 8)
    first.let_go()
    for connection in slow:
        assert connection.recv(12) == b"HTTP/1.1 200"
    for connection in (*slow, *stuck):
        connection.close()


def test_a70_too_much_for_a_server_is_refused_at_once(start_router, model):
    router = start_router("--in-flight", "4")
    router.write({"echo": [("V", 1.0, [model.address])]})
    request = router.request(b"held")
    held = [router.connect() for _ in range(4)]
    for connection in held:
        connection.sendall(request)
    eventually(lambda: len(model.bodies()) == 4)
    answer = exchange(router, request)
    assert (answer.status, answer.error) == (503, "ServiceUnavailable")
    model.let_go()
    for connection in held:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()
    assert exchange(router, router.request(b"fast")).status == 200


def test_a_caller_that_leaves_harms_nobody(router, model):
    for _ in range(3):
        with router.connect() as connection:
            connection.sendall(router.request(b"slow:0.5"))
    eventually(lambda: len(model.bodies()) == 3)
    assert exchange(router, router.request(b"fast")).status == 200
    threading.Event().wait(1.0)  # the answers that nobody wants arrive
    assert exchange(router, router.request(b"fast")).status == 200
    assert "unexpected error" not in router.log()


def health(router) -> dict:
    return json.loads((router.home / "router" / "servers.json").read_text())


def test_a_replica_that_answers_500_is_passed_over_until_it_is_well(start_router, start_model):
    router = start_router("--failing-answers", "3", "--hung-seconds", "0.1")
    first, second = start_model("first"), start_model("second")
    router.write({"echo": [("V", 1.0, [second.address])]})
    second.unwell.touch()
    for _ in range(3):
        assert exchange(router, router.request(b"status:500")).status == 424
    router.write({"echo": [("V", 1.0, [first.address, second.address])]})
    answers = {exchange(router, router.request(b"fast")).body for _ in range(20)}
    assert answers == {b"first"}
    eventually(
        lambda: "/ping" in health(router)["Unwell"].get(second.address, {}).get("Reason", "")
    )
    eventually(lambda: health(router)["Hung"] == [second.address])
    second.unwell.unlink()
    eventually(lambda: exchange(router, router.request(b"fast")).body == b"second")
    eventually(lambda: (known := health(router))["Unwell"] == {} and known["Hung"] == [])


def test_who_leaves_with_requests_is_told(router, model, start_model):
    other = start_model("two")
    with router.connect() as connection:
        connection.sendall(router.request(b"slow:1"))
        eventually(lambda: model.bodies() == ["slow:1"])
        router.write({"echo": [("V", 1.0, [other.address])]})
        assert health(router)["Leaving"] == [model.address]
        assert connection.recv(12) == b"HTTP/1.1 200"
    eventually(lambda: health(router)["Leaving"] == [])
