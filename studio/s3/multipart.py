"""Multipart uploads of the object store: invisible until completed, completed at most once."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, delete, insert, select

from studio.s3 import checksums, index
from studio.s3.errors import S3Error, no_such_upload
from studio.s3.index import BlobFacts, BlobPart, Checksum, Part, StoredObject, Upload
from studio.s3.names import check_key
from studio.s3.schema import PART, UPLOAD
from studio.s3.store import (
    Attributes,
    Content,
    Found,
    ObjectStore,
    place,
    require_bucket,
    with_defaults,
)
from studio.s3.versions import Condition
from studio.s3.xml import malformed

MIN_PART_BYTES = 5 << 20
MAX_PARTS = 10_000
UPLOAD_DAYS = 7  # after which an upload that nobody touches is aborted


@dataclass(frozen=True)
class Claim:
    """A part as the client lists it to complete an upload; `checksum` is "" when not stated."""

    number: int
    etag: str
    checksum: str = ""


@dataclass(frozen=True)
class Whole:
    """What the client expects of the completed object; empty fields and -1 expect nothing."""

    checksum: Checksum = field(default_factory=lambda: Checksum(kind=""))
    size: int = -1

    def check(self, checksum: Checksum, size: int) -> None:
        if self.size not in (-1, size):
            raise S3Error(
                "InvalidRequest",
                "The provided 'x-amz-mp-object-size' header does not match what was computed.",
            )
        if self.checksum.kind not in ("", checksum.kind):
            raise S3Error("InvalidRequest", "The upload was created with another checksum type.")
        named = self.checksum.algorithm
        if named and (named, self.checksum.value) != (checksum.algorithm, checksum.value):
            raise S3Error(
                "BadDigest", f"The {named} you specified did not match the calculated checksum."
            )


ANY_WHOLE = Whole()


def create(
    store: ObjectStore, bucket: str, key: str, attributes: Attributes, checksum: Checksum
) -> Upload:
    """Begin an upload whose parts and whole carry `checksum.algorithm`, if that is not empty."""
    created = store.now()
    upload = Upload(
        bucket,
        check_key(key),
        f"{created:012x}{uuid.uuid4().hex}",  # orders by time
        created,
        dict(attributes.headers),
        dict(attributes.tags),
        checksum.algorithm,
        checksum.kind,
    )

    def work(connection: Connection) -> Upload:
        headers = with_defaults(require_bucket(connection, bucket), upload.headers)
        connection.execute(insert(UPLOAD), {**vars(upload), "headers": headers})
        return replace(upload, headers=headers)

    return store.database.write(work)


def find(store: ObjectStore, bucket: str, key: str, upload: str) -> Upload:
    with store.database.read() as connection:
        return _require(connection, bucket, key, upload)


def put_part(store: ObjectStore, upload: Upload, number: int, content: Content) -> Part:
    """Store a part, in place of one of the same number. Its blob is removed when that fails."""
    part = Part(
        upload.id,
        number,
        content.size,
        content.etag,
        store.now(),
        content.blob,
        content.checksum,
    )

    def work(connection: Connection) -> tuple[Part, list[str]]:
        _require(connection, upload.bucket, upload.key, upload.id)
        same = (PART.c.upload == upload.id, PART.c.number == number)
        replaced = list(connection.execute(select(PART.c.blob).where(*same)).scalars())
        connection.execute(delete(PART).where(*same))
        connection.execute(insert(PART), index.part_values(part))
        index.keep_blob(connection, content.blob, content.facts)
        return part, replaced

    return store.commit(work, [content.blob])


def abort(store: ObjectStore, bucket: str, key: str, upload: str) -> None:
    def work(connection: Connection) -> tuple[None, list[str]]:
        _require(connection, bucket, key, upload)
        return None, _forget(connection, upload)

    store.commit(work)


def complete(
    store: ObjectStore,
    target: tuple[str, str, str],
    claims: Sequence[Claim],
    condition: Condition,
    whole: Whole = ANY_WHOLE,
) -> Found:
    """Make the object of `target` = (bucket, key, upload id) from the parts that `claims` lists.

    Completing again what is complete answers the same object, as long as that is there.
    """
    bucket, key, upload_id = target
    with store.database.read() as connection:
        upload = index.find_upload(connection, bucket, key, upload_id)
        parts = index.find_parts(connection, upload_id)
        if upload is None:
            return _completed(connection, bucket, key, upload_id)
        facts = index.find_blobs(connection, [part.blob for part in parts])
    chosen = _chosen(parts, claims)
    try:
        stored = _assembled(store, upload, chosen, whole)
    except FileNotFoundError:  # aborted or completed meanwhile
        with store.database.read() as connection:
            return _completed(connection, bucket, key, upload_id)
    return _commit(store, stored, (chosen, _facts(chosen, facts)), condition)


def _assembled(
    store: ObjectStore, upload: Upload, chosen: Sequence[Part], whole: Whole
) -> StoredObject:
    checksum = _whole_checksum(upload, chosen)
    size = sum(part.size for part in chosen)
    whole.check(checksum, size)
    return StoredObject(
        bucket=upload.bucket,
        key=upload.key,
        size=size,
        etag=_etag(chosen),
        modified=store.now(),
        blob=_concatenated(store, chosen),
        headers=upload.headers,
        checksum=checksum,
        tags=upload.tags,
        upload=upload.id,
    )


def _commit(
    store: ObjectStore,
    stored: StoredObject,
    made_of: tuple[Sequence[Part], BlobFacts],
    condition: Condition,
) -> Found:
    """The object; that of another completion when it came first."""
    chosen, facts = made_of

    def work(connection: Connection) -> tuple[Found, list[str]]:
        if index.find_upload(connection, stored.bucket, stored.key, stored.upload) is None:
            done = _completed(connection, stored.bucket, stored.key, stored.upload)
            return done, [stored.blob]
        present = {part.blob for part in index.find_parts(connection, stored.upload)}
        if not present.issuperset(part.blob for part in chosen):
            raise _invalid_part()
        found, replaced = place(connection, stored, facts, condition)
        return found, replaced + _forget(connection, stored.upload)

    return store.commit(work, [stored.blob])


def _completed(connection: Connection, bucket: str, key: str, upload: str) -> Found:
    """What the upload became, as long as that is there."""
    found = require_bucket(connection, bucket)
    stored = index.find_completed(connection, bucket, key, upload)
    if stored is None:
        raise no_such_upload(upload)
    return Found(found, stored)


def _facts(chosen: Sequence[Part], facts: Mapping[str, BlobFacts]) -> BlobFacts:
    """Of the parts' blobs one after the other; without sums where some part has none."""
    sums = [facts.get(part.blob, index.NO_FACTS).sums for part in chosen]
    known = all(each or not part.size for each, part in zip(sums, chosen, strict=True))
    parts = [BlobPart(part.number, part.size, part.checksum.value) for part in chosen]
    return BlobFacts(b"".join(sums) if known else b"", parts)


