"""The platform's door to S3 as a role sees it: what the role may not do, nobody does for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from studio.s3.client import Storage
from studio.s3.index import StoredObject

Check = Callable[[str, str, str], None]
"""(action, bucket, key): raises S3Error AccessDenied."""


class GuardedStorage:
    """A Storage that asks `check` before each step."""

    def __init__(self, storage: Storage, check: Check) -> None:
        self._storage = storage
        self._check = check

    def bucket_exists(self, bucket: str) -> bool:
        return self._storage.bucket_exists(bucket)

    def list(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self._check("s3:ListBucket", bucket, "")
        return self._storage.list(bucket, prefix)

    def head(self, bucket: str, key: str) -> StoredObject | None:
        self._check("s3:GetObject", bucket, key)
        return self._storage.head(bucket, key)

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        self._check("s3:GetObject", bucket, key)
        return self._storage.read(bucket, key, limit)

    def start(self, bucket: str, key: str, size: int) -> bytes:
        self._check("s3:GetObject", bucket, key)
        return self._storage.start(bucket, key, size)

    def source(self, item: StoredObject) -> tuple[str, str]:
        self._check("s3:GetObject", item.bucket, item.key)
        return self._storage.source(item)

    def put_file(self, bucket: str, key: str, path: Path, content_type: str = "") -> None:
        self._check("s3:PutObject", bucket, key)
        self._storage.put_file(bucket, key, path, content_type)
