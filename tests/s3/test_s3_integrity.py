"""Bit rot: what is damaged is never handed out as if it were whole, and the scrubber names it."""

import hashlib
import http.client
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import s3_raw
import s3_writer
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.s3 import damage, multipart, scrub
from studio.s3.index import NO_CHECKSUM, NO_FACTS, BlobFacts, BlobPart
from studio.s3.integrity import BLOCK, DamagedContent, Reader, Summer
from studio.s3.lifecycle import DAY
from studio.s3.multipart import Claim
from studio.s3.scrub import Scrubber, Stopped
from studio.s3.store import NO_ATTRIBUTES, ObjectStore, Target
from studio.s3.versions import NO_CONDITION


def flip(path: Path, offset: int = 0) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def cut(path: Path, _offset: int = 0) -> None:
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size - 1)


def remove(path: Path, _offset: int = 0) -> None:
    path.unlink()


def blob(gateway: Any, bucket: str, key: str) -> Path:
    path: Path = gateway.store.blobs.path(gateway.store.head(bucket, key).blob)
    return path


def failed(ask: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        ask()
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("harm", [flip, cut, remove])
@pytest.mark.parametrize("size", [1, BLOCK, 3 * BLOCK + 5, 8 << 20])
def test_small_objects_fail_before_the_first_byte(
    s3: Any, bucket: str, gateway: Any, harm: Callable[[Path], None], size: int
) -> None:
    data = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    path = blob(gateway, bucket, "k")
    # A copy shares the file; its owner must not suffer from the test.
    path.unlink()
    path.write_bytes(data)
    harm(path)
    assert failed(lambda: s3.get_object(Bucket=bucket, Key="k")) == ("InternalError", 500)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == data
    s3.put_object(Bucket=bucket, Key="k", Body=b"mended")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"mended"


def test_large_objects_are_cut_off(s3: Any, bucket: str, gateway: Any) -> None:
    data = os.urandom(12 << 20)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    flip(blob(gateway, bucket, "k"), 10 << 20)
    headers = s3_raw.sign(gateway.port, "GET", f"/{bucket}/k")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    connection.request("GET", f"/{bucket}/k", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead) as error:
        answer.read()
    assert error.value.partial == data[: 10 << 20]
    connection.close()


def test_ranges_are_checked_where_they_are_read(s3: Any, bucket: str, gateway: Any) -> None:
    data = os.urandom(12 << 20)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    flip(blob(gateway, bucket, "k"), 5 << 20)

    def part(start: int, end: int) -> bytes:
        body: bytes = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={start}-{end}")[
            "Body"
        ].read()
        return body

    assert part(0, (5 << 20) - 1) == data[: 5 << 20]
    assert part(6 << 20, 7 << 20) == data[6 << 20 : (7 << 20) + 1]
    assert failed(lambda: part((5 << 20) + 10, (5 << 20) + 20)) == ("InternalError", 500)


def test_objects_in_parts(s3: Any, bucket: str, gateway: Any) -> None:
    parts = [os.urandom(size) for size in ((5 << 20) + 3, (6 << 20) + 1, 77)]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    target = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    done = [
        {"PartNumber": at, "ETag": s3.upload_part(**target, PartNumber=at, Body=data)["ETag"]}
        for at, data in zip((2, 5, 9), parts, strict=True)
    ]
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": done})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(parts)
    for at, data in zip((2, 5, 9), parts, strict=True):
        answer = s3.get_object(Bucket=bucket, Key="k", PartNumber=at)
        assert answer["Body"].read() == data
        assert answer["PartsCount"] == 3
        head = s3.head_object(Bucket=bucket, Key="k", PartNumber=at)
        assert (head["ContentLength"], head["PartsCount"]) == (len(data), 3)
    assert failed(lambda: s3.get_object(Bucket=bucket, Key="k", PartNumber=3)) == (
        "InvalidPartNumber",
        416,
    )
    both = {"PartNumber": 2, "Range": "bytes=0-1"}
    assert failed(lambda: s3.get_object(Bucket=bucket, Key="k", **both))[0] == "InvalidRequest"
    wrong = s3_raw.sign(gateway.port, "GET", f"/{bucket}/k?partNumber=x")
    assert s3_raw.send(gateway.port, "GET", f"/{bucket}/k?partNumber=x", wrong).code == (
        "InvalidArgument"
    )
    # The sums of the parts are those of the whole.
    flip(blob(gateway, bucket, "k"), (5 << 20) + 3 + 10)
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=2)["Body"].read() == parts[0]
    assert failed(lambda: s3.get_object(Bucket=bucket, Key="k", PartNumber=5))[1] == 500


