"""HTTP that is broken on purpose, at every door; ranges and bodies that do not fit."""

import base64
import hashlib

import pytest
from hostile import Port, Signer, message, refused, untouched
from studios import RunningStudio

UNSIGNED = "UNSIGNED-PAYLOAD"
TARGET = b"X-Amz-Target: SageMaker.ListModels\r\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("bytes=" + ",".join(["0-"] * 5000), 200),
        ("bytes=0-0,2-2", 200),
        ("bytes=9-1", 200),
        ("lines=0-1", 200),
        ("bytes=", 200),
        ("bytes=-", 200),
        ("bytes=0-1", 206),
        ("bytes=-2", 206),
        ("bytes=1-99999999999999999999", 206),
        ("bytes=-0", 416),
        ("bytes=3-", 416),
        ("bytes=99999999999999999999-", 416),
    ],
)
def test_a64_ranges(ports: dict[str, Port], owner: Signer, text: str, status: int):
    """One range is honoured; more, or none, are the whole; beyond the end is an error."""
    answer = owner.ask(ports["plain"], "GET", "/castle/k", service="s3", headers={"Range": text})
    assert answer.status == status
    if status == 416:
        refused(answer, 416, code="InvalidRange")
    elif status == 200:
        assert answer.body == b"old"
    assert len(answer.body) < 1024


def test_a64_ranges_of_nothing(studio: RunningStudio, ports: dict[str, Port], owner: Signer):
    studio.client("s3").put_object(Bucket="castle", Key="empty", Body=b"")
    for text, status in (("bytes=0-", 416), ("bytes=-1", 416), ("bytes=-0", 416), ("x=0-", 200)):
        how = {"service": "s3", "headers": {"Range": text}}
        assert owner.ask(ports["plain"], "GET", "/castle/empty", **how).status == status


AMBIGUOUS = {
    "two framings": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "a coding unknown": b"Transfer-Encoding: xchunked\r\n\r\n{}",
    "codings in disorder": b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below zero": b"Content-Length: -1\r\n\r\n{}",
    "a length with a sign": b"Content-Length: +2\r\n\r\n{}",
    "a length with an underscore": b"Content-Length: 0_2\r\n\r\n{}",
    "a length of 23 digits": b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a chunk below zero": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a chunk with a prefix": b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "an enormous chunk": b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "a folded line": b"X-Folded: a\r\n b\r\n\r\n",
    "a space before the colon": b"X-Space : a\r\n\r\n",
    "a NUL": b"X-Nul: \x00\r\n\r\n",
    "no name": b": nameless\r\n\r\n",
    "no colon": b"nothing\r\n\r\n",
    "a lone CR": b"X: a\rY: b\r\n\r\n",
    "a lone LF": b"X: a\nY: b\r\n\r\n",
    "an empty line of LF alone": b"X: a\r\n\n",
}


# The router waits for the rest of an enormous chunk, and answers 413 at its limit.
ROWS = [
    (door, what)
    for door in ("plain", "tls", "router")
    for what in AMBIGUOUS
    if (door, what) != ("router", "an enormous chunk")
]


@pytest.mark.parametrize(("door", "what"), ROWS)
def test_a65_ambiguous_messages(ports: dict[str, Port], door: str, what: str):
    """Refused, and the connection ends: what follows could be anybody's request."""
    port = ports[door]
    path = b"/endpoints/e/invocations" if door == "router" else b"/"
    head = b"POST %s HTTP/1.1\r\nHost: %s\r\n%s" % (path, port.netloc.encode(), TARGET)
    smuggled = b"GET /_studio/health HTTP/1.1\r\nHost: %s\r\n\r\n" % port.netloc.encode()
    answer = port.send(head + AMBIGUOUS[what] + smuggled)
    assert answer.status in (400, 413), answer.raw
    assert answer.raw.count(b"HTTP/1.1 ") == 1
    assert len(answer.raw) < 1024


