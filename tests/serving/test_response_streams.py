"""InvokeEndpointWithResponseStream: pieces pass as they come, and each end is told."""

import json
import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EventStreamError
from serving_support import Answer, exchange, is_closed
from waiting import eventually

from studio.serving import capture, counters
from studio.serving.table import Capture, Container, Variant

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
    with pytest.raises(ClientError, match="Variant Blue of endpoint echo"):
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
    assert b'"ErrorCode": "ModelInvocationTimeExceeded"' in whole(router, b"pieces:a,?")
    assert b'"ErrorCode": "StreamBroken"' in whole(router, b"pieces:a,!")


def whole(router, body) -> bytes:
    """What a client of HTTP/1.0 reads, which boto3 does not tell all of."""
    request = router.request(body, path=PATH).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(request)
        return file.read()


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
        eventually(
            lambda: last.append(sent.read_text()) or (len(last) > 5 and len({*last[-5:]}) == 1)
        )
        assert resident(router) - before < 8_000_000
        assert exchange(router, router.request(b"fast")).body == b"one"


def resident(router) -> int:
    pages = Path(f"/proc/{router.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_clients_of_http_1_0_and_pipelines(router):
    request = router.request(b"pieces:one,two", path=PATH)
    said = whole(router, b"pieces:one,two")
    assert said.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in said
    assert b"Transfer-Encoding" not in said
    assert said.index(b"one") < said.index(b"two")
    with router.connect() as connection, connection.makefile("rb") as file:
        connection.sendall(request * 2 + router.request(b"fast"))
        for _ in range(2):
            head = Answer(file, head_only=True)
            assert head.headers["transfer-encoding"] == "chunked"
            while (size := int(file.readline(), 16)) > 0:
                file.read(size + 2)
            file.readline()
        assert Answer(file).body == b"one"


def test_streams_pass_rows_are_captured_and_counted(start_router, model, start_model):
    router, other = start_router(), start_model("two")
    kept = Capture("record", 100, "s3://kept/here", "", "", csv=(), json=("text/event-stream",))
    row = tuple(Container(it, (server.address,)) for it, server in (("a", other), ("b", model)))
    router.write(
        {
            "echo": [Variant("V", 1.0, (model.address,), capture=kept)],
            "row": [Variant("V", 1.0, row[0].servers, containers=row)],
        }
    )
    for body in (b"pieces:one,two", b"chunked:97"):
        parts(stream(router, body))
    failure(stream(router, b"pieces:one,!"))
    eventually(lambda: [counted(router, "echo", it) for it in ("Invocations", FAILED)] == [3, 1])
    # The first container says what the second is to do; it is the second that is told apart.
    answer = router.client().invoke_endpoint_with_response_stream(EndpointName="row", Body=b"fast")
    assert json.loads(b"".join(parts(answer)))["server"] == "one"
    with pytest.raises(ClientError, match="from a with message"):
        router.client().invoke_endpoint_with_response_stream(EndpointName="row", Body=b"status:400")
    router.process.terminate()
    assert router.process.wait(30) == 0
    assert (
        0
        < counted(router, "echo", "FirstChunkModelLatency")
        <= counted(router, "echo", "FirstChunkLatency")
    )
    files = capture.finished(capture.folder(router.home) / "record")
    [line] = [json.loads(it) for path in files for it in path.read_text().splitlines()]
    assert line["captureData"]["endpointOutput"]["data"] == "onetwo"  # 6 MiB is too much to keep


FAILED = "MidStreamErrors"


def counted(router, endpoint: str, metric: str) -> float:
    files = sorted(counters.folder(router.home).glob("[0-9]*"))
    lines = [json.loads(line) for path in files for line in path.read_bytes().splitlines()]
    mine = [line["metrics"].get(metric, []) for line in lines if line["endpoint"] == endpoint]
    return sum(total for rows in mine for _, total, _, _ in rows)
