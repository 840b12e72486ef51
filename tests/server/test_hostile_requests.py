"""Requests of strangers: refused, cheaply, with nothing given away."""

import json
import time

import pytest
from plane import Plane
from signing import message, raw, status, target, timestamp

LIST = target("ListTrainingJobs")


def host(plane: Plane) -> dict[str, str]:
    return {"Host": f"127.0.0.1:{plane.port}"}


def code(answer: bytes) -> str:
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["__type"])


@pytest.mark.parametrize("path", ["/", "/bucket", "/bucket/key", "/endpoints/e/invocations", "/x"])
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "delete"]
)
def test_nothing_happens_without_a_signature(plane: Plane, method: str, path: str):
    for more in ({}, {"X-Amz-Target": "SageMaker.ListTrainingJobs"}):
        answer = plane.send(message(method, path, host(plane) | more))
        wanted = (401, 403, 405, 503) if path.startswith("/endpoints") else (401, 403, 405)
        assert status(answer) in wanted
        assert b"access-control" not in answer.lower()


def test_unsigned_json_request_is_told_so(plane: Plane):
    answer = plane.send(
        message("POST", "/", host(plane) | {"X-Amz-Target": "SageMaker.ListTrainingJobs"}, b"{}")
    )
    assert status(answer) == 403
    assert code(answer) == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example:{port}", "127.0.0.1", "localhost:1", ""]
)
def test_strange_host_is_refused_even_for_health(plane: Plane, name: str):
    for path in ("/_studio/health", "/"):
        answer = plane.send(message("GET", path, {"Host": name.format(port=plane.port)}))
        assert status(answer) == 421


def test_two_hosts_or_a_url_are_bad_requests(plane: Plane):
    twice = message("GET", "/_studio/health", host(plane) | {"host": "evil.example"})
    assert status(plane.send(twice)) == 400
    absolute = message("GET", "http://evil.example/_studio/health", host(plane))
    assert status(plane.send(absolute)) == 400


def test_a_url_at_the_host_itself_is_a_path(plane: Plane):
    """RFC 9112, 3.2.2; httpx sends them."""
    for path, wanted in (("/_studio/health", 200), ("/_studio/health?x=//y", 200), ("", 403)):
        url = f"http://127.0.0.1:{plane.port}{path}"
        assert status(plane.send(message("GET", url, host(plane)))) == wanted
    for url in ("ftp://127.0.0.1:{}/", "http://me@127.0.0.1:{}/", "127.0.0.1:{}", "*"):
        answer = plane.send(message("GET", url.format(plane.port), host(plane)))
        assert status(answer) == 400


def test_known_names_of_this_machine_are_served(plane: Plane):
    for name in ("localhost", "LOCALHOST", "[::1]", "127.0.0.1"):
        answer = plane.send(message("GET", "/_studio/health", {"Host": f"{name}:{plane.port}"}))
        assert status(answer) == 200


def test_body_changed_after_signing(plane: Plane):
    request = raw(plane, body=b'{"MaxResults": 1}', **LIST)
    answer = plane.send(request.replace(b'"MaxResults": 1', b'"MaxResults": 2'))
    assert (status(answer), code(answer)) == (403, "InvalidSignatureException")


def test_clock_off_by_sixteen_minutes(plane: Plane):
    for offset, sign in ((-960, "expired"), (960, "not yet current")):
        request = raw(plane, **LIST)
        now = next(line for line in request.split(b"\r\n") if line.startswith(b"X-Amz-Date"))
        changed = f"X-Amz-Date: {timestamp(time.time() + offset)}".encode()
        answer = plane.send(request.replace(now, changed))
        assert (status(answer), code(answer)) == (403, "InvalidSignatureException")
        assert sign.encode() in answer


def test_unsigned_header_is_refused(plane: Plane):
    request = raw(plane, **LIST).replace(b"\r\n\r\n", b"\r\nX-Amz-Security-Token: x\r\n\r\n")
    answer = plane.send(request)
    assert (status(answer), code(answer)) == (400, "IncompleteSignatureException")