@pytest.mark.parametrize("door", ["plain", "tls", "router"])
def test_a65_lines_that_are_no_request(ports: dict[str, Port], door: str):
    port = ports[door]
    host = b"Host: %s\r\nConnection: close\r\n\r\n" % port.netloc.encode()
    for start in (
        b"GET /_studio/health\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"GET /_studio/health HTTP/9.9\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"POST\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\n",
        b"CONNECT evil.example:80 HTTP/1.1\r\n",
    ):
        assert port.send(start + host).status in (400, 403, 405), start
    lone = b"GET /_studio/health HTTP/1.1\nHost: %s\n\n" % port.netloc.encode()
    assert port.send(lone).status == 400


@pytest.mark.parametrize("door", ["plain", "tls", "router"])
@pytest.mark.parametrize(
    "head",
    [
        b"A: " + b"x" * (66 << 10) + b"\r\n",
        b"A: " + b"x" * (1 << 20) + b"\r\n",
        b"".join(b"H%d: x\r\n" % number for number in range(100_000)),
    ],
)
def test_a65_large_heads(ports: dict[str, Port], door: str, head: bytes):
    port = ports[door]
    answer = port.send(b"GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (port.netloc.encode(), head))
    # 0: TCP threw the answer away, since the head still came when the connection was closed.
    assert answer.status in ((431,) if len(head) < (128 << 10) else (431, 0))
    assert port.ask("GET", "/_studio/health").status == 200


def test_a66_lengths(studio: RunningStudio, ports: dict[str, Port], owner: Signer):
    """A body that is longer or shorter than said, or of no known length, changes nothing."""
    port, path = ports["plain"], "/castle/k"
    signed = owner.headers(port, "PUT", path, b"", "s3", payload=UNSIGNED)
    with untouched(studio):
        for length, body, status, code in (
            (None, b"", 411, "MissingContentLength"),
            (str((5 << 30) + 1), b"", 400, "EntityTooLarge"),
            ("99999999999999999999999", b"", 411, "MissingContentLength"),
        ):
            lines = [f"{name}: {value}" for name, value in signed.items()]
            lines += [f"Content-Length: {length}"] if length else []
            head = "\r\n".join([f"PUT {path} HTTP/1.1", *lines, "Connection: close", "", ""])
            answer = port.send(head.encode() + body)
            assert answer.status == status, (length, answer.raw)
            assert answer.code == code
        answer = port.ask("PUT", path, {**signed, "Expect": "200-ok"}, b"new")
        refused(answer, 417, code="ExpectationFailed")


def test_a66_digests(studio: RunningStudio, ports: dict[str, Port], owner: Signer):
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with untouched(studio):
        for headers, payload, code in (
            ({"Content-MD5": "!!!"}, UNSIGNED, "InvalidDigest"),
            ({"Content-MD5": other}, UNSIGNED, "BadDigest"),
            ({"x-amz-checksum-crc32": "AAAAAA=="}, UNSIGNED, "BadDigest"),
            ({"x-amz-checksum-sha256": "AAAA"}, UNSIGNED, "InvalidRequest"),
            ({}, hashlib.sha256(b"other").hexdigest(), "XAmzContentSHA256Mismatch"),
            ({}, "STREAMING-NOTHING", "InvalidArgument"),
        ):
            how = {"headers": headers, "payload": payload}
            answer = owner.ask(ports["plain"], "PUT", "/castle/k", b"new", "s3", **how)
            refused(answer, 400, code=code)


def test_a66_bodies_of_operations(studio: RunningStudio, ports: dict[str, Port], owner: Signer):
    """Short ones end with the connection, long ones are cut: the rest is no request."""
    port = ports["plain"]
    document = b'{"ModelName": "x"}'
    more = {"X-Amz-Target": "SageMaker.DeleteModel", "Content-Type": "application/x-amz-json-1.1"}
    signed = owner.headers(port, body=document, headers=more)
    with untouched(studio):
        long = message("POST", "/", signed, document).replace(b"Connection: close\r\n", b"")
        answer = port.send(long + b"x" * 100 + b"\r\n\r\n")
        assert answer.raw.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 400 Bad Request" in answer.raw
        answer = port.send(message("POST", "/", signed, document[:-1]) + b"\r\n\r\n")
        refused(answer, 403, code="InvalidSignatureException")
        answer = owner.ask(port, body=b" " * (11 << 20), headers=more)
        assert answer.status in (413, 0)
