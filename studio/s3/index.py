"""The index of the object store: its tables, its records, its queries. No files, no HTTP.

Keys order by their bytes in UTF-8, as on S3. Times are UTC milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    select,
)

METADATA = MetaData()

BUCKET = Table(
    "bucket",
    METADATA,
    Column("name", String, primary_key=True),
    Column("region", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
OBJECT = Table(
    "object",
    METADATA,
    Column("bucket", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("blob", String, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("checksum", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("upload", String, nullable=False),
    sqlite_with_rowid=False,
)
UPLOAD = Table(
    "upload",
    METADATA,
    Column("bucket", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("created", BigInteger, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("algorithm", String, nullable=False),
    Column("checksum_type", String, nullable=False),
    sqlite_with_rowid=False,
)
PART = Table(
    "part",
    METADATA,
    Column("upload", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("etag", String, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("blob", String, nullable=False),
    Column("checksum", JSON, nullable=False),
    sqlite_with_rowid=False,
)

# Asked by every request: built once, as that costs more than to run them.
_BUCKET_OF = select(BUCKET).where(BUCKET.c.name == bindparam("name"))
_OBJECT_OF = select(OBJECT).where(
    OBJECT.c.bucket == bindparam("bucket"), OBJECT.c.key == bindparam("key")
)

LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True)
class Bucket:
    name: str
    region: str
    created: int


@dataclass(frozen=True)
class Checksum:
    """A checksum that a client declared, in base64; an empty `algorithm` means none."""

    algorithm: str = ""
    value: str = ""
    kind: str = "FULL_OBJECT"


NO_CHECKSUM = Checksum()


@dataclass(frozen=True)
class StoredObject:
    """One object. `headers` are those that its client chose, by lower-case name."""

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


def find_bucket(connection: Connection, name: str) -> Bucket | None:
    row = connection.execute(_BUCKET_OF, {"name": name}).first()
    return Bucket(*row) if row else None


def find_object(connection: Connection, bucket: str, key: str) -> StoredObject | None:
    row = connection.execute(_OBJECT_OF, {"bucket": bucket, "key": key}).first()
    return _object(row) if row else None


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


def object_values(stored: StoredObject) -> dict[str, Any]:
    """The row of an object."""
    return {**vars(stored), "headers": dict(stored.headers), "tags": dict(stored.tags)} | {
        "checksum": vars(stored.checksum)
    }


def part_values(part: Part) -> dict[str, Any]:
    return {**vars(part), "checksum": vars(part.checksum)}


def blobs_in_use(connection: Connection) -> set[str]:
    named = set(connection.execute(select(OBJECT.c.blob)).scalars())
    return named | set(connection.execute(select(PART.c.blob)).scalars())


def objects_above(
    connection: Connection, bucket: str, prefix: str, after: str, limit: int
) -> list[StoredObject]:
    """The first `limit` objects whose keys begin with `prefix` and lie above `after`, in order."""
    bounds = [OBJECT.c.bucket == bucket, OBJECT.c.key >= prefix, OBJECT.c.key > after]
    if (end := _successor(prefix)) is not None:
        bounds.append(OBJECT.c.key < end)
    query = select(OBJECT).where(*bounds).order_by(OBJECT.c.key).limit(limit)
    return [_object(row) for row in connection.execute(query)]


def _successor(prefix: str) -> str | None:
    """The least text above all that begin with `prefix`; None when there is none."""
    head = prefix.rstrip(LAST_CHARACTER)
    if not head:
        return None
    following = ord(head[-1]) + 1  # surrogates are not text
    return head[:-1] + chr(0xE000 if following == 0xD800 else following)


def _object(row: Row[Any]) -> StoredObject:
    values = dict(row._mapping)
    return StoredObject(**{**values, "checksum": Checksum(**values["checksum"])})


def _part(row: Row[Any]) -> Part:
    values = dict(row._mapping)
    return Part(**{**values, "checksum": Checksum(**values["checksum"])})
