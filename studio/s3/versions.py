"""What a key stands for: the present object, older versions, delete markers.

Runs inside of writes to the index. Each function returns the blobs that nothing names any more.
"""

import uuid
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from studio.s3 import index
from studio.s3.errors import (
    invalid_argument,
    no_such_key,
    not_implemented,
    precondition_failed,
)
from studio.s3.index import ENABLED, NULL, SUSPENDED, Bucket, StoredObject

_ID_LENGTH = 32
_HEX = frozenset("0123456789abcdef")
_TICKS = 1 << 20  # ranks within a millisecond


@dataclass(frozen=True)
class Condition:
    """What must hold of the present object for a write to happen; empty fields ask nothing.

    `modified` is in whole seconds, as HTTP's dates are.
    """

    if_match: str = ""
    if_none_match: str = ""
    size: int | None = None
    modified: int | None = None

    def check(self, key: str, present: StoredObject | None) -> None:
        if self.if_none_match:
            if self.if_none_match != "*":
                raise not_implemented("If-None-Match with an ETag on a write")
            if present is not None:
                raise precondition_failed("If-None-Match")
        if self == Condition(if_none_match=self.if_none_match):
            return
        if present is None:
            raise no_such_key(key)
        if self.if_match and self.if_match.strip('"') not in ("*", present.etag):
            raise precondition_failed("If-Match")
        if self.size is not None and self.size != present.size:
            raise precondition_failed("x-amz-if-match-size")
        if self.modified is not None and self.modified != present.modified // 1000:
            raise precondition_failed("x-amz-if-match-last-modified-time")


NO_CONDITION = Condition()


@dataclass(frozen=True)
class Removal:
    """What a deletion did: the version that it removed or the marker that it made, "" for none."""

    version: str = ""
    marker: bool = False


def check_id(version: str) -> str:
    """`version`; S3Error unless it looks like an id of this store."""
    if version != NULL and not (len(version) == _ID_LENGTH and _HEX.issuperset(version)):
        raise invalid_argument("versionId", version, "Invalid version id specified")
    return version


def rank_of(version: str) -> int | None:
    """The rank that a version id tells though its version be gone; None for the null version."""
    return None if version == NULL else -int(version[: _ID_LENGTH // 2], 16)


def place(
    connection: Connection, bucket: Bucket, stored: StoredObject, condition: Condition
) -> tuple[StoredObject, list[str]]:
    """Make `stored` the present object of its key; as it was stored, and blobs to remove."""
    present = index.find_object(connection, bucket.name, stored.key)
    condition.check(stored.key, present)
    index.touch(connection, bucket.name, stored.key)
    placed = _numbered(connection, bucket, stored, present)
    if present is None:
        index.insert_object(connection, placed)
        return placed, _drop_null(connection, bucket, stored.key)
    # Writers that wait together may commit out of the order in which they looked at the clock.
    placed = replace(placed, modified=max(stored.modified, present.modified))
    unnamed = _put_aside(connection, bucket, present)
    index.replace_object(connection, placed)
    return placed, unnamed + _drop_null(connection, bucket, stored.key)


def remove(
    connection: Connection, bucket: Bucket, key: str, condition: Condition, now: int
) -> tuple[Removal, list[str]]:
    """The present object goes; where versions are kept, a marker takes its place."""
    present = index.find_object(connection, bucket.name, key)
    condition.check(key, present)
    index.touch(connection, bucket.name, key)
    unnamed: list[str] = []
    if present is not None:
        unnamed = _put_aside(connection, bucket, present)
        index.delete_object(connection, bucket.name, key)
    if not bucket.versioning:
        return Removal(), unnamed
    unnamed += _drop_null(connection, bucket, key)
    blank = StoredObject(bucket.name, key, 0, "", now, marker=True)
    marker = _numbered(connection, bucket, blank, present)
    index.insert_old(connection, marker)
    return Removal(marker.version, marker=True), unnamed


def remove_version(
    connection: Connection, bucket: Bucket, key: str, version: str, condition: Condition
) -> tuple[Removal, list[str]]:
    """One version goes for good; if it was the newest, the next one is what the key stands for."""
    found = index.find_version(connection, bucket.name, key, version)
    condition.check(key, found)
    if found is None:
        return Removal(version), []
    index.touch(connection, bucket.name, key)
    present = index.find_object(connection, bucket.name, key)
    if present is not None and present.version == version:
        index.delete_object(connection, bucket.name, key)
        present = None
    else:
        index.delete_old(connection, found)
    if present is None:
        _promote(connection, bucket, key)
    return Removal(version, found.marker), [found.blob] if found.blob else []


def latest(connection: Connection, bucket: Bucket, key: str) -> StoredObject | None:
    """The marker by which a key without a present object was deleted."""
    return index.newest_old(connection, bucket.name, key) if bucket.versioning else None


def _numbered(
    connection: Connection, bucket: Bucket, stored: StoredObject, present: StoredObject | None
) -> StoredObject:
    newest = present or latest(connection, bucket, stored.key)
    rank = -stored.modified * _TICKS
    if newest is not None:
        rank = min(rank, newest.rank - 1)
    kept = bucket.versioning == ENABLED
    version = f"{-rank:016x}{uuid.uuid4().hex[:16]}" if kept else NULL
    return replace(stored, rank=rank, version=version)


def _put_aside(connection: Connection, bucket: Bucket, present: StoredObject) -> list[str]:
    """Keep what is about to be replaced, if it is to be kept; else its blob."""
    if bucket.versioning == ENABLED or (bucket.versioning and present.version != NULL):
        index.insert_old(connection, present)
        return []
    return [present.blob]


def _drop_null(connection: Connection, bucket: Bucket, key: str) -> list[str]:
    """A new null version is coming: the old one goes."""
    if bucket.versioning != SUSPENDED:
        return []
    found = index.find_old(connection, bucket.name, key, NULL)
    if found is None:
        return []
    index.delete_old(connection, found)
    return [found.blob] if found.blob else []


def _promote(connection: Connection, bucket: Bucket, key: str) -> None:
    newest = index.newest_old(connection, bucket.name, key)
    if newest is not None and not newest.marker:
        index.delete_old(connection, newest)
        index.insert_object(connection, newest)
