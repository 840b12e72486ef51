"""Behaviour that S3's conformance suites look for, beyond what the other files test."""

import socket
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import s3_raw
import s3_server
from botocore.exceptions import ClientError

KEYS = ["+&", "a b/1", "a b/2", "a%2Fb", "asdf", "b.a/x", "b.b", "line\nend", "quux/", "ü/é"]


def failure(ask: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        ask(**arguments)
    return str(error.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def listed(s3: Any) -> str:
    s3.create_bucket(Bucket="listed")
    for key in KEYS:
        s3.put_object(Bucket="listed", Key=key, Body=b"x")
    return "listed"


@pytest.mark.parametrize("prefix", ["", "a", "a b/", "b.", "ü", "%", "+", "line\n", "nothing"])
@pytest.mark.parametrize("delimiter", ["", "/", "a", " ", ".", "%", "+", "&", "\n", "ü", "absent"])
def test_delimiters_and_prefixes(s3: Any, listed: str, prefix: str, delimiter: str) -> None:
    keys, prefixes = [], []
    for key in sorted(KEYS, key=str.encode):
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter or "\0")
        if found:
            prefixes.append(prefix + head + found)
        else:
            keys.append(key)
    for ask in (s3.list_objects, s3.list_objects_v2):
        answer = ask(Bucket=listed, Prefix=prefix, Delimiter=delimiter)
        assert [entry["Key"] for entry in answer.get("Contents", ())] == keys
        common = [entry["Prefix"] for entry in answer.get("CommonPrefixes", ())]
        assert common == sorted(set(prefixes), key=str.encode)
        # botocore asks for encoded prefixes of version 1 and does not decode them.
        assert prefix == (answer["Prefix"] if "KeyCount" in answer else unquote(answer["Prefix"]))
        assert answer.get("Delimiter", "") == delimiter


def test_markers(s3: Any, listed: str) -> None:
    everything = sorted(KEYS, key=str.encode)
    for marker in ("", "+&", "a", "zzz", "ü/é", "\n", "%"):
        above = [key for key in everything if key.encode() > marker.encode()]
        v1 = s3.list_objects(Bucket=listed, Marker=marker)
        v2 = s3.list_objects_v2(Bucket=listed, StartAfter=marker)
        assert [entry["Key"] for entry in v1.get("Contents", ())] == above
        assert [entry["Key"] for entry in v2.get("Contents", ())] == above
    first = s3.list_objects_v2(Bucket=listed, MaxKeys=1, StartAfter="+&")
    token = first["NextContinuationToken"]
    second = s3.list_objects_v2(Bucket=listed, StartAfter="zzz", ContinuationToken=token)
    assert [entry["Key"] for entry in second["Contents"]] == everything[2:]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("max-keys=blah", "InvalidArgument"),
        ("list-type=2&max-keys=-1", "InvalidArgument"),
        ("encoding-type=base64", "InvalidArgument"),
        ("prefix=%FF", "InvalidArgument"),
    ],
)
def test_bad_questions(gateway: Any, listed: str, query: str, code: str) -> None:
    answer = s3_raw.call(gateway.port, "GET", f"/{listed}?{query}")
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "AWS4-HMAC-SHA256", "AWS AKIA:sig", "Bearer x", "é"]
)
def test_bad_authorization(gateway: Any, listed: str, text: str) -> None:
    headers = {"authorization": text, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    answer = s3_raw.send(gateway.port, "GET", f"/{listed}", headers)
    assert answer.status in (400, 403)
    assert answer.code in ("AuthorizationHeaderMalformed", "AccessDenied")


@pytest.mark.parametrize(
    "date", ["", "19500101T000000Z", "99990101T000000Z", "nonsense", "20261399T000000Z"]
)
def test_bad_dates(gateway: Any, listed: str, date: str) -> None:
    headers = s3_raw.sign(gateway.port, "GET", f"/{listed}")
    headers["X-Amz-Date"] = date
    assert s3_raw.send(gateway.port, "GET", f"/{listed}", headers).status in (400, 403)


@pytest.mark.parametrize("length", ["-1", "abc", "", "1e3"])
def test_bad_lengths(gateway: Any, s3: Any, bucket: str, length: str) -> None:
    answer = s3_raw.call(gateway.port, "PUT", f"/{bucket}/k", length=length)
    assert answer.status in (400, 411)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_metadata_is_replaced_not_merged(s3: Any, bucket: str) -> None:
    for metadata in ({"a": "1"}, {"b": "2"}, {"b": ""}, {}):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata=metadata)
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == metadata