def test_plain_objects_have_one_part(s3: Any, bucket: str) -> None:
    for key, body in (("k", b"xyz"), ("empty", b"")):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        answer = s3.get_object(Bucket=bucket, Key=key, PartNumber=1)
        assert answer["Body"].read() == body
        assert "PartsCount" not in answer
        assert failed(lambda k=key: s3.get_object(Bucket=bucket, Key=k, PartNumber=2))[1] == 416


def test_attributes(s3: Any, bucket: str) -> None:
    data = [os.urandom(5 << 20), b"end"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")
    target = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    done = []
    for at, body in enumerate(data, 1):
        part = s3.upload_part(**target, PartNumber=at, Body=body, ChecksumAlgorithm="SHA256")
        done.append({"PartNumber": at, "ETag": part["ETag"]})
        done[-1]["ChecksumSHA256"] = part["ChecksumSHA256"]
    whole = s3.complete_multipart_upload(**target, MultipartUpload={"Parts": done})
    names = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    told = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=names)
    assert told["ETag"] == whole["ETag"].strip('"')
    assert told["ObjectSize"] == (5 << 20) + 3
    assert told["StorageClass"] == "STANDARD"
    assert told["Checksum"]["ChecksumSHA256"] + "-2" == whole["ChecksumSHA256"]
    parts = told["ObjectParts"]
    assert parts["TotalPartsCount"] == 2
    assert [(part["PartNumber"], part["Size"]) for part in parts["Parts"]] == [(1, 5 << 20), (2, 3)]
    assert [part["ChecksumSHA256"] for part in parts["Parts"]] == [
        each["ChecksumSHA256"] for each in done
    ]
    page = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"], MaxParts=1
    )
    assert page["ObjectParts"]["IsTruncated"] is True
    assert page["ObjectParts"]["NextPartNumberMarker"] == 1
    assert "ETag" not in page
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    told = s3.get_object_attributes(Bucket=bucket, Key="plain", ObjectAttributes=names)
    assert "ObjectParts" not in told
    wrong = ["ETag", "Nonsense"]
    ask = lambda: s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=wrong)  # noqa: E731
    assert failed(ask) == ("InvalidArgument", 400)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 5, BLOCK - 1, BLOCK, BLOCK + 1]), min_size=1, max_size=3),
    bad=st.integers(0, 1 << 22),
    asked=st.tuples(st.integers(0, 1 << 22), st.integers(0, 1 << 21)),
)
def test_the_reader_against_the_truth(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], bad: int, asked: tuple[int, int]
) -> None:
    parts = [os.urandom(64) * (size // 64) + os.urandom(size % 64) for size in sizes]
    data, sums = b"".join(parts), b""
    for part in parts:
        summer = Summer()
        for start in range(0, len(part), 700_001):
            summer.update(part[start : start + 700_001])
        sums += summer.sums()
    path = tmp_path_factory.mktemp("reader") / "blob"
    path.write_bytes(data)
    facts = BlobFacts(sums, [BlobPart(at, size) for at, size in enumerate(sizes)])
    start, size = asked
    with Reader(path, len(data), facts, lambda _: None) as file:
        assert file.read() == data
        file.seek(start)
        assert file.read(size) == data[start : start + size]
        file.verify(0, len(data))
    bad %= len(data)
    flip(path, bad)
    told: list[str] = []
    with Reader(path, len(data), facts, told.append) as file:
        with pytest.raises(DamagedContent):
            file.verify(0, len(data))
        assert told
        file.seek(start)
        try:
            assert file.read(size) == data[start : start + size]
        except DamagedContent:
            assert file.read(0) == b""
    path.unlink()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    opened = ObjectStore(tmp_path / "s3")
    opened.create_bucket("bucket", "us-east-1")
    yield opened
    opened.close()


def put(store: ObjectStore, key: str, data: bytes) -> Path:
    found = store.put("bucket", key, s3_writer.take(store, data))
    return store.blobs.path(found.stored.blob)


def scrubbed(store: ObjectStore, now: int, pause: Any = lambda _: None) -> list[str]:
    Scrubber(store.root, store.database, store.blobs, pause).run(now, DAY)
    return sorted(each.key for each in damage.known(store.root))


def test_the_scrubber_names_what_is_damaged(store: ObjectStore) -> None:
    paths = {key: put(store, key, key.encode() * 1000) for key in "abcd"}
    store.set_versioning("bucket", "Enabled")
    put(store, "a", b"newer")
    for key, harm in (("a", flip), ("b", cut), ("c", remove)):
        harm(paths[key])
    read: list[int] = []
    assert scrubbed(store, DAY, read.append) == ["a", "b", "c"]
    assert sum(read) == 1000 + 5
    assert sorted(found.key for found in scrub.check(store.database, store.blobs)) == list("abc")
    assert [found.version for found in damage.known(store.root)] == ["null"] * 3
    # The next cycle begins a day later; what was replaced or deleted is forgotten then.
    put(store, "d", b"other")
    store.delete("bucket", [Target("b", "null")])
    assert scrubbed(store, DAY + 1) == ["a", "b", "c"]
    assert scrubbed(store, 2 * DAY) == ["a", "c"]


def test_the_scrubber_goes_on_where_it_stopped(store: ObjectStore) -> None:
    for number in range(5):
        put(store, f"k{number}", b"x")
    read: list[int] = []

    def pause(size: int) -> None:
        if size and len(read) == 3:
            read.append(0)
            raise Stopped
        read.extend([size] if size else [])

    scrubber = Scrubber(store.root, store.database, store.blobs, pause)
    scrubber.run(DAY, DAY)
    assert read == [1, 1, 1, 0]
    scrubber.run(DAY + 1, DAY)
    assert read == [1, 1, 1, 0, 1, 1]
    scrubber.run(DAY + 2, DAY)
    assert len(read) == 6


def test_the_scrubber_stops_where_no_content_is(store: ObjectStore) -> None:
    for number in range(3):
        remove(put(store, f"k{number}", b"x"))
    asked: list[int] = []

    def pause(size: int) -> None:
        asked.append(size)
        if len(asked) == 2:
            raise Stopped

    assert scrubbed(store, DAY, pause) == ["k0"]


def test_objects_without_sums_get_some(store: ObjectStore) -> None:
    paths = {key: put(store, key, key.encode() * 100) for key in "ab"}
    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM blob").scalar_one() == 2
    store.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM blob") and None)
    flip(paths["b"])
    with store.open("bucket", "b")[1] as file:
        assert hashlib.md5(file.read()).hexdigest() != store.head("bucket", "b").etag
    assert scrubbed(store, DAY) == ["b"]
    flip(paths["a"])
    with store.open("bucket", "a")[1] as file, pytest.raises(DamagedContent):
        file.read()


def test_files_of_the_platform_are_summed(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "output").write_bytes(b"model" * 1000)
    stored = store.put_file("bucket", "k", tmp_path / "output")
    flip(store.blobs.path(stored.blob))
    with store.open("bucket", "k")[1] as file, pytest.raises(DamagedContent):
        file.read()


def test_links_are_not_followed_into_objects(store: ObjectStore, tmp_path: Path) -> None:
    begun = multipart.create(store, "bucket", "whole", NO_ATTRIBUTES, NO_CHECKSUM)
    bodies = enumerate((bytes(multipart.MIN_PART_BYTES), b"end"), 1)
    contents = {number: s3_writer.take(store, body) for number, body in bodies}
    claims = [
        Claim(number, multipart.put_part(store, begun, number, content).etag)
        for number, content in contents.items()
    ]
    (tmp_path / "secret").write_bytes(b"key")
    gone(store.blobs.path(contents[2].blob)).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        multipart.complete(store, ("bucket", "whole", begun.id), claims, NO_CONDITION)
    assert not list(store.list("bucket", ""))
    assert not list((store.root / "tmp").iterdir())


def test_what_is_no_file_gets_no_sums(store: ObjectStore, tmp_path: Path) -> None:
    """Of an object of a release that kept none; nothing waits for a pipe."""
    content = replace(s3_writer.take(store, b"old"), sums=b"")
    stored = store.put("bucket", "k", content).stored
    path, secret = store.blobs.path(stored.blob), tmp_path / "secret"
    secret.write_bytes(b"key")
    gone(path).symlink_to(secret)
    scrub._adopt(store.database, store.blobs, stored)
    assert store.facts(store.look("bucket", "k")) == NO_FACTS
    os.mkfifo(gone(path))
    scrub._adopt(store.database, store.blobs, stored)
    assert store.facts(store.look("bucket", "k")) == NO_FACTS
    [found] = scrub.check(store.database, store.blobs)
    assert found.what == "something else is where its file was"


def gone(path: Path) -> Path:
    path.unlink()
    return path


def test_nothing_is_scrubbed_on_battery(tmp_path: Path) -> None:
    assert not scrub.on_battery(tmp_path)
    (tmp_path / "AC").mkdir()
    (tmp_path / "AC" / "online").write_text("1\n")
    assert not scrub.on_battery(tmp_path)
    (tmp_path / "AC" / "online").write_text("0\n")
    assert scrub.on_battery(tmp_path)
