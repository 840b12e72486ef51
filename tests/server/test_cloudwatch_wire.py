"""CloudWatch's protocols as raw bytes: what no polite client would send."""

import gzip
import json
import zlib

import pytest
from plane import Plane
from signing import raw, status

from studio.wire import cbor

TARGET = "GraniteServiceVersion20100801.ListMetrics"
PATH = "/service/GraniteServiceVersion20100801/operation/"
JSON = {"X_Amz_Target": TARGET, "Content_Type": "application/x-amz-json-1.0"}
CBOR = {"smithy_protocol": "rpc-v2-cbor", "Content_Type": "application/cbor"}


def ask(plane: Plane, path="/", service="monitoring", **values) -> tuple[int, dict, bytes]:
    answer = plane.send(raw(plane, path=path, service=service, **values))
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line.decode().partition(": ") for line in head.split(b"\r\n")[1:]]
    return status(answer), {name.lower(): value for name, _, value in lines}, body


def test_json_with_the_codes_of_old(plane: Plane):
    code, headers, body = ask(plane, body=b'{"Namespace": ":wrong"}', **JSON)
    assert code == 400
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["x-amzn-query-error"] == "ValidationError;Sender"
    assert json.loads(body)["__type"] == "ValidationException"
    body = json.dumps(
        {"Namespace": "a", "MetricName": "m", "StartTime": 9, "EndTime": 5, "Period": 60}
    )
    other = {**JSON, "X_Amz_Target": TARGET.replace("ListMetrics", "GetMetricStatistics")}
    code, headers, answer = ask(plane, body=body.encode(), **other)
    assert headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    assert json.loads(answer)["__type"] == "InvalidParameterValueException"


def test_cbor_answers_say_so(plane: Plane):
    code, headers, body = ask(plane, PATH + "ListMetrics", body=b"\xa0", **CBOR)
    assert (code, headers["smithy-protocol"]) == (200, "rpc-v2-cbor")
    assert headers["content-type"] == "application/cbor"
    assert cbor.loads(body)["Metrics"] == []


@pytest.mark.parametrize(
    ("path", "service", "body", "code"),
    [
        (PATH + "ListMetrics", "monitoring", b"\xff", "SerializationException"),
        (PATH + "NoSuch", "monitoring", b"\xa0", "UnknownOperationException"),
        ("/service/Other/operation/List", "monitoring", b"\xa0", "UnknownOperationException"),
        ("/elsewhere", "monitoring", b"\xa0", "UnknownOperationException"),
        (PATH + "ListMetrics", "logs", b"\xa0", "InvalidSignatureException"),
        (PATH + "../ListMetrics", "monitoring", b"\xa0", "UnknownOperationException"),
    ],
)
def test_cbor_that_is_refused(plane: Plane, path, service, body, code):
    found, _, answer = ask(plane, path, service, body=body, **CBOR)
    assert found in (400, 403)
    assert cbor.loads(answer)["__type"].endswith(f"#{code}")


def test_cbor_without_a_signature(plane: Plane):
    head = f"POST {PATH}ListMetrics HTTP/1.1\r\nHost: 127.0.0.1:{plane.port}\r\n"
    head += "smithy-protocol: rpc-v2-cbor\r\nContent-Length: 1\r\nConnection: close\r\n\r\n"
    assert status(plane.send(head.encode() + b"\xa0")) == 403


@pytest.mark.parametrize(
    ("body", "coding", "code"),
    [
        pytest.param(gzip.compress(b"{}"), "gzip", 200, id="packed"),
        pytest.param(b"{}", "identity", 200, id="plain"),
        pytest.param(b"{}", "gzip", 400, id="plain, said to be packed"),
        pytest.param(gzip.compress(b"{}")[:-4], "gzip", 400, id="cut"),
        pytest.param(gzip.compress(b"{}") * 2, "gzip", 400, id="two"),
        pytest.param(gzip.compress(b" " * 40_000_000, 1), "gzip", 413, id="a bomb"),
        pytest.param(zlib.compress(b"{}"), "gzip", 400, id="zlib"),
        pytest.param(b"{}", "br", 400, id="another coding"),
    ],
)
def test_compressed_bodies(plane: Plane, body, coding, code):
    found, _, _ = ask(plane, body=body, Content_Encoding=coding, **JSON)
    assert found == code