def test_copies_between_buckets(s3: Any, bucket: str) -> None:
    other = f"{bucket}-other"
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=bucket, Key="empty", Body=b"", ContentType="a/b", Metadata={"m": "1"})
    s3.copy_object(Bucket=other, Key="new", CopySource=f"{bucket}/empty")
    head = s3.head_object(Bucket=other, Key="new")
    assert (head["ContentLength"], head["ContentType"], head["Metadata"]) == (0, "a/b", {"m": "1"})
    copy = s3.copy_object
    for source, code in (
        (f"{bucket}/absent", "NoSuchKey"),
        ("no-such-bucket/k", "NoSuchBucket"),
        ("no-key", "InvalidArgument"),
        (f"{bucket}/empty?versionId=1", "InvalidArgument"),
    ):
        assert failure(copy, Bucket=other, Key="k", CopySource=source) == code
    target = {"Bucket": "no-such-bucket", "Key": "k"}
    assert failure(copy, CopySource=f"{bucket}/empty", **target) == "NoSuchBucket"
    bad = {"Bucket": other, "Key": "k", "CopySource": f"{bucket}/empty"}
    assert failure(copy, MetadataDirective="MERGE", **bad) == "InvalidArgument"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=other)["Contents"]] == ["new"]


def test_a_part_sent_again_counts_once(s3: Any, bucket: str) -> None:
    target = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**target, Body=b"before")
    target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
    for body in (b"first", b"second", b"third"):
        etag = s3.upload_part(**target, PartNumber=1, Body=body)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"before"
    s3.complete_multipart_upload(**target, MultipartUpload=parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"third"


def test_a_reader_keeps_what_it_began_to_read(s3: Any, bucket: str) -> None:
    old = b"o" * (8 << 20)
    s3.put_object(Bucket=bucket, Key="k", Body=old)
    body = s3.get_object(Bucket=bucket, Key="k")["Body"]
    start = body.read(1000)
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    s3.delete_object(Bucket=bucket, Key="k")
    assert start + body.read() == old


def test_nobody_sees_a_write_under_way(s3: Any, bucket: str, gateway: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    body = b"n" * (3 << 20)
    headers = s3_raw.sign(gateway.port, "PUT", f"/{bucket}/k", body=body)
    headers |= {"content-length": str(len(body)), "host": f"127.0.0.1:{gateway.port}"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(f"PUT /{bucket}/k HTTP/1.1\r\n{lines}\r\n".encode() + body[:-1])
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"
        assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 1
        connection.sendall(body[-1:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_presigned_writes(s3: Any, bucket: str, gateway: Any) -> None:
    for version in ("s3", "s3v4"):
        client = s3_server.client(gateway.url, signature_version=version)
        stated = {"ContentType": "text/plain", "Metadata": {"a": "b"}}
        url = client.generate_presigned_url(
            "put_object", Params={"Bucket": bucket, "Key": "ü +", **stated}
        )
        headers = {"Content-Type": "text/plain", "x-amz-meta-a": "b"}
        assert requests.put(url, b"hello", headers=headers, timeout=30).status_code == 200
        got = s3.get_object(Bucket=bucket, Key="ü +")
        assert got["Body"].read() == b"hello"
        assert {name: got[name] for name in stated} == stated
        target = {"Bucket": bucket, "Key": "parts"}
        target["UploadId"] = s3.create_multipart_upload(**target)["UploadId"]
        url = client.generate_presigned_url("upload_part", Params={**target, "PartNumber": 1})
        etag = requests.put(url, b"part", timeout=30).headers["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        s3.complete_multipart_upload(**target, MultipartUpload=parts)
        client.close()


def test_each_answer_has_an_id_of_its_own(s3: Any, bucket: str) -> None:
    answers = [s3.head_bucket(Bucket=bucket) for _ in range(3)]
    assert len({answer["ResponseMetadata"]["RequestId"] for answer in answers}) == 3


def test_a_connection_serves_many_requests(s3: Any, bucket: str, gateway: Any) -> None:
    """Refusals with a body, too: what follows on the connection is not taken for the body."""
    with requests.Session() as session:
        for _ in range(3):
            refused = session.put(f"{gateway.url}/{bucket}/k", b"x" * 100_000, timeout=30)
            assert refused.status_code == 403
            url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
            assert session.put(url, b"y", timeout=30).status_code == 200
