"""Lists of objects, against a model that reads everything."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.s3 import listing
from studio.s3.store import Attributes, Content, ObjectStore

_numbers = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    opened = ObjectStore(tmp_path_factory.mktemp("listing"))
    yield opened
    opened.close()


def model(keys: set[str], prefix: str, delimiter: str, after: str) -> list[str]:
    """Keys and common prefixes above `after`, in order of their UTF-8."""
    entries: dict[str, None] = {}
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if end < 0 else key[: end + len(delimiter)]
        if key.encode() > after.encode() and entry != after:
            entries.setdefault(entry)
    return list(entries)


_ALPHABET = st.sampled_from("ab/-é\U0010ffff\ud7ff\ue000")
_TEXT = st.text(_ALPHABET, max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    keys=st.sets(st.text(_ALPHABET, min_size=1, max_size=6), max_size=25),
    prefix=st.text(_ALPHABET, max_size=2),
    delimiter=st.sampled_from(["", "/", "-", "a/"]),
    after=_TEXT,
    limit=st.integers(1, 6),
)
def test_pages_against_a_model(
    store: ObjectStore, keys: set[str], prefix: str, delimiter: str, after: str, limit: int
) -> None:
    name = f"model-{next(_numbers)}"
    store.create_bucket(name, "us-east-1")
    for key in keys:
        store.put(name, key, Content(key.encode().hex(), 0, "0"), Attributes())
    expected = model(keys, prefix, delimiter, after)
    seen: list[str] = []
    marker = after
    with store.database.read() as connection:
        while True:
            page = listing.scan(connection, name, prefix, delimiter, marker, limit)
            assert len(page.entries) <= limit
            seen += [entry if isinstance(entry, str) else entry.key for entry in page.entries]
            if not page.more:
                break
            marker = page.last
    assert seen == expected


def test_no_key_is_read_below_a_common_prefix(store: ObjectStore, monkeypatch: Any) -> None:
    store.create_bucket("skip", "us-east-1")
    for folder, number in itertools.product("abc", range(300)):
        store.put("skip", f"{folder}/{number}", Content("0", 0, "0"))
    read = 0
    find = listing.index.listed_above

    def counted(*arguments: Any) -> Any:
        nonlocal read
        found = find(*arguments)
        read += len(found)
        return found

    monkeypatch.setattr(listing.index, "listed_above", counted)
    with store.database.read() as connection:
        page = listing.scan(connection, "skip", "", "/", "", 1000)
    assert page.entries == ["a/", "b/", "c/"]
    assert read < 300


def test_both_versions_page_through_everything(s3: Any, bucket: str) -> None:
    keys = sorted(
        [f"d{n}/x" for n in range(3)] + [f"k{n}" for n in range(5)] + ["ü +&", "z\x01"],
        key=str.encode,
    )
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    for operation in ("list_objects", "list_objects_v2", "list_object_versions"):
        pages = list(
            s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
        )
        name = "Versions" if operation == "list_object_versions" else "Contents"
        assert [entry["Key"] for page in pages for entry in page.get(name, ())] == keys
        assert len(pages) == 5
        folders = list(
            s3.get_paginator(operation).paginate(
                Bucket=bucket, Delimiter="/", Prefix="d", PaginationConfig={"PageSize": 1}
            )
        )
        found = [entry["Prefix"] for page in folders for entry in page.get("CommonPrefixes", ())]
        assert found == ["d0/", "d1/", "d2/"]


def test_fields(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER_IR")
    entry = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("k", 1, "GLACIER_IR")
    assert entry["Owner"]["ID"]
    assert (
        entry["LastModified"].replace(microsecond=0)
        == s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    )
    version = s3.list_object_versions(Bucket=bucket)["Versions"][0]
    assert (version["VersionId"], version["IsLatest"]) == ("null", True)
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    answer = s3.list_objects_v2(Bucket=bucket, MaxKeys=7, StartAfter="a", Prefix="p")
    assert (answer["KeyCount"], answer["MaxKeys"], answer["StartAfter"], answer["Prefix"]) == (
        0,
        7,
        "a",
        "p",
    )


def test_limits(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    none = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)["MaxKeys"] == 1000
    for bad in ({"MaxKeys": -1}, {"ContinuationToken": "not base64!"}):
        with pytest.raises(ClientError) as error:
            s3.list_objects_v2(Bucket=bucket, **bad)
        assert error.value.response["Error"]["Code"] == "InvalidArgument"
    for absent in (s3.list_objects, s3.list_objects_v2, s3.list_object_versions):
        with pytest.raises(ClientError) as error:
            absent(Bucket="no-such-bucket")
        assert error.value.response["Error"]["Code"] == "NoSuchBucket"
