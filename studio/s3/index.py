"""The index of the object store: its records and its queries. No files, no HTTP.

Times are UTC milliseconds.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from studio.db import changes
from studio.s3.schema import BLOB, BUCKET, OBJECT, OLD, PART, UPLOAD

# Asked by every request: built once, as that costs more than to run them.
_BUCKET_OF = select(BUCKET).where(BUCKET.c.name == bindparam("name"))
_OBJECT_OF = select(OBJECT).where(
    OBJECT.c.bucket == bindparam("bucket"), OBJECT.c.key == bindparam("key")
)
_OLD_OF = select(OLD).where(OLD.c.bucket == bindparam("bucket"), OLD.c.key == bindparam("key"))
_NEWEST_OLD_OF = _OLD_OF.order_by(OLD.c.rank).limit(1)
_VERSION_OF = _OLD_OF.where(OLD.c.version == bindparam("version"))
_BLOB_OF = select(BLOB).where(BLOB.c.name == bindparam("name"))

# Documents are looked into by SQLite: a list of a thousand would take longer to decode them.
_LISTED = select(
    OBJECT.c.key,
    OBJECT.c.modified,
    OBJECT.c.etag,
    OBJECT.c.size,
    OBJECT.c.checksum["algorithm"].as_string(),
    OBJECT.c.checksum["kind"].as_string(),
    OBJECT.c.headers["x-amz-storage-class"].as_string(),
).order_by(OBJECT.c.key)

LAST_CHARACTER = "\U0010ffff"
NULL = "null"  # the version of what was written while the bucket kept none
ENABLED = "Enabled"
SUSPENDED = "Suspended"
NEWEST = -(1 << 63)  # lies before every rank


@dataclass(frozen=True)
class Bucket:
    """`owner` names a principal, "" is the owner of the account. `versioning` is "" until it was
    enabled once, then Enabled or Suspended. `settings` are the sub-resources, by their names.
    """

    name: str
    region: str
    created: int
    owner: str = ""
    versioning: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checksum:
    """A checksum that a client declared, in base64; an empty `algorithm` means none."""

    algorithm: str = ""
    value: str = ""
    kind: str = "FULL_OBJECT"


NO_CHECKSUM = Checksum()


@dataclass(frozen=True)
class StoredObject:
    """One version of an object. `headers` are those that its client chose, by lower-case name.

    The smaller its `rank`, the newer it is among those of its key. A `marker` says that the object
    was deleted; it has no content.
    """

    bucket: str
    key: str
    size: int
    etag: str
    modified: int
    blob: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    checksum: Checksum = NO_CHECKSUM
    tags: Mapping[str, str] = field(default_factory=dict)
    upload: str = ""
    version: str = NULL
    rank: int = 0
    marker: bool = False


class Listed(NamedTuple):
    """What a list shows of an object; `algorithm` is "" where no checksum is kept."""

    key: str
    modified: int
    etag: str
    size: int
    algorithm: str
    checksum_type: str
    storage_class: str | None


@dataclass(frozen=True)
class BlobPart:
    """A part of which a blob was put together; `checksum` is "" when it had none."""

    number: int
    size: int
    checksum: str = ""


@dataclass(frozen=True)
class BlobFacts:
    """What the content of a blob must be: the sums of its blocks, part by part."""

    sums: bytes = b""
    parts: Sequence[BlobPart] = ()


NO_FACTS = BlobFacts()


@dataclass(frozen=True)
class Upload:
    bucket: str
    key: str
    id: str
    created: int
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    algorithm: str
    checksum_type: str


@dataclass(frozen=True)
class Part:
    upload: str
    number: int
    size: int
    etag: str
    modified: int
    blob: str
    checksum: Checksum


class Touched(NamedTuple):
    """A note: what this key stands for has changed; without a key, the bucket itself."""

    bucket: str
    key: str


def touch(connection: Connection, bucket: str, key: str = "") -> None:
    """Let those who watch the store know."""
    changes.note(connection, Touched(bucket, key))


def find_bucket(connection: Connection, name: str) -> Bucket | None:
    row = connection.execute(_BUCKET_OF, {"name": name}).first()
    return Bucket(*row) if row else None


def find_object(connection: Connection, bucket: str, key: str) -> StoredObject | None:
    row = connection.execute(_OBJECT_OF, {"bucket": bucket, "key": key}).first()
    return _object(row) if row else None


def find_version(
    connection: Connection, bucket: str, key: str, version: str
) -> StoredObject | None:
    current = find_object(connection, bucket, key)
    if current is not None and current.version == version:
        return current
    return find_old(connection, bucket, key, version)


def find_old(connection: Connection, bucket: str, key: str, version: str) -> StoredObject | None:
    """A version or marker that is not the present object."""
    where = {"bucket": bucket, "key": key, "version": version}
    row = connection.execute(_VERSION_OF, where).first()
    return _object(row) if row else None


def find_completed(
    connection: Connection, bucket: str, key: str, upload: str
) -> StoredObject | None:
    """The object, or version of it, that an upload became."""
    current = find_object(connection, bucket, key)
    if current is not None and current.upload == upload:
        return current
    row = connection.execute(
        select(OLD).where(*named(OLD, bucket, key), OLD.c.upload == upload)
    ).first()
    return _object(row) if row else None


def newest_old(connection: Connection, bucket: str, key: str) -> StoredObject | None:
    """The newest of the versions and markers that are not the present object."""
    row = connection.execute(_NEWEST_OLD_OF, {"bucket": bucket, "key": key}).first()
    return _object(row) if row else None


def find_blob(connection: Connection, name: str) -> BlobFacts:
    row = connection.execute(_BLOB_OF, {"name": name}).first()
    return BlobFacts(row.sums, [BlobPart(*part) for part in row.parts]) if row else NO_FACTS


def find_blobs(connection: Connection, names: Sequence[str]) -> dict[str, BlobFacts]:
    """What is known of each of at most ten thousand blobs."""
    rows = connection.execute(select(BLOB).where(BLOB.c.name.in_(names)))
    return {row.name: BlobFacts(row.sums, [BlobPart(*part) for part in row.parts]) for row in rows}


def keep_blob(connection: Connection, name: str, facts: BlobFacts) -> None:
    if facts.sums or facts.parts:
        parts = [[part.number, part.size, part.checksum] for part in facts.parts]
        connection.execute(insert(BLOB), {"name": name, "sums": facts.sums, "parts": parts})


def forget_blobs(connection: Connection, names: Sequence[str]) -> None:
    if names:
        connection.execute(delete(BLOB).where(BLOB.c.name.in_(names)))


def find_upload(connection: Connection, bucket: str, key: str, upload: str) -> Upload | None:
    query = select(UPLOAD).where(
        UPLOAD.c.bucket == bucket, UPLOAD.c.key == key, UPLOAD.c.id == upload
    )
    row = connection.execute(query).first()
    return Upload(*row) if row else None


def find_parts(connection: Connection, upload: str, after: int = 0, limit: int = -1) -> list[Part]:
    """The parts of an upload by number, those above `after`, at most `limit`; -1: all."""
    query = select(PART).where(PART.c.upload == upload, PART.c.number > after)
    query = query.order_by(PART.c.number)
    if limit >= 0:
        query = query.limit(limit)
    return [_part(row) for row in connection.execute(query)]


def uploads_untouched_since(connection: Connection, moment: int) -> list[tuple[Upload, int]]:
    """Unfinished uploads and when each was last touched, before `moment`."""
    last = func.coalesce(func.max(PART.c.modified), UPLOAD.c.created).label("last")
    query = select(UPLOAD, last).outerjoin(PART, PART.c.upload == UPLOAD.c.id)
    query = query.where(UPLOAD.c.created < moment).group_by(*UPLOAD.primary_key)
    return [(Upload(*row[:-1]), row[-1]) for row in connection.execute(query)]


def insert_object(connection: Connection, stored: StoredObject) -> None:
    connection.execute(insert(OBJECT), _values(OBJECT, stored))


def replace_object(connection: Connection, stored: StoredObject) -> None:
    """`stored` in place of the present object of its key."""
    query = update(OBJECT).where(*named(OBJECT, stored.bucket, stored.key))
    connection.execute(query.values(_values(OBJECT, stored)))


def delete_object(connection: Connection, bucket: str, key: str) -> None:
    connection.execute(delete(OBJECT).where(*named(OBJECT, bucket, key)))


def insert_old(connection: Connection, stored: StoredObject) -> None:
    connection.execute(insert(OLD), _values(OLD, stored))


def delete_old(connection: Connection, stored: StoredObject) -> None:
    where = *named(OLD, stored.bucket, stored.key), OLD.c.rank == stored.rank
    connection.execute(delete(OLD).where(*where))


def set_tags(connection: Connection, stored: StoredObject, tags: Mapping[str, str]) -> None:
    """Of the version that `stored` is."""
    for table in (OBJECT, OLD):
        where = *named(table, stored.bucket, stored.key), table.c.version == stored.version
        connection.execute(update(table).where(*where).values(tags=dict(tags)))


def named(table: Table, bucket: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return table.c.bucket == bucket, table.c.key == key


def part_values(part: Part) -> dict[str, Any]:
    return {**vars(part), "checksum": vars(part.checksum)}


def blobs_in_use(connection: Connection) -> set[str]:
    queries = (select(table.c.blob) for table in (OBJECT, OLD, PART))
    return {name for query in queries for name in connection.execute(query).scalars()}


def objects_above(
    connection: Connection, bucket: str, prefix: str, after: str, limit: int
) -> list[StoredObject]:
    """The first `limit` objects whose keys begin with `prefix` and lie above `after`, in order."""
    where = [*_within(OBJECT, bucket, prefix), OBJECT.c.key > after]
    query = select(OBJECT).where(*where).order_by(OBJECT.c.key).limit(limit)
    return [_object(row) for row in connection.execute(query)]


def listed_above(
    connection: Connection, bucket: str, prefix: str, after: str, limit: int
) -> list[Listed]:
    """`objects_above` without what lists do not show."""
    query = _LISTED.where(*_within(OBJECT, bucket, prefix), OBJECT.c.key > after).limit(limit)
    return [Listed._make(row) for row in connection.execute(query).all()]


def listed(stored: StoredObject) -> Listed:
    """What a list shows of `stored`."""
    sum_ = stored.checksum
    storage = stored.headers.get("x-amz-storage-class")
    shown = (stored.key, stored.modified, stored.etag, stored.size)
    return Listed(*shown, sum_.algorithm, sum_.kind, storage)


def versions_above(
    connection: Connection, bucket: str, prefix: str, after: tuple[str, int], limit: int
) -> list[StoredObject]:
    """The same of all versions and markers, by key, then from new to old; `after` has a rank."""
    found: list[Iterable[StoredObject]] = []
    for table in (OBJECT, OLD):
        order = tuple_(table.c.key, table.c.rank)
        where = [*_within(table, bucket, prefix), table.c.key >= after[0], order > after]
        query = select(table).where(*where).order_by(table.c.key, table.c.rank).limit(limit)
        found.append([_object(row) for row in connection.execute(query)])
    merged = heapq.merge(*found, key=lambda stored: (stored.key.encode(), stored.rank))
    return [stored for stored, _ in zip(merged, range(limit), strict=False)]


def _within(table: Table, bucket: str, prefix: str) -> list[ColumnElement[bool]]:
    bounds = [table.c.bucket == bucket, table.c.key >= prefix]
    if (end := _successor(prefix)) is not None:
        bounds.append(table.c.key < end)
    return bounds


def _successor(prefix: str) -> str | None:
    """The least text above all that begin with `prefix`; None when there is none."""
    head = prefix.rstrip(LAST_CHARACTER)
    if not head:
        return None
    following = ord(head[-1]) + 1  # surrogates are not text
    return head[:-1] + chr(0xE000 if following == 0xD800 else following)


def _values(table: Table, stored: StoredObject) -> dict[str, Any]:
    """The row of an object in either table."""
    values = {name: value for name, value in vars(stored).items() if name in table.c}
    return values | {
        "headers": dict(stored.headers),
        "tags": dict(stored.tags),
        "checksum": vars(stored.checksum),
    }


def _object(row: Row[Any]) -> StoredObject:
    values = dict(row._mapping)
    checksum = values["checksum"]
    values["checksum"] = Checksum(**checksum) if checksum["algorithm"] else NO_CHECKSUM
    return StoredObject(**values)


def _part(row: Row[Any]) -> Part:
    values = dict(row._mapping)
    return Part(**{**values, "checksum": Checksum(**values["checksum"])})