def _chosen(parts: Sequence[Part], claims: Sequence[Claim]) -> list[Part]:
    if not claims:
        raise malformed()
    numbers = [claim.number for claim in claims]
    if numbers != sorted(set(numbers)):
        raise S3Error(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        )
    present = {part.number: part for part in parts}
    chosen = []
    for claim in claims:
        part = present.get(claim.number)
        if part is None or part.etag != claim.etag.strip('"'):
            raise _invalid_part()
        if claim.checksum and claim.checksum != part.checksum.value:
            raise _invalid_part()
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < MIN_PART_BYTES:
            raise S3Error(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.size,
                MinSizeAllowed=MIN_PART_BYTES,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return chosen


def _concatenated(store: ObjectStore, parts: Sequence[Part]) -> str:
    if len(parts) == 1:
        return store.blobs.link(parts[0].blob)
    writer = store.writer()
    try:
        for part in parts:
            writer.append(store.blobs.path(part.blob))
        return writer.keep()
    except BaseException:
        writer.discard()
        raise


def _etag(parts: Sequence[Part]) -> str:
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _whole_checksum(upload: Upload, parts: Sequence[Part]) -> Checksum:
    if not upload.algorithm:
        return Checksum()
    if upload.checksum_type == "FULL_OBJECT":
        sums = [(part.checksum.value, part.size) for part in parts]
        return checksums.combined(upload.algorithm, sums)
    return checksums.composite(upload.algorithm, [part.checksum.value for part in parts])


def _require(connection: Connection, bucket: str, key: str, upload: str) -> Upload:
    require_bucket(connection, bucket)
    found = index.find_upload(connection, bucket, key, upload)
    if found is None:
        raise no_such_upload(upload)
    return found


def _forget(connection: Connection, upload: str) -> list[str]:
    blobs = list(connection.execute(select(PART.c.blob).where(PART.c.upload == upload)).scalars())
    connection.execute(delete(PART).where(PART.c.upload == upload))
    connection.execute(delete(UPLOAD).where(UPLOAD.c.id == upload))
    return blobs


def _invalid_part() -> S3Error:
    return S3Error(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been "
        "uploaded, or the specified entity tag may not match the part's entity tag.",
    )
