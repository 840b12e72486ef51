"""Life cycles: what rules are taken, and what goes when."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3_writer
from botocore.exceptions import ClientError
from waiting import eventually

from studio.s3 import index, janitor, lifecycle, multipart
from studio.s3.index import NEWEST, NO_CHECKSUM
from studio.s3.janitor import Janitor
from studio.s3.lifecycle import DAY
from studio.s3.store import NO_ATTRIBUTES, Attributes, ObjectStore, Target

BEGIN = 20_000 * DAY + 1000  # a second after midnight


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[ObjectStore]:
    opened = ObjectStore(tmp_path / "s3", clock)
    opened.create_bucket("bucket", "us-east-1")
    yield opened
    opened.close()


def put(store: ObjectStore, key: str, size: int = 1, **tags: str) -> str:
    content = s3_writer.take(store, b"x" * size)
    return store.put("bucket", key, content, Attributes(tags=tags)).stored.version


def rules(store: ObjectStore, *found: dict[str, Any]) -> None:
    whole = [{"ID": str(at), "Status": "Enabled", **rule} for at, rule in enumerate(found)]
    store.configure("bucket", "lifecycle", whole)


def expire(store: ObjectStore) -> list[tuple[str, bool]]:
    """What is left: key and whether it is a marker, of all versions."""
    janitor.expire(store, store.bucket("bucket"))
    with store.database.read() as connection:
        rows = index.versions_above(connection, "bucket", "", ("", NEWEST), 1000)
    return [(row.key, row.marker) for row in rows]


def keys(store: ObjectStore) -> list[str]:
    return [key for key, _ in expire(store)]


def test_days_end_at_midnight(store: ObjectStore, clock: Clock) -> None:
    put(store, "log/1")
    put(store, "other")
    rules(store, {"Filter": {"Prefix": "log/"}, "Expiration": {"Days": 1}})
    clock.now = 20_002 * DAY - 1
    assert keys(store) == ["log/1", "other"]
    clock.now += 1
    put(store, "log/2")
    assert keys(store) == ["log/2", "other"]


def test_filters(store: ObjectStore, clock: Clock) -> None:
    put(store, "a", 10, kind="tmp")
    put(store, "b", 10, kind="tmp", other="1")
    put(store, "c", 100, kind="tmp", other="1")
    put(store, "d", 100)
    both = {"Tags": [{"Key": "kind", "Value": "tmp"}, {"Key": "other", "Value": "1"}]}
    rules(
        store,
        {"Filter": {"And": {**both, "ObjectSizeGreaterThan": 10}}, "Expiration": {"Days": 1}},
        {"Status": "Disabled", "Filter": {}, "Expiration": {"Days": 1}},
        {"Filter": {"ObjectSizeLessThan": 10}, "Expiration": {"Days": 1}},
    )
    clock.now += 3 * DAY
    assert keys(store) == ["a", "b", "d"]
    rules(store, {"Filter": {"Tag": both["Tags"][0]}, "Expiration": {"Date": "1999-01-01"}})
    assert keys(store) == ["d"]


def test_versions_get_a_marker_and_then_go(store: ObjectStore, clock: Clock) -> None:
    store.set_versioning("bucket", "Enabled")
    put(store, "k")
    rules(
        store,
        {"Filter": {}, "Expiration": {"Days": 1}},
        {"Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 2}},
    )
    clock.now += 2 * DAY
    assert expire(store) == [("k", True), ("k", False)]
    clock.now += DAY
    assert expire(store) == [("k", True), ("k", False)]
    clock.now += 2 * DAY
    assert expire(store) == [("k", True)]
    assert expire(store) == []


def test_some_old_versions_stay(store: ObjectStore, clock: Clock) -> None:
    store.set_versioning("bucket", "Enabled")
    made = []
    for _ in range(5):
        made.append(put(store, "k"))
        clock.now += DAY
    end = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}
    rules(store, {"Filter": {}, "NoncurrentVersionExpiration": end})
    clock.now += 9 * DAY
    assert keys(store) == ["k"] * 3
    assert store.head("bucket", "k", made[2]).version == made[2]


def test_lonely_markers(store: ObjectStore, clock: Clock) -> None:
    store.set_versioning("bucket", "Enabled")
    put(store, "kept")
    store.delete("bucket", [Target("kept"), Target("lonely")])
    rules(store, {"Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}})
    assert expire(store) == [("kept", True), ("kept", False)]


def test_uploads(store: ObjectStore, clock: Clock) -> None:
    begun = [multipart.create(store, "bucket", key, NO_ATTRIBUTES, NO_CHECKSUM) for key in "abc"]
    clock.now += 4 * DAY
    multipart.put_part(store, begun[2], 1, s3_writer.take(store, b"x"))
    rules(
        store,
        {"Filter": {"Prefix": "a"}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}},
    )
    assert janitor.abort_old_uploads(store) == 1
    clock.now += 4 * DAY
    assert janitor.abort_old_uploads(store) == 1
    left = multipart.find(store, "bucket", "c", begun[2].id)
    assert left.key == "c"
    clock.now += 4 * DAY
    assert janitor.abort_old_uploads(store) == 1
    assert not [path for path in (store.root / "blobs").rglob("*") if path.is_file()]


def test_the_janitor_works_once_a_day(
    store: ObjectStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []
    real = janitor.expire

    def counted(store: ObjectStore, bucket: Any) -> int:
        passes.append(bucket.name)
        return real(store, bucket)

    monkeypatch.setattr(janitor, "expire", counted)
    works = Janitor(store)
    works.pass_once()
    assert passes == []
    rules(store, {"Filter": {}, "Expiration": {"Days": 1}})
    for _ in range(3):
        works.pass_once()
    assert len(passes) == 1
    clock.now += DAY
    works.pass_once()
    assert len(passes) == 2
    rules(store, {"Filter": {}, "Expiration": {"Days": 2}})
    works.pass_once()
    assert len(passes) == 3
    works.close()


def test_the_thread(store: ObjectStore, clock: Clock) -> None:
    put(store, "k")
    rules(store, {"Filter": {}, "Expiration": {"Days": 1}})
    clock.now += 3 * DAY
    works = Janitor(store, wake_seconds=0.01)
    works.start()
    try:
        eventually(lambda: not list(store.list("bucket", "")))
    finally:
        works.close()


def rule(**more: Any) -> dict[str, Any]:
    return {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, **more}


def configure(s3: Any, bucket: str, *found: dict[str, Any]) -> None:
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": list(found)}
    )


def test_configuration_comes_back(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    whole = [
        rule(ID="one", NoncurrentVersionExpiration={"NoncurrentDays": 3}),
        rule(
            ID="two",
            Filter={
                "And": {
                    "Prefix": "<&/",
                    "Tags": [{"Key": "a", "Value": "b"}],
                    "ObjectSizeGreaterThan": 5,
                }
            },
        ),
        {"ID": "three", "Prefix": "p", "Status": "Disabled"}
        | {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}},
    ]
    configure(s3, bucket, *whole)
    found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert sorted(found, key=lambda each: each["ID"]) == sorted(whole, key=lambda each: each["ID"])
    configure(s3, bucket, rule())
    [named] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert named["ID"]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


_TAG = {"Key": "a", "Value": "b"}
_ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
_MARKER = {"Expiration": {"ExpiredObjectDeleteMarker": True}}


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], "MalformedXML"),
        ([rule(ID="x"), rule(ID="x")], "InvalidArgument"),
        ([rule(ID="x" * 256)], "InvalidArgument"),
        ([rule(Status="enabled")], "MalformedXML"),
        ([rule(Prefix="p")], "MalformedXML"),
        ([{"Status": "Enabled", "Expiration": {"Days": 1}}], "MalformedXML"),
        ([rule(Filter={"Prefix": "a", "Tag": _TAG})], "MalformedXML"),
        ([rule(Filter={"And": {"Prefix": "a"}})], "MalformedXML"),
        ([rule(Filter={"And": {"Tags": [_TAG, _TAG]}})], "InvalidRequest"),
        ([rule(Expiration={"Days": 0})], "InvalidArgument"),
        ([rule(Expiration={"Days": -1})], "InvalidArgument"),
        ([rule(Expiration={})], "MalformedXML"),
        ([rule(Expiration={"Days": 1, "Date": "2030-01-01T00:00:00Z"})], "MalformedXML"),
        ([rule(Expiration={"Date": "2030-01-01T00:00:01Z"})], "InvalidArgument"),
        ([{"Status": "Enabled", "Filter": {}}], "InvalidRequest"),
        ([rule(Filter={"Tag": _TAG}, **_MARKER)], "InvalidRequest"),
        ([rule(Filter={"Tag": _TAG}, **_ABORT)], "InvalidRequest"),
        ([rule(Filter={"ObjectSizeLessThan": 9}, **_ABORT)], "InvalidRequest"),
        ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 0})], "InvalidArgument"),
        (
            [
                rule(
                    NoncurrentVersionExpiration={
                        "NoncurrentDays": 1,
                        "NewerNoncurrentVersions": 101,
                    }
                )
            ],
            "InvalidArgument",
        ),
        ([rule(Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])], "NotImplemented"),
    ],
)
def test_rules_that_are_refused(
    s3: Any, bucket: str, found: list[dict[str, Any]], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        configure(s3, bucket, *found)
    assert error.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_answers_tell_the_end(s3: Any, bucket: str) -> None:
    configure(s3, bucket, rule(ID="a b", Filter={"Prefix": "tmp/"}, Expiration={"Days": 3}))
    told = s3.put_object(Bucket=bucket, Key="tmp/1", Body=b"x")["Expiration"]
    head = s3.head_object(Bucket=bucket, Key="tmp/1")
    assert head["Expiration"] == told
    modified = int(head["LastModified"].timestamp()) * 1000
    assert 'rule-id="a%20b"' in told
    assert "00:00:00 GMT" in told
    assert lifecycle.midnight(modified, 3) % DAY == 0
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other", Body=b"x")
