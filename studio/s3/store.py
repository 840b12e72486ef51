"""The object store: what is acknowledged survives a power cut, what is not leaves no trace.

Content lies in immutable blobs, names in an index; the one write to the index is what makes an
object. Blocking: call it from worker threads. Knows nothing of HTTP.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from studio import disk, durable
from studio.db.session import Database
from studio.s3 import index, schema, versions
from studio.s3.blobs import Blobs, BlobWriter
from studio.s3.errors import S3Error, deleted, no_such_bucket, no_such_key, no_such_version
from studio.s3.index import BlobFacts, BlobPart, Bucket, Checksum, StoredObject
from studio.s3.integrity import Reader, Summer
from studio.s3.names import check_bucket, check_key
from studio.s3.schema import BUCKET, PART, UPLOAD
from studio.s3.versions import NO_CONDITION, Condition, Removal

T = TypeVar("T")

_BATCH = 1000
_ATTEMPTS = 16
_CHUNK = 1 << 20
_ENCRYPTION = "x-amz-server-side-encryption"

log = structlog.get_logger()


@dataclass(frozen=True)
class Content:
    """A blob in the store that no object names yet, and what is known of it."""

    blob: str
    size: int
    etag: str
    checksum: Checksum = index.NO_CHECKSUM
    sums: bytes = b""
    parts: Sequence[BlobPart] = ()

    @property
    def facts(self) -> BlobFacts:
        return BlobFacts(self.sums, self.parts)


@dataclass(frozen=True)
class Attributes:
    """What a client says of an object beside its content."""

    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """An object and the bucket that it lies in, of one moment."""

    bucket: Bucket
    stored: StoredObject
    facts: BlobFacts = index.NO_FACTS


@dataclass(frozen=True)
class Target:
    """What to delete: the present object, or the version that is named."""

    key: str
    version: str = ""
    condition: Condition = NO_CONDITION


NO_ATTRIBUTES = Attributes()


class ObjectStore:
    """The store in folder `root`, swept of what a crash left. One process may open it.

    `policed` names the buckets that have a policy, or had one since the store was opened.
    `spare` frees some room on a full disk, for the index; False when it cannot.
    """

    def __init__(
        self,
        root: Path,
        now: Callable[[], int] | None = None,
        spare: Callable[[], bool] = lambda: False,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.root = root
        self.blobs = Blobs(root)
        self.database = Database(f"sqlite:///{root / 'index.db'}", spare)
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        schema.upgrade(self.database)
        durable.sync_dir(root)
        durable.sync_dir(root.parent)
        with self.database.read() as connection:
            self.blobs.sweep(index.blobs_in_use(connection))
        self.policed = {it.name for it in self.buckets() if it.settings.get("policy")}

    def close(self) -> None:
        self.database.close()

    def create_bucket(
        self, name: str, region: str, owner: str = "", settings: Mapping[str, Any] | None = None
    ) -> bool:
        """False when it was there already. `settings` as `configure` keeps them."""
        row = {"name": check_bucket(name), "region": region, "created": self.now(), "owner": owner}
        row |= {"versioning": "", "settings": dict(settings or {})}

        def work(connection: Connection) -> bool:
            if index.find_bucket(connection, name):
                return False
            connection.execute(insert(BUCKET), row)
            index.touch(connection, name)
            return True

        return self.database.write(work)

    def bucket(self, name: str) -> Bucket:
        with self.database.read() as connection:
            return require_bucket(connection, name)

    def buckets(self) -> list[Bucket]:
        with self.database.read() as connection:
            return [Bucket(*row) for row in connection.execute(select(BUCKET))]

    def set_versioning(self, name: str, state: str) -> None:
        """Enabled or Suspended: a bucket that kept versions once cannot forget that it did."""
        self._change_bucket(name, lambda _: {"versioning": state})

    def configure(self, name: str, setting: str, value: Any) -> None:
        """Keep a sub-resource, JSON; None forgets it."""

        def changed(bucket: Bucket) -> dict[str, Any]:
            others = {key: kept for key, kept in bucket.settings.items() if key != setting}
            return {"settings": others if value is None else {**others, setting: value}}

        if setting == "policy":
            self.policed.add(name)  # before anybody is told that it holds
        self._change_bucket(name, changed)

    def delete_bucket(self, name: str) -> None:
        """Also forgets its unfinished uploads. S3Error BucketNotEmpty, NoSuchBucket."""

        def work(connection: Connection) -> tuple[None, list[str]]:
            require_bucket(connection, name)
            if index.versions_above(connection, name, "", ("", index.NEWEST), 1):
                raise S3Error(
                    "BucketNotEmpty", "The bucket you tried to delete is not empty", BucketName=name
                )
            uploads = select(UPLOAD.c.id).where(UPLOAD.c.bucket == name)
            parts = PART.c.upload.in_(uploads)
            blobs = list(connection.execute(select(PART.c.blob).where(parts)).scalars())
            connection.execute(delete(PART).where(parts))
            connection.execute(delete(UPLOAD).where(UPLOAD.c.bucket == name))
            connection.execute(delete(BUCKET).where(BUCKET.c.name == name))
            index.touch(connection, name)
            return None, blobs

        self.commit(work)

    def writer(self) -> BlobWriter:
        """For new content. Raises OSError while the disk has only room for names."""
        if disk.lack(self.root) is not None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.blobs.writer()

    def put(
        self,
        bucket: str,
        key: str,
        content: Content,
        attributes: Attributes = NO_ATTRIBUTES,
        condition: Condition = NO_CONDITION,
    ) -> Found:
        """Name `content`; its blob is removed when that fails."""
        stored = StoredObject(
            bucket=bucket,
            key=key,
            size=content.size,
            etag=content.etag,
            modified=self.now(),
            blob=content.blob,
            headers=attributes.headers,
            checksum=content.checksum,
            tags=attributes.tags,
        )

        def work(connection: Connection) -> tuple[Found, list[str]]:
            check_key(key)
            return place(connection, stored, content.facts, condition)

        return self.commit(work, [content.blob])

    def commit(
        self, work: Callable[[Connection], tuple[T, list[str]]], fresh: Iterable[str] = ()
    ) -> T:
        """Write; then remove the blobs that `work` returns, or those in `fresh` when it refuses.

        After any other failure the index may name them; the next start's sweep knows.
        """

        def whole(connection: Connection) -> tuple[T, list[str]]:
            result, unnamed = work(connection)
            index.forget_blobs(connection, unnamed)
            return result, unnamed

        try:
            result, unnamed = self.database.write(whole)
        except S3Error:
            self.blobs.remove(fresh)
            raise
        self.blobs.remove(unnamed)
        return result

    def look(self, bucket: str, key: str, version: str = "") -> Found:
        """S3Error NoSuchBucket, NoSuchKey, NoSuchVersion; MethodNotAllowed for a delete marker."""
        with self.database.read() as connection:
            return _look(connection, bucket, key, version)

    def head(self, bucket: str, key: str, version: str = "") -> StoredObject:
        return self.look(bucket, key, version).stored

    def facts(self, found: Found) -> BlobFacts:
        """What is known of the content of an object, as of now."""
        with self.database.read() as connection:
            return index.find_blob(connection, found.stored.blob)

    def open(self, bucket: str, key: str, version: str = "") -> tuple[Found, Reader]:
        """An object and its content, which stays readable whatever happens to the name."""
        return self._following(bucket, key, version, self.reader)

    def linked(self, bucket: str, key: str, version: str = "") -> tuple[Found, Content]:
        """An object and a second name for its content."""
        found, blob = self._following(
            bucket, key, version, lambda found: self.blobs.link(found.stored.blob)
        )
        stored, facts = found.stored, found.facts
        sums = (stored.checksum, facts.sums, facts.parts)
        return found, Content(blob, stored.size, stored.etag, *sums)

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

    def delete(self, bucket: str, targets: Sequence[Target]) -> Sequence[Removal | S3Error]:
        """All in one write, those apart whose conditions do not hold; the absent are no error."""
        now = self.now()

        def work(connection: Connection) -> tuple[list[Removal | S3Error], list[str]]:
            found = require_bucket(connection, bucket)
            results: list[Removal | S3Error] = []
            unnamed: list[str] = []
            for target in targets:
                try:
                    result, blobs = _remove(connection, found, target, now)
                except S3Error as error:
                    results.append(error)
                else:
                    results.append(result)
                    unnamed += blobs
            return results, unnamed

        return self.commit(work)

    def set_tags(self, bucket: str, key: str, version: str, tags: Mapping[str, str]) -> Found:
        def work(connection: Connection) -> Found:
            found = _look(connection, bucket, key, version)
            index.set_tags(connection, found.stored, tags)
            return found

        return self.database.write(work)

    def put_file(
        self, bucket: str, key: str, path: Path, attributes: Attributes = NO_ATTRIBUTES
    ) -> StoredObject:
        """Store the regular file at `path`, linked where possible; it must not change any more.

        A symbolic link is refused (OSError). Storing the same content again does nothing.
        """
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            md5, summer = hashlib.md5(usedforsecurity=False), Summer()
            while chunk := file.read(_CHUNK):
                md5.update(chunk)
                summer.update(chunk)
            size = os.fstat(fd).st_size
            present = self._find(bucket, key)
            if present and (present.etag, present.size) == (md5.hexdigest(), size):
                return present
            blob = self.blobs.adopt(fd)
        content = Content(blob, size, md5.hexdigest(), sums=summer.sums())
        return self.put(bucket, key, content, attributes).stored

    def _find(self, bucket: str, key: str) -> StoredObject | None:
        with self.database.read() as connection:
            require_bucket(connection, bucket)
            return index.find_object(connection, bucket, key)

    def reader(self, found: Found) -> Reader:
        """Its content; FileNotFoundError when it was replaced."""
        stored = found.stored

        def report(what: str) -> None:
            log.error(
                "s3 object damaged",
                bucket=stored.bucket,
                key=stored.key,
                version=stored.version,
                blob=stored.blob,
                what=what,
            )

        return Reader(self.blobs.path(stored.blob), stored.size, found.facts, report)

    def _following(
        self, bucket: str, key: str, version: str, use: Callable[[Found], T]
    ) -> tuple[Found, T]:
        """Retried while writers replace the object between the look-up and the use."""
        for _ in range(_ATTEMPTS):
            with self.database.read() as connection:
                found = _look(connection, bucket, key, version)
                facts = index.find_blob(connection, found.stored.blob)
            found = replace(found, facts=facts)
            try:
                return found, use(found)
            except FileNotFoundError:
                continue
        raise S3Error("InternalError", "The content of this object cannot be read.")

    def _change_bucket(self, name: str, change: Callable[[Bucket], dict[str, Any]]) -> None:
        def work(connection: Connection) -> None:
            values = change(require_bucket(connection, name))
            connection.execute(update(BUCKET).where(BUCKET.c.name == name).values(values))
            index.touch(connection, name)

        self.database.write(work)


def require_bucket(connection: Connection, name: str) -> Bucket:
    bucket = index.find_bucket(connection, name)
    if bucket is None:
        raise no_such_bucket(name)
    return bucket


def place(
    connection: Connection, stored: StoredObject, facts: BlobFacts, condition: Condition
) -> tuple[Found, list[str]]:
    """Inside a write: make `stored` the object of its key. Also the blobs that it replaces."""
    bucket = require_bucket(connection, stored.bucket)
    stored = replace(stored, headers=with_defaults(bucket, stored.headers))
    placed, unnamed = versions.place(connection, bucket, stored, condition)
    index.keep_blob(connection, stored.blob, facts)
    return Found(bucket, placed, facts), unnamed


def with_defaults(bucket: Bucket, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a new object: with the bucket's encryption, where it states none itself."""
    stated = any(name.startswith(_ENCRYPTION) for name in headers)
    default: Mapping[str, str] = {} if stated else bucket.settings.get("encryption", {})
    return {**default, **headers}


def _look(connection: Connection, name: str, key: str, version: str) -> Found:
    bucket = require_bucket(connection, name)
    if version:
        stored = index.find_version(connection, name, key, versions.check_id(version))
        if stored is None:
            raise no_such_version(key, version)
        if stored.marker:
            raise deleted(key, version, "MethodNotAllowed")
        return Found(bucket, stored)
    stored = index.find_object(connection, name, key)
    if stored is None:
        marker = versions.latest(connection, bucket, key)
        raise deleted(key, marker.version, "NoSuchKey") if marker else no_such_key(key)
    return Found(bucket, stored)


def _remove(
    connection: Connection, bucket: Bucket, target: Target, now: int
) -> tuple[Removal, list[str]]:
    if not target.version:
        return versions.remove(connection, bucket, target.key, target.condition, now)
    return versions.remove_version(
        connection, bucket, target.key, versions.check_id(target.version), target.condition
    )
