"""The limits of one endpoint, and refusals that say which limit it was."""

import json

import pytest
from botocore.exceptions import ClientError
from serving_support import exchange
from waiting import eventually

from studio.api import endpoint_limits
from studio.errors import ValidationException
from studio.serving.bounds import Bounds, bounded
from studio.serving.table import Variant

ONE_FOR_ALL = True


def bind(router, model, **limits):
    router.write({"echo": [Variant("V", 1.0, (model.address,), bounds=Bounds(**limits))]})


def fault(router, body):
    with pytest.raises(ClientError) as caught:
        router.client().invoke_endpoint(EndpointName="echo", Body=body)
    return caught.value.response["Error"]


def test_an_endpoint_may_take_and_answer_more(router, model):
    bind(router, model, body_bytes=7_000_000)
    large = b"x" * 7_000_000
    assert json.loads(exchange(router, router.request(large)).body)["size"] == 7_000_000
    assert fault(router, large + b"x") == {
        "Code": "413",
        "Message": "HTTP content length exceeded 7000000 bytes.",
    }
    assert len(exchange(router, router.request(b"huge:7000000")).body) == 7_000_000
    message = fault(router, b"huge:7000001")["Message"]
    assert "larger than 7000000 bytes: the tag studio:max-payload-bytes" in message
    bind(router, model)
    assert "6291456" in fault(router, large)["Message"]


def test_chunks_are_counted_too(router, model):
    bind(router, model, body_bytes=7_000_000)
    signed = router.request(b"x" * 6_800_000)
    head, _, body = signed.partition(b"\r\n\r\n")
    head = head.replace(b"Content-Length: 6800000", b"Transfer-Encoding: chunked")
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    answer = exchange(router, head + b"\r\n\r\n" + chunk + b"0\r\n\r\n")
    assert json.loads(answer.body)["size"] == 6_800_000
    assert exchange(router, head + b"\r\n\r\n" + chunk * 2).status == 413


def test_an_endpoint_may_take_less_and_change_its_mind(router, model):
    bind(router, model, body_bytes=10)
    assert "exceeded 10 bytes" in fault(router, b"fast:678901")["Message"]
    assert exchange(router, router.request(b"fast:67890")).status == 200
    bind(router, model)
    assert exchange(router, router.request(b"fast:678901")).status == 200


def test_a_model_that_takes_too_long_names_the_limit(router, model):
    bind(router, model, model_seconds=1)
    message = fault(router, b"slow:30")["Message"]
    assert "Your invocation timed out while waiting for a response" in message
    assert "did not begin its response within 1 seconds" in message
    assert "studio:model-timeout-seconds" in message
    message = fault(router, b"pieces:a,?")["Message"]
    assert "did not end its response within 1 seconds" in message


def test_refusals_say_where_it_stuck(start_router, model):
    router = start_router("--receive-seconds", "0.3", "--in-flight", "1")
    router.write({"echo": [("V", 1.0, [model.address])]})
    slow = exchange(router, router.request(b"123456")[:-3])
    assert (slow.status, slow.error) == (408, "RequestTimeout")
    assert b"3 bytes of its body arrived. No model was asked." in slow.body
    with router.connect() as connection:
        connection.sendall(router.request(b"held"))
        eventually(lambda: model.bodies()[-1:] == ["held"])
        assert "variant V of endpoint echo holds 1 requests" in fault(router, b"fast")["Message"]
        model.let_go()
        assert connection.recv(12) == b"HTTP/1.1 200"
    router.write({"echo": [("V", 1.0, ["127.0.0.1:9"])]})
    assert "No instance accepts connections: 1 of variant V" in fault(router, b"fast")["Message"]


@pytest.mark.parametrize("value", ["0", "-1", "1e3", "3601", "", "٣", "1" * 30])
def test_a_tag_that_is_no_limit_is_refused(value):
    tag = {"Key": "studio:model-timeout-seconds", "Value": value}
    with pytest.raises(ValidationException, match="a whole number from 1 to 3600"):
        endpoint_limits.check([tag])


def test_a_table_has_no_other_limits():
    for entry in ({"body_bytes": 1 << 31}, {"model_seconds": -1}, {"stream_seconds": 3_601}):
        with pytest.raises(ValueError, match=r"more than|out of bounds"):
            bounded(entry)