def test_json_target_signed_for_another_service(plane: Plane):
    answer = plane.send(raw(plane, service="logs", **LIST))
    assert (status(answer), code(answer)) == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"MaxResults": ' + b"9" * 1_000_000 + b"}",
        b'{"MaxResults": NaN}',
        b'{"Unknown": NaN}',
        b'{"MaxResults": 1e999}',
        b'{"MaxResults": 99999999999}',
        b'{"MaxResults": 1, "MaxResults": 2}',
        b'{"MaxResults": true}',
        b'{"MaxResults": "1"}',
        b'{"NameContains": 1}',
        b'{"NameContains": "\\ud800"}',
        b'{"CreationTimeAfter": "yesterday"}',
        b'{"CreationTimeAfter": 1e300}',
        b"[]",
        b'"x"',
        b"\xff\xfe{}",
        b"\x00",
    ],
)
def test_a32_bodies_that_are_no_request(plane: Plane, body: bytes):
    answer = plane.send(raw(plane, body=body, **LIST))
    assert (status(answer), code(answer)) == (400, "SerializationException")


def test_deep_expression_is_refused_in_words(plane: Plane, monkeypatch):
    from studio.api import registry
    from studio.api.registry import Operation

    replaced = Operation("sagemaker", "Search", lambda ctx, request: {})
    monkeypatch.setitem(registry._OPERATIONS, ("sagemaker", "Search"), replaced)
    deep = '{"SubExpressions":[' * 300 + "{}" + "]}" * 300
    body = f'{{"Resource": "TrainingJob", "SearchExpression": {deep}}}'.encode()
    answer = plane.send(raw(plane, body=body, **target("Search")))
    assert (status(answer), code(answer)) == (400, "SerializationException")


def test_text_of_errors_is_data(plane: Plane):
    hostile = "<script>alert(1)</script>"
    body = json.dumps({"TrainingJobName": hostile}).encode()
    headers = target("DescribeTrainingJob") | {"Content_Type": "text/html"}
    answer = plane.send(raw(plane, body=body, **headers))
    assert code(answer) == "ValidationException"
    assert b"Content-Type: application/x-amz-json-1.1\r\n" in answer
    assert b"X-Content-Type-Options: nosniff\r\n" in answer
    answer = plane.send(raw(plane, "GET", f"/?Action={hostile}&Version=1", b"", service="sts"))
    assert b"<script>" not in answer
    assert b"Content-Type: text/xml\r\n" in answer


@pytest.mark.parametrize(
    "query",
    [
        "Action=GetRole&Action=GetUser",
        "Action=%FF",
        "Action=GetRole&RoleName=a&RoleName.b=c",
        "Action=GetRole&RoleName.b=c&RoleName=a",
        "Action=GetRole&" + "&".join(f"a{n}=1" for n in range(20_000)),
        "Action=GetRole&" + ".".join("a" * 5_000) + "=1",
    ],
)
def test_malformed_forms(plane: Plane, query: str):
    headers = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = plane.send(raw(plane, body=query.encode(), service="iam", **headers))
    assert status(answer) == 400
    assert b"<Code>MalformedQueryString</Code>" in answer


def test_body_larger_than_any_request(plane: Plane):
    answer = plane.send(raw(plane, body=b" " * (11 << 20), **LIST))
    assert status(answer) in (413, 0)
    assert status(plane.send(message("GET", "/_studio/health", host(plane)))) == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"Host: {host}\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"Host: {host}\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        b"Host: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n{}",
        b"Host: {host}\r\nContent-Length: -1\r\n\r\n{}",
        b"Host: {host}\r\nContent-Length: 1e1\r\n\r\n{}",
        b"Host: {host}\r\n folded: yes\r\n\r\n",
        b"POST\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_ambiguous_messages_end_the_connection(plane: Plane, request_bytes: bytes):
    name = f"127.0.0.1:{plane.port}".encode()
    whole = b"POST / HTTP/1.1\r\n" + request_bytes.replace(b"{host}", name)
    assert status(plane.send(whole, seconds=35)) in (400, 403, 0)


@pytest.mark.parametrize(
    "head", [b"A: " + b"x" * (1 << 20), b"".join(b"H%d: x\r\n" % n for n in range(100_000))]
)
def test_large_heads_end_the_connection(plane: Plane, head: bytes):
    request = b"GET / HTTP/1.1\r\n" + head + b"\r\n\r\n"
    assert status(plane.send(request)) in (431, 0)  # 0: cut while the head still came
    assert status(plane.send(message("GET", "/_studio/health", host(plane)))) == 200


def test_a_head_above_the_limit_is_told_so(plane: Plane):
    request = b"GET / HTTP/1.1\r\nA: " + b"x" * (66 << 10) + b"\r\n\r\n"
    assert status(plane.send(request)) == 431
