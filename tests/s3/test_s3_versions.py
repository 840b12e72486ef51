"""Versions, delete markers, and what a key stands for."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import s3_writer
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.s3 import index, version_listing
from studio.s3.errors import S3Error
from studio.s3.index import NEWEST, NULL
from studio.s3.store import ObjectStore, Target
from studio.s3.version_listing import Row

_names = itertools.count()
UNKNOWN = "0" * 32


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    status(s3, bucket, "Enabled")
    return bucket


def status(s3: Any, bucket: str, state: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})


def put(s3: Any, bucket: str, body: bytes, key: str = "k", **more: Any) -> str:
    answer = s3.put_object(Bucket=bucket, Key=key, Body=body, **more)
    return str(answer.get("VersionId", ""))


def get(s3: Any, bucket: str, **more: Any) -> bytes:
    data: bytes = s3.get_object(Bucket=bucket, **{"Key": "k", **more})["Body"].read()
    return data


def refused(ask: Any) -> tuple[str, int, dict[str, str]]:
    with pytest.raises(ClientError) as error:
        ask()
    answer = error.value.response
    meta = answer["ResponseMetadata"]
    return answer["Error"]["Code"], meta["HTTPStatusCode"], meta["HTTPHeaders"]


def listed(s3: Any, bucket: str, **more: Any) -> list[tuple[str, str, bool]]:
    """Version, V or M, latest; of each entry, in the order of the two lists."""
    answer = s3.list_object_versions(Bucket=bucket, **more)
    found = [("V", each) for each in answer.get("Versions", [])]
    found += [("M", each) for each in answer.get("DeleteMarkers", [])]
    return [(each["VersionId"], kind, each["IsLatest"]) for kind, each in found]


def test_states(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert put(s3, bucket, b"0") == ""
    for state in ("Enabled", "Suspended", "Enabled"):
        status(s3, bucket, state)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == state
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    code, _, _ = refused(
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={})
    )
    assert code == "IllegalVersioningConfigurationException"
    both = {"Status": "Enabled", "MFADelete": "Enabled"}
    code, _, _ = refused(
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=both, MFA="a 1")
    )
    assert code == "NotImplemented"


def test_every_version_stays(s3: Any, versioned: str) -> None:
    ids = [put(s3, versioned, str(number).encode()) for number in range(3)]
    assert len(set(ids)) == 3
    assert get(s3, versioned) == b"2"
    for number, version in enumerate(ids):
        assert get(s3, versioned, VersionId=version) == str(number).encode()
        head = s3.head_object(Bucket=versioned, Key="k", VersionId=version)
        assert head["VersionId"] == version
    assert listed(s3, versioned) == [
        (ids[2], "V", True),
        (ids[1], "V", False),
        (ids[0], "V", False),
    ]


def test_delete_markers(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, b"0")
    answer = s3.delete_object(Bucket=versioned, Key="k")
    marker = answer["VersionId"]
    assert answer["DeleteMarker"] is True
    code, number, headers = refused(lambda: get(s3, versioned))
    assert (code, number) == ("NoSuchKey", 404)
    assert headers["x-amz-delete-marker"] == "true"
    assert headers["x-amz-version-id"] == marker
    code, number, headers = refused(lambda: get(s3, versioned, VersionId=marker))
    assert (code, number, headers["x-amz-delete-marker"]) == ("MethodNotAllowed", 405, "true")
    _, number, _ = refused(lambda: s3.head_object(Bucket=versioned, Key="k", VersionId=marker))
    assert number == 405
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    assert listed(s3, versioned) == [(first, "V", False), (marker, "M", True)]
    assert get(s3, versioned, VersionId=first) == b"0"
    gone = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert (gone["DeleteMarker"], gone["VersionId"]) == (True, marker)
    assert get(s3, versioned) == b"0"


def test_deleting_a_version_frees_its_content(s3: Any, versioned: str, gateway: Any) -> None:
    before = blobs(gateway)
    ids = [put(s3, versioned, str(number).encode()) for number in range(3)]
    s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[2])
    assert get(s3, versioned) == b"1"
    s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[0])
    assert get(s3, versioned) == b"1"
    s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[1])
    assert refused(lambda: get(s3, versioned))[0] == "NoSuchKey"
    assert blobs(gateway) == before
    answer = s3.delete_object(Bucket=versioned, Key="k", VersionId=ids[1])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    s3.delete_bucket(Bucket=versioned)


def blobs(gateway: Any) -> set[str]:
    return {path.name for path in (gateway.root / "blobs").rglob("*") if path.is_file()}


def test_null_versions(s3: Any, bucket: str) -> None:
    put(s3, bucket, b"before")
    status(s3, bucket, "Enabled")
    kept = put(s3, bucket, b"kept")
    assert get(s3, bucket, VersionId="null") == b"before"
    status(s3, bucket, "Suspended")
    assert put(s3, bucket, b"after") == "null"
    assert listed(s3, bucket) == [("null", "V", True), (kept, "V", False)]
    assert get(s3, bucket, VersionId="null") == b"after"
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert (marker["VersionId"], marker["DeleteMarker"]) == ("null", True)
    assert listed(s3, bucket) == [(kept, "V", False), ("null", "M", True)]
    put(s3, bucket, b"again")
    assert listed(s3, bucket) == [("null", "V", True), (kept, "V", False)]
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert get(s3, bucket) == b"kept"


def test_a_bucket_with_versions_is_not_empty(s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"0")
    marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    for gone in (version, marker):
        assert refused(lambda: s3.delete_bucket(Bucket=versioned))[0] == "BucketNotEmpty"
        s3.delete_object(Bucket=versioned, Key="k", VersionId=gone)
    s3.delete_bucket(Bucket=versioned)


def test_wrong_ids(s3: Any, versioned: str) -> None:
    put(s3, versioned, b"0")
    for version in ("x", "..", "0" * 31, "G" * 32):
        assert refused(lambda v=version: get(s3, versioned, VersionId=v))[0] == "InvalidArgument"
        ask = lambda v=version: s3.delete_object(Bucket=versioned, Key="k", VersionId=v)  # noqa: E731
        assert refused(ask)[0] == "InvalidArgument"
    for version in (UNKNOWN, "null"):
        assert refused(lambda v=version: get(s3, versioned, VersionId=v))[:2] == (
            "NoSuchVersion",
            404,
        )
    assert len(listed(s3, versioned)) == 1


def test_copies_of_versions(s3: Any, versioned: str) -> None:
    ids = [put(s3, versioned, str(number).encode()) for number in range(2)]
    source = {"Bucket": versioned, "Key": "k", "VersionId": ids[0]}
    copied = s3.copy_object(Bucket=versioned, Key="k", CopySource=source)
    assert copied["CopySourceVersionId"] == ids[0]
    assert copied["VersionId"] not in ids
    assert get(s3, versioned) == b"0"
    upload = s3.create_multipart_upload(Bucket=versioned, Key="m")["UploadId"]
    target = {"Bucket": versioned, "Key": "m", "UploadId": upload}
    part = s3.upload_part_copy(**target, PartNumber=1, CopySource={**source, "VersionId": ids[1]})
    assert part["CopySourceVersionId"] == ids[1]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
    done = s3.complete_multipart_upload(**target, MultipartUpload=parts)
    assert get(s3, versioned, Key="m", VersionId=done["VersionId"]) == b"1"
    # The same answer after the object has been replaced.
    put(s3, versioned, b"new", key="m")
    again = s3.complete_multipart_upload(**target, MultipartUpload=parts)
    assert (again["ETag"], again["VersionId"]) == (done["ETag"], done["VersionId"])
    s3.delete_object(Bucket=versioned, Key="k")
    assert (
        refused(
            lambda: s3.copy_object(
                Bucket=versioned, Key="c", CopySource={"Bucket": versioned, "Key": "k"}
            )
        )[0]
        == "NoSuchKey"
    )


def test_tags_of_versions(s3: Any, versioned: str) -> None:
    ids = [put(s3, versioned, b"x", Tagging=f"n={number}") for number in range(2)]
    tags = {"TagSet": [{"Key": "n", "Value": "old"}, {"Key": "m", "Value": ""}]}
    answer = s3.put_object_tagging(Bucket=versioned, Key="k", VersionId=ids[0], Tagging=tags)
    assert answer["VersionId"] == ids[0]
    assert s3.get_object_tagging(Bucket=versioned, Key="k")["TagSet"] == [
        {"Key": "n", "Value": "1"}
    ]
    found = s3.get_object_tagging(Bucket=versioned, Key="k", VersionId=ids[0])["TagSet"]
    assert found == tags["TagSet"]
    assert s3.head_object(Bucket=versioned, Key="k", VersionId=ids[0])["TagCount"] == 2
    s3.delete_object_tagging(Bucket=versioned, Key="k", VersionId=ids[0])
    assert "TagCount" not in s3.head_object(Bucket=versioned, Key="k", VersionId=ids[0])


def test_many_at_once(s3: Any, versioned: str) -> None:
    ids = [put(s3, versioned, b"x") for _ in range(2)]
    keys = [
        {"Key": "k", "VersionId": ids[0]},
        {"Key": "k"},
        {"Key": "absent"},
        {"Key": "k", "VersionId": "wrong"},
    ]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": keys})
    first, marker, other = answer["Deleted"]
    assert first == {"Key": "k", "VersionId": ids[0]}
    assert (marker["Key"], marker["DeleteMarker"]) == ("k", True)
    assert other["DeleteMarker"] is True
    assert [(each["Code"], each["VersionId"]) for each in answer["Errors"]] == [
        ("InvalidArgument", "wrong")
    ]
    gone = {"Key": "k", "VersionId": marker["DeleteMarkerVersionId"]}
    [removed] = s3.delete_objects(Bucket=versioned, Delete={"Objects": [gone]})["Deleted"]
    assert removed["DeleteMarkerVersionId"] == gone["VersionId"]
    assert listed(s3, versioned, Prefix="k") == [(ids[1], "V", True)]


def test_conditional_writes_look_at_the_present_object(s3: Any, versioned: str) -> None:
    put(s3, versioned, b"x")
    assert refused(lambda: put(s3, versioned, b"y", IfNoneMatch="*"))[0] == "PreconditionFailed"
    assert refused(lambda: put(s3, versioned, b"y", IfMatch='"0"'))[0] == "PreconditionFailed"
    s3.delete_object(Bucket=versioned, Key="k")
    assert refused(lambda: put(s3, versioned, b"y", IfMatch="*"))[0] == "NoSuchKey"
    put(s3, versioned, b"y", IfNoneMatch="*")
    assert get(s3, versioned) == b"y"


def test_conditional_deletes(s3: Any, versioned: str) -> None:
    version = put(s3, versioned, b"xyz")
    head = s3.head_object(Bucket=versioned, Key="k")
    target = {"Bucket": versioned, "Key": "k"}
    wrong: list[dict[str, Any]] = [
        {"IfMatch": '"0"'},
        {"IfMatchSize": 4},
        {"IfMatchLastModifiedTime": "Wed, 21 Oct 2015 07:28:00 GMT"},
    ]
    for condition in wrong:
        assert refused(lambda c=condition: s3.delete_object(**target, **c))[:2] == (
            "PreconditionFailed",
            412,
        )
        ask = lambda c=condition: s3.delete_object(**target, **c, VersionId=version)  # noqa: E731
        assert refused(ask)[0] == "PreconditionFailed"
    many = s3.delete_objects(
        Bucket=versioned,
        Delete={"Objects": [{"Key": "k", "ETag": '"0"'}, {"Key": "k", "Size": 4}]},
    )
    assert [each["Code"] for each in many["Errors"]] == ["PreconditionFailed"] * 2
    assert get(s3, versioned) == b"xyz"
    right = {"IfMatch": head["ETag"], "IfMatchSize": 3}
    s3.delete_object(**target, **right, IfMatchLastModifiedTime=head["LastModified"])
    assert refused(lambda: s3.delete_object(**target, IfMatch="*"))[0] == "NoSuchKey"
    s3.delete_object(**target, VersionId=version, IfMatch=head["ETag"])
    assert [kind for _, kind, _ in listed(s3, versioned)] == ["M"]


def test_pages_of_versions(s3: Any, versioned: str) -> None:
    for number in range(3):
        for key in ("a/1", "a/2", "b", "c/1"):
            put(s3, versioned, str(number).encode(), key=key)
    s3.delete_object(Bucket=versioned, Key="b")
    for limit in (1, 2, 3, 5):
        seen: list[tuple[str, str, bool]] = []
        more: dict[str, Any] = {}
        while True:
            page = s3.list_object_versions(Bucket=versioned, MaxKeys=limit, **more)
            rows = page.get("Versions", []) + page.get("DeleteMarkers", [])
            seen += [(row["Key"], row["VersionId"], row["IsLatest"]) for row in rows]
            if not page["IsTruncated"]:
                break
            more = {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }
        assert len(seen) == 13
        assert len(set(seen)) == 13
        assert sum(latest for _, _, latest in seen) == 4
    page = s3.list_object_versions(Bucket=versioned, Delimiter="/", MaxKeys=2)
    assert [each["Prefix"] for each in page["CommonPrefixes"]] == ["a/"]
    assert page["NextKeyMarker"] == "b"
    page = s3.list_object_versions(Bucket=versioned, Delimiter="/", KeyMarker="a/")
    assert {each["Key"] for each in page["Versions"]} == {"b"}
    assert [each["Prefix"] for each in page["CommonPrefixes"]] == ["c/"]
    assert (
        refused(lambda: s3.list_object_versions(Bucket=versioned, VersionIdMarker=UNKNOWN))[0]
        == "InvalidArgument"
    )
    assert listed(s3, versioned, MaxKeys=0) == []


@dataclass
class Model:
    """What S3 does with one key, in a few lines: versions from new to old."""

    state: str = ""
    versions: list[tuple[str, bytes | None]] | None = None

    def rows(self) -> list[tuple[str, bytes | None]]:
        self.versions = self.versions or []
        return self.versions

    def write(self, version: str, body: bytes | None) -> None:
        rows = self.rows()
        if self.state != "Enabled":
            rows[:] = [row for row in rows if row[0] != NULL]
        if body is not None or self.state:
            rows.insert(0, (version, body))


_STEPS = st.lists(
    st.sampled_from(["put", "delete", "enable", "suspend", "drop0", "drop1", "dropn"]), max_size=14
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    opened = ObjectStore(tmp_path_factory.mktemp("versions"))
    yield opened
    opened.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=_STEPS)
def test_any_history_against_a_model(store: ObjectStore, steps: list[str]) -> None:
    name = f"model-{next(_names)}"
    store.create_bucket(name, "us-east-1")
    model = Model()
    for number, step in enumerate(steps):
        _take(store, name, model, step, str(number).encode())
        assert _present(store, name) == model.rows()
        with store.database.read() as connection:
            whole = version_listing.scan(connection, (name, "", ""), ("", NEWEST), 100)
        latest = [row.latest for row in whole.entries if isinstance(row, Row)]
        assert latest == [position == 0 for position in range(len(latest))]
        current = model.rows()[0][1] if model.rows() else None
        if current is None:
            with pytest.raises(S3Error):
                store.head(name, "k")
        else:
            with store.open(name, "k")[1] as file:
                assert file.read() == current


def _take(store: ObjectStore, name: str, model: Model, step: str, body: bytes) -> None:
    rows = model.rows()
    if step in ("enable", "suspend"):
        model.state = "Enabled" if step == "enable" else "Suspended"
        store.set_versioning(name, model.state)
    elif step == "put":
        found = store.put(name, "k", s3_writer.take(store, body))
        model.write(found.stored.version, body)
    elif step == "delete":
        [result] = store.delete(name, [Target("k")])
        assert not isinstance(result, S3Error)
        model.write(result.version, None)
    else:
        at = {"drop0": 0, "drop1": 1, "dropn": len(rows) - 1}[step]
        if 0 <= at < len(rows):
            store.delete(name, [Target("k", rows.pop(at)[0])])


def _present(store: ObjectStore, name: str) -> list[tuple[str, bytes | None]]:
    with store.database.read() as connection:
        rows = index.versions_above(connection, name, "", ("", NEWEST), 100)
    found: list[tuple[str, bytes | None]] = []
    for row in rows:
        if row.marker:
            found.append((row.version, None))
            continue
        with store.open(name, "k", row.version)[1] as file:
            found.append((row.version, file.read()))
    return found
