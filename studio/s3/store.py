"""The object store: what is acknowledged survives a power cut, what is not leaves no trace.

Content lies in immutable blobs, names in an index; the one write to the index is what makes an
object. Blocking: call it from worker threads. Knows nothing of HTTP.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from studio import durable
from studio.db.session import Database
from studio.s3 import index
from studio.s3.blobs import Blobs, BlobWriter
from studio.s3.errors import (
    S3Error,
    no_such_bucket,
    no_such_key,
    not_implemented,
    precondition_failed,
)
from studio.s3.index import BUCKET, OBJECT, PART, UPLOAD, Bucket, Checksum, StoredObject
from studio.s3.names import check_bucket, check_key

T = TypeVar("T")

_BATCH = 1000
_ATTEMPTS = 16


@dataclass(frozen=True)
class Condition:
    """What must hold of the present object for a write to happen; empty fields ask nothing."""

    if_match: str = ""
    if_none_match: str = ""

    def check(self, key: str, present: StoredObject | None) -> None:
        if self.if_none_match:
            if self.if_none_match != "*":
                raise not_implemented("If-None-Match with an ETag on a write")
            if present is not None:
                raise precondition_failed("If-None-Match")
        if self.if_match and present is None:
            raise no_such_key(key)
        if self.if_match and present and self.if_match.strip('"') not in ("*", present.etag):
            raise precondition_failed("If-Match")


@dataclass(frozen=True)
class Content:
    """A blob in the store that no object names yet, and what is known of it."""

    blob: str
    size: int
    etag: str
    checksum: Checksum = index.NO_CHECKSUM


@dataclass(frozen=True)
class Attributes:
    """What a client says of an object beside its content."""

    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


NO_CONDITION = Condition()
NO_ATTRIBUTES = Attributes()


class ObjectStore:
    """The store in folder `root`, swept of what a crash left. One process may open it."""

    def __init__(self, root: Path, now: Callable[[], int] | None = None) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.blobs = Blobs(root)
        self.database = Database(f"sqlite:///{root / 'index.db'}")
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        index.METADATA.create_all(self.database.writer_engine)
        durable.sync_dir(root)
        durable.sync_dir(root.parent)
        with self.database.read() as connection:
            self.blobs.sweep(index.blobs_in_use(connection))

    def close(self) -> None:
        self.database.close()

    def create_bucket(self, name: str, region: str) -> bool:
        """False when it was there already."""
        row = {"name": check_bucket(name), "region": region, "created": self.now()}

        def work(connection: Connection) -> bool:
            if index.find_bucket(connection, name):
                return False
            connection.execute(insert(BUCKET), row)
            return True

        return self.database.write(work)

    def bucket(self, name: str) -> Bucket:
        with self.database.read() as connection:
            return require_bucket(connection, name)

    def buckets(self) -> list[Bucket]:
        with self.database.read() as connection:
            return [Bucket(*row) for row in connection.execute(select(BUCKET))]

    def delete_bucket(self, name: str) -> None:
        """Also forgets its unfinished uploads. S3Error BucketNotEmpty, NoSuchBucket."""

        def work(connection: Connection) -> list[str]:
            require_bucket(connection, name)
            if index.objects_above(connection, name, "", "", 1):
                raise S3Error(
                    "BucketNotEmpty", "The bucket you tried to delete is not empty", BucketName=name
                )
            uploads = select(UPLOAD.c.id).where(UPLOAD.c.bucket == name)
            parts = PART.c.upload.in_(uploads)
            blobs = list(connection.execute(select(PART.c.blob).where(parts)).scalars())
            connection.execute(delete(PART).where(parts))
            connection.execute(delete(UPLOAD).where(UPLOAD.c.bucket == name))
            connection.execute(delete(BUCKET).where(BUCKET.c.name == name))
            return blobs

        self.blobs.remove(self.database.write(work))

    def writer(self) -> BlobWriter:
        return self.blobs.writer()

    def put(
        self,
        bucket: str,
        key: str,
        content: Content,
        attributes: Attributes = NO_ATTRIBUTES,
        condition: Condition = NO_CONDITION,
    ) -> StoredObject:
        """Name `content`; its blob is removed when that fails."""
        stored = StoredObject(
            bucket=bucket,
            key=key,
            modified=self.now(),
            headers=attributes.headers,
            tags=attributes.tags,
            **vars(content),
        )

        def work(connection: Connection) -> list[str]:
            check_key(key)
            require_bucket(connection, bucket)
            return replace_object(connection, stored, condition)

        self.commit(work, [content.blob])
        return stored

    def commit(self, work: Callable[[Connection], list[str]], fresh: Iterable[str] = ()) -> None:
        """Write; then remove the blobs that `work` returns, or those in `fresh` when it refuses.

        After any other failure the index may name them; the next start's sweep knows.
        """
        try:
            unnamed = self.database.write(work)
        except S3Error:
            self.blobs.remove(fresh)
            raise
        self.blobs.remove(unnamed)

    def head(self, bucket: str, key: str) -> StoredObject:
        """S3Error NoSuchBucket, NoSuchKey."""
        with self.database.read() as connection:
            stored = index.find_object(connection, bucket, key)
            if stored is None:
                require_bucket(connection, bucket)
                raise no_such_key(key)
            return stored

    def open(self, bucket: str, key: str) -> tuple[StoredObject, BinaryIO]:
        """An object and its content, which stays readable whatever happens to the name."""
        return self._following(bucket, key, lambda found: self.blobs.path(found.blob).open("rb"))

    def linked(self, bucket: str, key: str) -> tuple[StoredObject, Content]:
        """An object and a second name for its content."""
        found, blob = self._following(bucket, key, lambda found: self.blobs.link(found.blob))
        return found, Content(blob, found.size, found.etag, found.checksum)

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """All whose keys begin with `prefix`, in order."""
        after = ""
        while True:
            with self.database.read() as connection:
                require_bucket(connection, bucket)
                batch = index.objects_above(connection, bucket, prefix, after, _BATCH)
            yield from batch
            if len(batch) < _BATCH:
                return
            after = batch[-1].key

    def delete(
        self,
        bucket: str,
        keys: Iterable[str],
        condition: Condition = NO_CONDITION,
    ) -> None:
        """All of `keys` at once; those that are not there are no error."""
        unique = set(keys)

        def work(connection: Connection) -> list[str]:
            require_bucket(connection, bucket)
            blobs = []
            for key in unique:
                present = index.find_object(connection, bucket, key)
                condition.check(key, present)
                if present is not None:
                    blobs.append(present.blob)
                    connection.execute(delete(OBJECT).where(*_named(bucket, key)))
            return blobs

        self.commit(work)

    def set_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        self.head(bucket, key)
        query = update(OBJECT).where(*_named(bucket, key)).values(tags=dict(tags))
        self.database.write(lambda connection: connection.execute(query) and None)

    def put_file(self, bucket: str, key: str, path: Path) -> StoredObject:
        """Store the regular file at `path`, linked where possible; it must not change any more.

        A symbolic link is refused (OSError). Storing the same content again does nothing.
        """
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            etag = hashlib.file_digest(file, _md5).hexdigest()
            size = os.fstat(fd).st_size
            present = self._find(bucket, key)
            if present and (present.etag, present.size) == (etag, size):
                return present
            content = Content(self.blobs.adopt(fd), size, etag)
        return self.put(bucket, key, content)

    def _find(self, bucket: str, key: str) -> StoredObject | None:
        with self.database.read() as connection:
            require_bucket(connection, bucket)
            return index.find_object(connection, bucket, key)

    def _following(
        self, bucket: str, key: str, use: Callable[[StoredObject], T]
    ) -> tuple[StoredObject, T]:
        """Retried while writers replace the object between the look-up and the use."""
        for _ in range(_ATTEMPTS):
            found = self.head(bucket, key)
            try:
                return found, use(found)
            except FileNotFoundError:
                continue
        raise S3Error("InternalError", "The content of this object cannot be read.")


def require_bucket(connection: Connection, name: str) -> Bucket:
    bucket = index.find_bucket(connection, name)
    if bucket is None:
        raise no_such_bucket(name)
    return bucket


def replace_object(connection: Connection, stored: StoredObject, condition: Condition) -> list[str]:
    """Inside a write: make `stored` the object of its key. The blobs that it replaces."""
    present = index.find_object(connection, stored.bucket, stored.key)
    condition.check(stored.key, present)
    values = index.object_values(stored)
    if present is None:
        connection.execute(insert(OBJECT), values)
        return []
    # Writers that wait together may commit out of the order in which they looked at the clock.
    values = index.object_values(replace(stored, modified=max(stored.modified, present.modified)))
    connection.execute(update(OBJECT).where(*_named(stored.bucket, stored.key)).values(values))
    return [present.blob]


def _named(bucket: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return OBJECT.c.bucket == bucket, OBJECT.c.key == key


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
