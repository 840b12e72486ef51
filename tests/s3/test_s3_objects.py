"""Objects over the wire with boto3: content, metadata, ranges, conditions, copies, tags."""

import base64
import concurrent.futures
import hashlib
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize("size", [0, 1, 5000, 256 << 10, (256 << 10) + 1, 1 << 20, (3 << 20) + 7])
def test_content_comes_back_as_it_was(s3: Any, bucket: str, size: int) -> None:
    data = (hashlib.sha256(b"seed").digest() * (size // 32 + 1))[:size]
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    assert put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert got["ContentLength"] == size
    assert got["ChecksumCRC32"] == base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size


def test_headers_and_metadata_come_back(s3: Any, bucket: str) -> None:
    expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    stated = {
        "CacheControl": "max-age=5",
        "ContentDisposition": 'attachment; filename="a b.csv"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/csv",
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "alias/mine",
        "Metadata": {"train": "yes", "mixed-case": "Value with  spaces"},
    }
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", Expires=expires, **stated)
    assert put["ServerSideEncryption"] == "aws:kms"
    got = s3.head_object(Bucket=bucket, Key="k")
    assert {name: got[name] for name in stated} == stated
    assert got["Expires"] == expires
    s3.put_object(Bucket=bucket, Key="k", Body=b"y")
    again = s3.head_object(Bucket=bucket, Key="k")
    assert again["Metadata"] == {}
    assert again["ContentType"] == "binary/octet-stream"
    assert "StorageClass" not in again


def test_metadata_has_a_limit(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "b" * 2048})
    assert code(error) == "MetadataTooLarge"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=4-7", slice(4, 8)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-3", slice(-3, None)),
        ("bytes=-99", slice(None)),
        ("bytes=5-999", slice(5, None)),
    ],
)
def test_range(s3: Any, bucket: str, text: str, part: slice) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=text)
    assert got["Body"].read() == b"0123456789"[part]
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    start = range(10)[part][0]
    assert got["ContentRange"] == f"bytes {start}-{start + got['ContentLength'] - 1}/10"
    assert "ChecksumCRC32" not in got


@pytest.mark.parametrize(
    "text", ["bytes=9-1", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=1-2,4-5"]
)
def test_what_is_no_range_is_ignored(s3: Any, bucket: str, text: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=text)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert got["Body"].read() == b"0123456789"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"0123456789", "bytes=10-"),
        (b"0123456789", "bytes=-0"),
        (b"", "bytes=0-"),
        (b"", "bytes=-1"),
    ],
)
def test_range_outside_of_the_object(s3: Any, bucket: str, data: bytes, text: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", Range=text)
    assert code(error) == "InvalidRange"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416


def test_absent_objects(s3: Any, bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="k")
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=bucket, Key="k")
    assert error.value.response["Error"] == {"Code": "404", "Message": "Not Found"}
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_object(Bucket="no-such-bucket", Key="k")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="no-such-bucket", Key="k", Body=b"x" * (2 << 20))
    assert s3.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_conditional_reads(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    for held in (
        {"IfMatch": etag},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": now - hour},
        {"IfUnmodifiedSince": now + hour},
        {"IfMatch": etag, "IfUnmodifiedSince": now - hour},
        {"IfNoneMatch": '"other"', "IfModifiedSince": now + hour},
    ):
        assert s3.get_object(Bucket=bucket, Key="k", **held)["Body"].read() == b"x", held
    for unmet, status in (
        ({"IfMatch": '"other"'}, 412),
        ({"IfUnmodifiedSince": now - hour}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": now + hour}, 304),
    ):
        for read in (s3.get_object, s3.head_object):
            with pytest.raises(ClientError) as error:
                read(Bucket=bucket, Key="k", **unmet)
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status, unmet


def test_conditional_writes(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"0", IfMatch='"any"')
    assert code(error) == "NoSuchKey"
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    for unmet in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"2", **unmet)
        assert code(error) == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"


def test_one_of_many_creators_wins(s3: Any, bucket: str) -> None:
    def create(number: int) -> bool:
        try:
            s3.put_object(Bucket=bucket, Key="k", Body=str(number), IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"] != "PreconditionFailed"
        return True

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(24)))
    assert won.count(True) == 1
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == str(won.index(True)).encode()


def test_readers_see_whole_objects_while_writers_replace_them(s3: Any, bucket: str) -> None:
    bodies = [bytes([number]) * (400_000 + number) for number in range(6)]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])

    def write(body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key="k", Body=body)

    def read(_: int) -> bytes:
        return bytes(s3.get_object(Bucket=bucket, Key="k")["Body"].read())

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        writes = [pool.submit(write, body) for body in bodies * 4]
        seen = list(pool.map(read, range(40)))
    assert all(write.exception() is None for write in writes)
    assert set(seen) <= set(bodies)


def test_copy(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="a/ü +%",
        Body=b"x",
        Metadata={"m": "1"},
        ContentType="a/b",
        Tagging="t=1",
    )
    source = {"Bucket": bucket, "Key": "a/ü +%"}
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == s3.head_object(**source)["ETag"]
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Body"].read(), got["Metadata"], got["ContentType"]) == (b"x", {"m": "1"}, "a/b")
    assert got["TagCount"] == 1
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"n": "2"},
    )
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"n": "2"}
    s3.delete_object(**source)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"


