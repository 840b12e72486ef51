"""InvokeEndpointWithResponseStream: pieces pass as they come, and each end is told."""

import json
import os
import signal
import socket
from contextlib import closing

import pytest
from botocore.exceptions import ClientError, EventStreamError
from serving_support import Answer, exchange, is_closed
from waiting import eventually

ONE_FOR_ALL = True
PATH = "/endpoints/echo/invocations-response-stream"


def stream(router, body, **kwargs):
    return router.client().invoke_endpoint_with_response_stream(
        EndpointName="echo", Body=body, **kwargs
    )


def parts(answer):
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


def failure(answer):
    """The pieces before the end, and what the end says."""
    got = []
    with closing(answer["Body"]), pytest.raises(EventStreamError) as caught:
        got.extend(event["PayloadPart"]["Bytes"] for event in answer["Body"])
    return got, caught.value.response["Error"]


def test_pieces_pass_before_the_next_is_made(router, model):
    model.journal.with_suffix(".go").unlink(missing_ok=True)
    answer = stream(router, b"pieces:one,...,two", CustomAttributes="trace=6")
    assert answer["ContentType"] == "text/event-stream"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "trace=7"
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert "x-private" not in headers
    events = iter(answer["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"one"
    model.let_go()
    assert next(events)["PayloadPart"]["Bytes"] == b"two"
    assert list(events) == []


def test_the_model_is_asked_as_always(router):
    seen = json.loads(b"".join(parts(stream(router, b"pieces:headers", Accept="text/plain"))))
    named = {name.lower(): value for name, value in seen.items() if name != "Host"}
    assert named == {"accept": "text/plain", "content-length": "14"}


@pytest.mark.parametrize(
    ("body", "size"), [(b"huge:7000000", 7_000_000), (b"chunked:97", 97 * 65_536), (b"bare", 0)]
)
def test_any_answer_streams_and_none_is_too_long(router, body, size):
    for _ in range(2):
        assert len(b"".join(parts(stream(router, body)))) == size


def test_errors_before_the_first_piece_are_answers(router):
    for body, code in ((b"status:400", "ModelError"), (b"close", "ModelError")):
        with pytest.raises(ClientError) as caught:
            stream(router, body)
        assert caught.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError, match="Variant Blue .* not found"):
        stream(router, b"fast", TargetVariant="Blue")
    assert exchange(router, router.request(b"fast")).body == b"one"


def test_a_model_that_breaks_off(router):
    got, error = failure(stream(router, b"pieces:a,b,!"))
    assert b"".join(got) == b"ab"
    assert error["Code"] == "ModelStreamError"
    assert "closed the connection" in error["Message"]


def test_a_model_that_falls_silent(start_router, model):
    router = start_router("--stream-seconds", "0.5")
    router.write({"echo": [("V", 1.0, [model.address])]})
    got, error = failure(stream(router, b"pieces:a,?"))
    assert got == [b"a"]
    assert error["Code"] == "ModelStreamError"
    assert "timed out" in error["Message"]


def test_a_router_that_stops_says_so(start_router, model):
    router = start_router("--drain-seconds", "0.1")
    router.write({"echo": [("V", 1.0, [model.address])]})
    answer = stream(router, b"pieces:a,?")
    router.process.send_signal(signal.SIGTERM)
    got, error = failure(answer)
    assert got == [b"a"]
    assert error["Code"] == "InternalStreamFailure"


def test_who_leaves_ends_the_request(router, model):
    gone = model.journal.with_suffix(".gone")
    for half in (False, True):
        gone.unlink(missing_ok=True)
        with router.connect() as connection:
            connection.sendall(router.request(b"endless", path=PATH))
            assert connection.recv(12) == b"HTTP/1.1 200"
            if half:
                connection.shutdown(socket.SHUT_WR)
                assert is_closed(connection)
        eventually(gone.exists)
    assert exchange(router, router.request(b"fast")).body == b"one"


def test_a_slow_client_slows_the_model(router, model):
    sent = model.journal.with_suffix(".sent")
    before = resident(router)
    with router.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(router.request(b"endless", path=PATH))
        last = []
        # The same number twice: nothing moves any more.
        eventually(lambda: last.append(sent.read_text()) or len(last) > 5 and len({*last[-5:]}) == 1)
        assert resident(router) - before < 8_000_000
        assert exchange(router, router.request(b"fast")).body == b"one"


def resident(router) -> int:
    with open(f"/proc/{router.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_clients_of_http_1_0_and_pipelines(router):
    request = router.request(b"pieces:one,two", path=PATH)
    old = request.replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(old)
        head = Answer(file, head_only=True)
        assert (head.status, head.headers["connection"]) == (200, "close")
        assert b"one" in (whole := file.read())
        assert b"two" in whole
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(request * 2 + router.request(b"fast"))
        for _ in range(2):
            head = Answer(file, head_only=True)
            assert head.headers["transfer-encoding"] == "chunked"
            while (size := int(file.readline(), 16)) > 0:
                file.read(size + 2)
            file.readline()
        assert Answer(file).body == b"one"
