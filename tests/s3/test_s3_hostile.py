"""Requests that no client sends: each gets its code, and leaves nothing behind."""

import base64
import hashlib
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import s3_raw
import s3_server
from s3_server import SECRET


@pytest.fixture
def untouched(s3: Any, bucket: str, gateway: Any) -> Any:
    """The bucket with one object; afterwards that is all there is, on the disk too."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    before = files(gateway)
    yield bucket
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]
    assert files(gateway) == before


def files(gateway: Any) -> set[str]:
    return {
        str(path)
        for folder in ("blobs", "tmp")
        for path in (gateway.root / folder).rglob("*")
        if path.is_file()
    }


def refused(answer: s3_raw.Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert len(answer.body) < 1024
    assert answer.headers["x-amz-request-id"]
    assert b"Traceback" not in answer.body


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "delete"]


@pytest.mark.parametrize("method", METHODS)
def test_nothing_without_a_signature(untouched: str, gateway: Any, method: str) -> None:
    for target in (
        "/",
        f"/{untouched}",
        f"/{untouched}/k",
        f"/{untouched}?delete",
        "/x?list-type=2",
    ):
        answer = s3_raw.send(gateway.port, method, target, {"content-length": "0"})
        assert answer.status == 403
        assert not any(name.lower().startswith("access-control") for name in answer.headers)


def test_wrong_signatures(untouched: str, gateway: Any) -> None:
    port, target = gateway.port, f"/{untouched}/k"
    put = lambda **how: s3_raw.call(port, "PUT", target, body=b"new", **how)  # noqa: E731
    refused(put(secret=SECRET + "x"), 403, "SignatureDoesNotMatch")
    refused(put(key="AKIAUNKNOWN"), 403, "InvalidAccessKeyId")
    refused(put(region="eu-west-1"), 400, "AuthorizationHeaderMalformed")
    refused(put(service="sagemaker"), 400, "AuthorizationHeaderMalformed")
    for hours in (-1, 1):
        moment = datetime.now(UTC) + timedelta(hours=hours)
        refused(put(now=moment), 403, "RequestTimeTooSkewed")


def test_a05_a_signature_covers_all_of_the_request(untouched: str, gateway: Any) -> None:
    port, target = gateway.port, f"/{untouched}/k"
    signed = s3_raw.sign(port, "PUT", target, {"x-amz-meta-a": "1"}, body=b"new")
    signed["content-length"] = "3"
    for method, path, headers in (
        ("DELETE", target, signed),
        ("PUT", f"/{untouched}/other", signed),
        ("PUT", f"{target}?tagging", signed),
        ("PUT", target, signed | {"x-amz-meta-a": "2"}),
        ("PUT", target, signed | {"host": "elsewhere"}),
    ):
        refused(s3_raw.send(port, method, path, headers, b"new"), 403, "SignatureDoesNotMatch")
    extra = signed | {"x-amz-meta-b": "unsigned"}
    refused(s3_raw.send(port, "PUT", target, extra, b"new"), 403, "AccessDenied")
    refused(s3_raw.send(port, "PUT", target, signed, b"bad"), 400, "XAmzContentSHA256Mismatch")


@pytest.mark.parametrize(
    "mode",
    [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "UNSIGNED-PAYLOAD",
    ],
)
def test_a08_no_payload_mode_waives_the_signature(untouched: str, gateway: Any, mode: str) -> None:
    """The class of CVE-2026-40344: a mode that is unsigned as to its body only."""
    port = gateway.port
    body = b"3\r\nnew\r\n0\r\n\r\n"
    length = {"x-amz-decoded-content-length": "3"}
    for target in (
        f"/{untouched}/k",
        f"/{untouched}/k?partNumber=1&uploadId=x",
        f"/{untouched}?delete",
    ):
        answer = s3_raw.call(port, "PUT", target, length, body, payload=mode, secret="invented")
        refused(answer, 403, "SignatureDoesNotMatch")
        unsigned = {"x-amz-content-sha256": mode, "content-length": str(len(body))} | length
        refused(s3_raw.send(port, "PUT", target, unsigned, body), 403, "AccessDenied")
    copy = {"x-amz-copy-source": f"/{untouched}/k"}
    answer = s3_raw.call(port, "PUT", f"/{untouched}/c", copy, payload=mode, secret="invented")
    refused(answer, 403, "SignatureDoesNotMatch")


def test_unknown_streaming_modes(untouched: str, gateway: Any) -> None:
    mode = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
    answer = s3_raw.call(gateway.port, "PUT", f"/{untouched}/k", body=b"new", payload=mode)
    refused(answer, 400, "InvalidArgument")


def test_a11_presigned(untouched: str, gateway: Any, s3: Any) -> None:
    target = {"Bucket": untouched, "Key": "k"}
    for version in ("s3v4", "s3"):
        client = s3_server.client(gateway.url, signature_version=version)
        url = client.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
        assert requests.get(url, timeout=30).content == b"old"
        for answer in (
            requests.delete(url, timeout=30),
            requests.put(url, b"new", timeout=30),
            requests.get(url.replace("/k?", "/other?"), timeout=30),
        ):
            assert answer.status_code == 403
        gone = client.generate_presigned_url("get_object", Params=target, ExpiresIn=-5)
        answer = requests.get(gone, timeout=30)
        assert answer.status_code in (400, 403)
        assert b"new" not in answer.content
        client.close()


def test_a11_presigned_parameters(untouched: str, gateway: Any) -> None:
    client = s3_server.client(gateway.url, signature_version="s3v4")
    target = {"Bucket": untouched, "Key": "k"}
    url = client.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
    client.close()
    for seconds in ("0", "604801", "-1", "1e3", ""):
        answer = requests.get(url.replace("Expires=60", f"Expires={seconds}"), timeout=30)
        assert (answer.status_code, b"AuthorizationQueryParametersError" in answer.content) == (
            400,
            True,
        )
    twice = requests.get(f"{url}&X-Amz-Signature={'0' * 64}", timeout=30)
    assert twice.status_code == 400
    both = requests.get(url, headers={"authorization": "AWS4-HMAC-SHA256 x"}, timeout=30)
    assert both.status_code == 400


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("a" * 1024, 200, None),
        ("a" * 1025, 400, "KeyTooLongError"),
        ("%C3%A9" * 513, 400, "KeyTooLongError"),
        ("a%00b", 400, "InvalidURI"),
        ("a%ff", 400, "InvalidURI"),
        ("%ed%a0%80", 400, "InvalidURI"),
    ],
)
def test_keys(s3: Any, bucket: str, gateway: Any, key: str, status: int, code: str | None) -> None:
    answer = s3_raw.call(gateway.port, "PUT", f"/{bucket}/{key}", body=b"x")
    assert (answer.status, answer.code) == (status, code)


def test_a43_encoded_separators_name_no_other_bucket(untouched: str, gateway: Any) -> None:
    for target in (
        f"/other/%2e%2e/{untouched}/k",
        f"/other%2F..%2F{untouched}/k",
        f"/other%2F{untouched}%2Fk",
    ):
        answer = s3_raw.call(gateway.port, "GET", target)
        assert answer.code in ("NoSuchBucket", "InvalidBucketName")


def test_lengths(untouched: str, gateway: Any) -> None:
    port, target = gateway.port, f"/{untouched}/k"
    signed = s3_raw.sign(port, "PUT", target, body=b"")
    refused(s3_raw.send(port, "PUT", target, signed), 411, "MissingContentLength")
    too_long = s3_raw.call(
        port, "PUT", target, length=str((5 << 30) + 1), payload="UNSIGNED-PAYLOAD"
    )
    refused(too_long, 400, "EntityTooLarge")
    chunked = signed | {"transfer-encoding": "chunked"}
    refused(s3_raw.send(port, "PUT", target, chunked, b"0\r\n\r\n"), 411, "MissingContentLength")
    odd = s3_raw.sign(port, "PUT", target, body=b"x") | {"content-length": "1", "expect": "200-ok"}
    refused(s3_raw.send(port, "PUT", target, odd, b"x"), 417, "ExpectationFailed")


def test_a66_a_body_that_breaks_off(untouched: str, gateway: Any) -> None:
    for sent in (b"", b"ne", b"x" * (3 << 20)):
        headers = s3_raw.sign(gateway.port, "PUT", f"/{untouched}/k", payload="UNSIGNED-PAYLOAD")
        headers |= {"content-length": str(len(sent) + 100), "host": f"127.0.0.1:{gateway.port}"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
            connection.sendall(f"PUT /{untouched}/k HTTP/1.1\r\n{lines}\r\n".encode() + sent)
            connection.shutdown(socket.SHUT_WR)
            assert b"200 OK" not in connection.recv(1000)


def test_refused_before_the_body_is_sent(untouched: str, gateway: Any) -> None:
    headers = s3_raw.sign(gateway.port, "PUT", f"/{untouched}/k", body=b"x", secret="wrong")
    headers |= {
        "content-length": "1000000",
        "expect": "100-continue",
        "host": f"127.0.0.1:{gateway.port}",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(f"PUT /{untouched}/k HTTP/1.1\r\n{lines}\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"connection: close" in answer


def test_digests(untouched: str, gateway: Any) -> None:
    port, target = gateway.port, f"/{untouched}/k"
    right = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    crc = base64.b64encode(bytes(4)).decode()
    for headers, code in (
        ({"content-md5": right}, "BadDigest"),
        ({"content-md5": "!!!"}, "InvalidDigest"),
        ({"content-md5": ""}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": crc}, "BadDigest"),
        ({"x-amz-checksum-crc32": "AA=="}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": crc, "x-amz-checksum-sha1": crc}, "InvalidRequest"),
        ({"x-amz-sdk-checksum-algorithm": "CRC32"}, "InvalidRequest"),
    ):
        refused(s3_raw.call(port, "PUT", target, headers, b"new"), 400, code)
    for name in ("crc32c", "crc64nvme"):
        wrong = base64.b64encode(bytes(4 if name == "crc32c" else 8)).decode()
        answer = s3_raw.call(port, "PUT", target, {f"x-amz-checksum-{name}": wrong}, b"new")
        refused(answer, 400, "BadDigest")


def test_many_ranges(untouched: str, gateway: Any) -> None:
    text = "bytes=" + ",".join(["0-"] * 5000)
    answer = s3_raw.call(gateway.port, "GET", f"/{untouched}/k", {"range": text})
    assert (answer.status, answer.body) == (200, b"old")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete>",
        b"<Delete/>",
        b"<Delete><Object/></Delete>",
        b'<!DOCTYPE d [<!ENTITY a "k">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><Delete><Object><Key>k</Key></Object></Delete>',
        b"\xff\xfe<Delete/>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete/>',
        b"<a>" * 100_000,
    ],
)
def test_a32_xml(untouched: str, gateway: Any, body: bytes) -> None:
    answer = s3_raw.call(gateway.port, "POST", f"/{untouched}?delete", body=body)
    refused(answer, 400, "MalformedXML")


def test_conflicting_questions(untouched: str, gateway: Any) -> None:
    answer = s3_raw.call(gateway.port, "GET", f"/{untouched}?policy&location")
    refused(answer, 400, "InvalidArgument")
    answer = s3_raw.call(gateway.port, "GET", f"/{untouched}/k?versionId=abc")
    refused(answer, 400, "InvalidArgument")
    answer = s3_raw.call(gateway.port, "PATCH", f"/{untouched}/k")
    refused(answer, 405, "MethodNotAllowed")


def test_headers_cannot_be_injected(untouched: str, gateway: Any) -> None:
    target = f"/{untouched}/k?response-content-type=a%0D%0Aset-cookie%3A%20x"
    refused(s3_raw.call(gateway.port, "GET", target), 400, "InvalidArgument")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-amz-meta-a": "b" * 2048}, "MetadataTooLarge"),
        ({"x-amz-storage-class": "PAPER"}, "InvalidStorageClass"),
        ({"x-amz-acl": "public-read"}, "AccessControlListNotSupported"),
        ({"x-amz-server-side-encryption": "rot13"}, "InvalidArgument"),
        ({"x-amz-tagging": "a=1&a=2"}, "InvalidTag"),
        ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, "NotImplemented"),
        ({"if-none-match": "*"}, "PreconditionFailed"),
    ],
)
def test_headers_refused_after_the_body(
    untouched: str, gateway: Any, headers: dict[str, str], code: str
) -> None:
    answer = s3_raw.call(gateway.port, "PUT", f"/{untouched}/k", headers, b"new")
    statuses = {"PreconditionFailed": 412, "NotImplemented": 501}
    refused(answer, statuses.get(code, 400), code)