def test_copy_refused(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    source = {"Bucket": bucket, "Key": "k"}
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="k", CopySource=source)
    assert code(error) == "InvalidRequest"
    for unmet in ({"CopySourceIfNoneMatch": etag}, {"CopySourceIfMatch": '"other"'}):
        with pytest.raises(ClientError) as error:
            s3.copy_object(Bucket=bucket, Key="c", CopySource=source, **unmet)
        assert code(error) == "PreconditionFailed"
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="c", CopySource={"Bucket": bucket, "Key": "absent"})
    assert code(error) == "NoSuchKey"
    s3.copy_object(
        Bucket=bucket, Key="k", CopySource=source, MetadataDirective="REPLACE", Metadata={"n": "2"}
    )
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (b"x", {"n": "2"})


def test_delete_many(s3: Any, bucket: str) -> None:
    keys = ["a", "b/c", "ü", "<&>\"'", " lead", "line\nbreak", "cr\rlf"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.put_object(Bucket=bucket, Key="kept", Body=b"x")
    wanted = [{"Key": key} for key in [*keys, "absent"]]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert {entry["Key"] for entry in answer["Deleted"]} == {*keys, "absent"}
    assert [e["Key"] for e in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "kept"}], "Quiet": True})
    assert "Deleted" not in quiet
    with pytest.raises(ClientError) as error:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}] * 1001})
    assert code(error) == "MalformedXML"


def test_tags(s3: Any, bucket: str) -> None:
    target = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**target, Body=b"x", Tagging="a=1&b=%C3%BC+%26")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "ü &"}]
    assert s3.get_object_tagging(**target)["TagSet"] == tags
    s3.put_object_tagging(**target, Tagging={"TagSet": [{"Key": "c", "Value": ""}]})
    assert s3.get_object_tagging(**target)["TagSet"] == [{"Key": "c", "Value": ""}]
    s3.delete_object_tagging(**target)
    assert s3.get_object_tagging(**target)["TagSet"] == []
    with pytest.raises(ClientError) as error:
        s3.put_object_tagging(**target, Tagging={"TagSet": [{"Key": "c", "Value": ""}] * 2})
    assert code(error) == "InvalidTag"


def test_checksums(s3: Any, bucket: str) -> None:
    for name in ("SHA1", "SHA256", "CRC32"):
        put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=name)
        got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert got[f"Checksum{name}"] == put[f"Checksum{name}"]
    for wrong in (
        {"ChecksumSHA256": base64.b64encode(bytes(32)).decode()},
        {"ContentMD5": "A" * 22 + "=="},
    ):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"other", **wrong)
        assert code(error) == "BadDigest"
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"other", ContentMD5="abc")
    assert code(error) == "InvalidDigest"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_expected_owner(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner="000000000000")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"y", ExpectedBucketOwner="111111111111")
    assert code(error) == "AccessDenied"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_response_overrides(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = s3.generate_presigned_url(
        "get_object",
        Params={
            "Bucket": bucket,
            "Key": "k",
            "ResponseContentType": "text/csv",
            "ResponseContentDisposition": 'attachment; filename="ü.csv"',
        },
    )
    got = requests.get(url, timeout=30)
    assert got.content == b"x"
    assert got.headers["content-type"] == "text/csv"
    assert got.headers["content-disposition"].encode("latin-1").decode() == (
        'attachment; filename="ü.csv"'
    )


def test_what_is_missing_says_so(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for ask, name in (
        (lambda: s3.get_object_torrent(Bucket=bucket, Key="k"), "torrent"),
        (lambda: s3.put_object_lock_configuration(Bucket=bucket), "object-lock"),
        (
            lambda: s3.put_bucket_accelerate_configuration(
                Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"}
            ),
            "acceleration",
        ),
    ):
        with pytest.raises(ClientError) as error:
            ask()
        assert code(error) == "NotImplemented"
        assert name in error.value.response["Error"]["Message"]


_KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
).filter(lambda key: len(key.encode()) <= 1024)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=_KEYS)
def test_any_key_comes_back(s3: Any, key: str) -> None:
    s3.create_bucket(Bucket="any-key")
    body = key.encode()
    s3.put_object(Bucket="any-key", Key=key, Body=body)
    assert s3.get_object(Bucket="any-key", Key=key)["Body"].read() == body
    listed = s3.list_objects_v2(Bucket="any-key")["Contents"]
    assert [entry["Key"] for entry in listed] == [key]
    s3.delete_object(Bucket="any-key", Key=key)


@pytest.mark.parametrize(
    "key",
    [
        "a/../../etc/passwd",
        "./x",
        "a//b",
        "/x",
        "x/",
        ".",
        "..",
        "con",
        "end.",
        "end ",
        "k/b",
        "é" * 512,
    ],
)
def test_keys_are_opaque(s3: Any, bucket: str, gateway: Any, key: str) -> None:
    before = {path for path in gateway.root.rglob("*") if path.is_dir()}
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.put_object(Bucket=bucket, Key=f"{key[:100]}/below", Body=b"y")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    assert {path for path in gateway.root.rglob("*") if path.is_dir()} == before
    assert key in [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]


def test_presigned_listing(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="seen", Body=b"x")
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket})
    got = requests.get(url, timeout=30)
    assert got.status_code == 200
    assert "<Key>seen</Key>" in got.text


def test_sub_resources_of_tomorrow_are_refused(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"kept")
    with pytest.raises(ClientError) as error:
        s3.put_object_annotation(
            Bucket=bucket, Key="k", AnnotationName="note", AnnotationPayload=b"lost"
        )
    assert code(error) == "NotImplemented"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"
