"""The platform's own door to S3: the store in this home, or an external one by its API."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from botocore.exceptions import ClientError, ParamValidationError

from studio.errors import ValidationException
from studio.s3.errors import S3Error
from studio.s3.index import StoredObject, Touched
from studio.s3.store import NO_ATTRIBUTES, Attributes, ObjectStore
from studio.settings import Settings

T = TypeVar("T")
Watcher = Callable[[list[object]], None]
"""Hears notes of what is stored, on any thread."""

_PRESIGN_SECONDS = 7 * 24 * 3600
# Buckets of an external S3 may bear names that AWS gives to none today.
_URI = re.compile(r"s3://((?!\.)[A-Za-z0-9._-]{1,255})(?:/(.*))?", re.DOTALL)
_HOSTED = re.compile(r"(?P<bucket>[a-z0-9.-]+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com")
_ABSENT = {"404", "NoSuchKey", "NotFound", "NoSuchBucket"}


class Storage(Protocol):
    """What the platform needs of an S3. Blocking; raises S3Error for what it refuses."""

    def bucket_exists(self, bucket: str) -> bool: ...

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Key, size, etag and modification time of all below `prefix`, in order."""

    def head(self, bucket: str, key: str) -> StoredObject | None: ...

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        """The whole of a small object; ValueError when it is longer than `limit` bytes."""

    def start(self, bucket: str, key: str, size: int) -> bytes:
        """The first `size` bytes of an object that is not empty."""

    def source(self, item: StoredObject) -> tuple[str, str]:
        """(path of an immutable local file, URL to get it from) of an object that `list` or `head`
        gave: one of the two is ""."""

    def put_file(self, bucket: str, key: str, path: Path, content_type: str = "") -> None:
        """Store a regular file, durable on return; it must not change any more. Idempotent."""


def parse_uri(uri: str) -> tuple[str, str]:
    """Bucket and key, or prefix, of `s3://bucket/key`. Raises ValidationException."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise ValidationException(
            f"The S3 URI {uri!r} is not valid: expected s3://<bucket>/<key or prefix>."
        )
    return match[1], match[2] or ""


def hosted_bucket(host: str) -> str | None:
    """The bucket that an address of Amazon S3 is of; None when it is none."""
    match = _HOSTED.fullmatch(host)
    return match["bucket"] if match else None


def storage_for(settings: Settings, store: ObjectStore) -> "LocalStorage | RemoteStorage":
    """The external S3 that the settings name, else `store`."""
    if not settings.s3_endpoint:
        return LocalStorage(store)
    # Only here: it takes a quarter of a second that every start would pay for.
    import boto3
    from botocore.config import Config

    session = boto3.Session(profile_name=settings.s3_profile or None, region_name=settings.region)
    # Path style and SigV4 are what every S3 understands; checksums only where S3 demands them.
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = session.client(
        "s3", endpoint_url=settings.s3_endpoint, verify=settings.ca_bundle or None, config=config
    )
    return RemoteStorage(client)


class LocalStorage:
    """The store in this process, without HTTP."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def bucket_exists(self, bucket: str) -> bool:
        return _found(lambda: self._store.bucket(bucket)) is not None

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        return self._store.list(bucket, prefix)

    def head(self, bucket: str, key: str) -> StoredObject | None:
        return _found(lambda: self._store.head(bucket, key))

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        _, file = self._store.open(bucket, key)
        with file:
            return _limited(file.read(limit + 1), bucket, key, limit)

    def start(self, bucket: str, key: str, size: int) -> bytes:
        _, file = self._store.open(bucket, key)
        with file:
            return file.read(size)

    def source(self, item: StoredObject) -> tuple[str, str]:
        return str(self._store.blobs.path(item.blob)), ""

    def put_file(self, bucket: str, key: str, path: Path, content_type: str = "") -> None:
        attributes = Attributes({"content-type": content_type}) if content_type else NO_ATTRIBUTES
        self._store.put_file(bucket, key, path, attributes)

    def watch(self, changed: Watcher) -> None:
        """Let `changed` hear what is stored or deleted from now on."""
        self._store.database.watch(changed)


class RemoteStorage:
    """An external S3 behind a boto3 client, which `close` closes."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._watchers: tuple[Watcher, ...] = ()

    def close(self) -> None:
        self._client.close()

    def bucket_exists(self, bucket: str) -> bool:
        return _found(lambda: self._client.head_bucket(Bucket=bucket)) is not None

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with _refusals():
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield _stored(bucket, entry["Key"], entry["Size"], entry)

    def head(self, bucket: str, key: str) -> StoredObject | None:
        answer = _found(lambda: self._client.head_object(Bucket=bucket, Key=key))
        return _stored(bucket, key, answer["ContentLength"], answer) if answer else None

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        with _refusals(), self._client.get_object(Bucket=bucket, Key=key)["Body"] as body:
            return _limited(body.read(limit + 1), bucket, key, limit)

    def start(self, bucket: str, key: str, size: int) -> bytes:
        wanted = f"bytes=0-{size - 1}"
        with _refusals():
            answer = self._client.get_object(Bucket=bucket, Key=key, Range=wanted)
            with answer["Body"] as body:
                return bytes(body.read())

    def source(self, item: StoredObject) -> tuple[str, str]:
        target = {"Bucket": item.bucket, "Key": item.key}
        return "", str(
            self._client.generate_presigned_url(
                "get_object", Params=target, ExpiresIn=_PRESIGN_SECONDS
            )
        )

    def put_file(self, bucket: str, key: str, path: Path, content_type: str = "") -> None:
        """A whole object of the same MD5 is left as it is."""
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file, _refusals():
            digest = hashlib.file_digest(file, _md5).hexdigest()
            present = self.head(bucket, key)
            if present is None or present.etag != digest:
                file.seek(0)
                extra = {"ContentType": content_type} if content_type else None
                self._client.upload_fileobj(file, bucket, key, ExtraArgs=extra)
                for changed in self._watchers:
                    changed([Touched(bucket, key)])

    def watch(self, changed: Watcher) -> None:
        """Let `changed` hear what the platform stores from now on: of others nothing is known."""
        self._watchers += (changed,)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the external S3 refuses, as an S3Error; that it cannot be reached stays what it is."""
    from boto3.exceptions import S3UploadFailedError

    try:
        yield
    except ClientError as error:
        refused = error.response["Error"]
        raise S3Error(refused["Code"], refused.get("Message", "")) from error
    except S3UploadFailedError as error:
        raise S3Error("AccessDenied", str(error)) from error
    except ParamValidationError as error:
        raise S3Error("InvalidRequest", "No bucket or object can have this name.") from error


def _found(look_up: Callable[[], T]) -> T | None:
    """None where there is nothing."""
    try:
        return look_up()
    except S3Error as error:
        if error.code not in _ABSENT:
            raise
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
    except ParamValidationError:
        pass  # nothing can have this name
    return None


def _limited(data: bytes, bucket: str, key: str, limit: int) -> bytes:
    if len(data) > limit:
        raise ValueError(f"s3://{bucket}/{key} is larger than {limit} bytes")
    return data


def _stored(bucket: str, key: str, size: int, answer: dict[str, Any]) -> StoredObject:
    modified: datetime = answer["LastModified"]
    etag = answer["ETag"].strip('"')
    return StoredObject(bucket, key, size, etag, int(modified.timestamp() * 1000))


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
