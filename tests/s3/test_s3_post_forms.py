"""POST forms: what boto3 presigns goes through; what the policy does not allow leaves nothing."""

import base64
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import s3_raw
import s3_server
from s3_server import ACCESS_KEY, SECRET
from waiting import PATIENCE_SECONDS


def files(gateway: Any) -> set[Path]:
    folders = (gateway.root / "blobs", gateway.root / "tmp")
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


def policy(bucket: str, *conditions: Any, seconds: float = 60, **replaced: Any) -> bytes:
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    document = {
        "expiration": end.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conditions": [{"bucket": bucket}, ["starts-with", "$key", ""], *conditions],
    } | replaced
    return json.dumps({name: value for name, value in document.items() if value}).encode()


def signed(text: bytes, secret: str = SECRET) -> dict[str, str]:
    encoded = base64.b64encode(text).decode()
    signature = base64.b64encode(hmac.digest(secret.encode(), encoded.encode(), "sha1")).decode()
    return {"AWSAccessKeyId": ACCESS_KEY, "policy": encoded, "signature": signature}


def post(gateway: Any, bucket: str, fields: dict[str, str], data: bytes = b"hello", **how: Any):
    name = how.pop("filename", "a.txt")
    answer = requests.post(
        f"{gateway.url}/{bucket}",
        data=fields,
        files={"file": (name, data)},
        allow_redirects=False,
        timeout=30,
        **how,
    )
    return s3_raw.Answer(answer.status_code, dict(answer.headers), answer.content)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_what_boto3_presigns(s3: Any, bucket: str, gateway: Any, version: str) -> None:
    client = s3_server.client(gateway.url, signature_version=version)
    form = client.generate_presigned_post(
        bucket,
        "up/${filename}",
        Fields={"x-amz-meta-note": "grüße", "Content-Type": "text/plain", "acl": "private"},
        Conditions=[
            {"x-amz-meta-note": "grüße"},
            ["starts-with", "$Content-Type", "text/"],
            {"acl": "private"},
            ["content-length-range", 1, 3 << 20],
        ],
    )
    client.close()
    data = b"x" * (3 << 20)
    answer = requests.post(
        form["url"], data=form["fields"], files={"file": ("b.bin", data)}, timeout=30
    )
    assert answer.status_code == 204
    got = s3.get_object(Bucket=bucket, Key="up/b.bin")
    assert got["Body"].read() == data
    assert got["ContentType"] == "text/plain"
    assert got["ETag"] == answer.headers["etag"]
    # boto3 sends and reads metadata as UTF-8 in Latin-1's clothes.
    assert got["Metadata"]["note"].encode("latin-1").decode() == "grüße"
    larger = requests.post(
        form["url"], data=form["fields"], files={"file": ("c", data + b"x")}, timeout=30
    )
    assert (larger.status_code, b"EntityTooLarge" in larger.content) == (400, True)
    elsewhere = requests.post(
        form["url"], data=form["fields"] | {"key": "other"}, files={"file": data}, timeout=30
    )
    assert elsewhere.status_code == 403


@pytest.mark.parametrize(
    ("filename", "key"),
    [
        ("../../x", "in/x"),
        ("C:\\docs\\y.txt", "in/y.txt"),
        ("a b+ü%2F.csv", "in/a b+ü%2F.csv"),
        ("..", "in/.."),
    ],
)
def test_a44_file_names_are_opaque(
    s3: Any, bucket: str, gateway: Any, filename: str, key: str
) -> None:
    fields = {"key": "in/${filename}"} | signed(policy(bucket))
    boundary = "b0undary"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        f"\r\nhello\r\n--{boundary}--\r\n"
    )
    body = "".join(parts).encode()
    headers = {
        "content-type": f"multipart/form-data; boundary={boundary}",
        "content-length": str(len(body)),
    }
    answer = s3_raw.send(gateway.port, "POST", f"/{bucket}", headers, body)
    assert answer.status == 204
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


def test_what_the_form_asks_to_hear(s3: Any, bucket: str, gateway: Any) -> None:
    anything = ["starts-with", "$success_action_status", ""]
    for status, wanted in (("200", 200), ("201", 201), ("204", 204), ("404", 204), ("", 204)):
        fields = {"key": "k", "success_action_status": status} | signed(policy(bucket, anything))
        answer = post(gateway, bucket, fields)
        assert answer.status == wanted
        assert (b"<PostResponse><Location>" in answer.body) == (wanted == 201)
    to = ["starts-with", "$success_action_redirect", ""]
    for url, status in (("https://example.org/done?a=1", 303), ("javascript:alert(1)", 204)):
        fields = {"key": "k", "success_action_redirect": url} | signed(policy(bucket, to))
        answer = post(gateway, bucket, fields)
        assert answer.status == status
        if status == 303:
            etag = s3.head_object(Bucket=bucket, Key="k")["ETag"].strip('"')
            wanted_url = f"{url}&bucket={bucket}&key=k&etag=%22{etag}%22"
            assert answer.headers["location"] == wanted_url


def test_tags_and_fields_that_are_ignored(s3: Any, bucket: str, gateway: Any) -> None:
    tags = "<Tagging><TagSet><Tag><Key>a&amp;b</Key><Value>1 2</Value></Tag></TagSet></Tagging>"
    fields = {"key": "k", "tagging": tags, "x-ignore-me": "x"}
    fields |= signed(policy(bucket, {"tagging": tags}))
    assert post(gateway, bucket, fields).status == 204
    found = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert found == [{"Key": "a&b", "Value": "1 2"}]


GOOD = ["content-length-range", 1, 100]
OLD = {"expiration": "2001-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("conditions", "replaced", "status", "code"),
    [
        ([["content-length-range", 6, 100]], {}, 400, "EntityTooSmall"),
        ([["content-length-range", 0, 4]], {}, 400, "EntityTooLarge"),
        ([["content-length-range", -1, 4]], {}, 400, "InvalidPolicyDocument"),
        ([["content-length-range", 1]], {}, 400, "InvalidPolicyDocument"),
        ([["CONTENT-LENGTH-RANGE", 0, 4]], {}, 400, "InvalidPolicyDocument"),
        ([["eq", "$key", "other"]], {}, 403, "AccessDenied"),
        ([["eq", "key", "k"]], {}, 400, "InvalidPolicyDocument"),
        ([["starts-with", "$x-amz-meta-a", "b"]], {}, 403, "AccessDenied"),
        ([{"a": 1}], {}, 400, "InvalidPolicyDocument"),
        ([], {"conditions": []}, 400, "InvalidPolicyDocument"),
        ([], {"expiration": None}, 400, "InvalidPolicyDocument"),
        ([], {"expiration": "tomorrow"}, 400, "InvalidPolicyDocument"),
        ([], {"expiration": "2001-13-01T00:00:00Z"}, 400, "InvalidPolicyDocument"),
        ([], OLD, 403, "AccessDenied"),
    ],
)
def test_a08_policies(
    bucket: str, gateway: Any, conditions: list[Any], replaced: Any, status: int, code: str
) -> None:
    before = files(gateway)
    fields = {"key": "k"} | signed(policy(bucket, *conditions, **replaced))
    answer = post(gateway, bucket, fields)
    assert (answer.status, answer.code) == (status, code)
    assert files(gateway) == before


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"signature": "AAAA"}, 403, "SignatureDoesNotMatch"),
        ({"AWSAccessKeyId": "AKIAUNKNOWN"}, 403, "InvalidAccessKeyId"),
        ({"signature": None}, 400, "InvalidArgument"),
        ({"AWSAccessKeyId": None}, 400, "InvalidArgument"),
        ({"policy": None}, 400, "InvalidArgument"),
        ({"policy": "e30="}, 403, "SignatureDoesNotMatch"),
        ({"signature": None, "AWSAccessKeyId": None, "policy": None}, 403, "AccessDenied"),
        ({"key": None}, 400, "InvalidArgument"),
        ({"key": "k" * 1025}, 400, "KeyTooLongError"),
        ({"key": "a\0b"}, 400, "InvalidArgument"),
        ({"x-amz-meta-a": "1"}, 403, "AccessDenied"),
        ({"x-amz-signature": "0"}, 400, "InvalidArgument"),
        ({"big": "x" * 20_001}, 400, "MaxPostPreDataLengthExceeded"),
    ],
)
def test_forms_that_are_refused(
    bucket: str, gateway: Any, changes: dict[str, Any], status: int, code: str
) -> None:
    before = files(gateway)
    fields = {"key": "k"} | signed(policy(bucket, GOOD)) | changes
    answer = post(gateway, bucket, {n: value for n, value in fields.items() if value is not None})
    assert (answer.status, answer.code) == (status, code)
    assert files(gateway) == before


@pytest.mark.parametrize("header", ["x-amz-meta-a", "Content-Type"])
def test_no_header_is_injected(bucket: str, gateway: Any, header: str) -> None:
    fields = {"key": "k", header: "a\r\nset-cookie: b"}
    fields |= signed(policy(bucket, ["starts-with", f"${header}", ""]))
    answer = post(gateway, bucket, fields)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--\r\n",
        b"--b\r\n\r\n",
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n',
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n\xff\r\n--b--\r\n',
        b"--b\r\n" * 1000,
        b"x" * 100_000,
    ],
)
def test_bodies_that_are_no_form(bucket: str, gateway: Any, body: bytes) -> None:
    for kind in ("multipart/form-data; boundary=b", "multipart/form-data"):
        headers = {"content-type": kind, "content-length": str(len(body))}
        answer = s3_raw.send(gateway.port, "POST", f"/{bucket}", headers, body)
        assert (answer.status, answer.code in ("MalformedPOSTRequest", "InvalidArgument")) == (
            400,
            True,
        )
    answer = s3_raw.send(gateway.port, "POST", f"/{bucket}", {"content-type": kind})
    assert answer.status == 411


def test_a_bucket_that_is_not_there(gateway: Any) -> None:
    fields = {"key": "k"} | signed(policy("no-such-bucket"))
    answer = post(gateway, "no-such-bucket", fields)
    assert (answer.status, answer.code) == (404, "NoSuchBucket")


def test_a_large_file_takes_no_memory(s3: Any, bucket: str, gateway: Any) -> None:
    """The parser and the gateway hold a few pieces of a file at once, never the whole."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fields = {"key": "k"} | signed(policy(bucket))
    head = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    size = 128 << 20
    tail = b"\r\n--b--\r\n"

    def pieces() -> Any:
        yield head.encode()
        for _ in range(size >> 20):
            yield bytes(1 << 20)
        yield tail

    class Sized:
        def __iter__(self) -> Any:
            return pieces()

        def __len__(self) -> int:
            return len(head) + size + len(tail)

    began = time.process_time()
    answer = requests.post(
        f"{gateway.url}/{bucket}",
        data=Sized(),
        headers={"content-type": "multipart/form-data; boundary=b"},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 204, answer.text
    assert time.process_time() - began < 30
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
