"""Objects of S3 as files, with boto3 from the environment."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from studio.data.errors import DataError
from studio.data.protocol.data import ErrorCode

AHEAD = 8 << 20  # bytes of one request when reading on and on
_TRIES = 3
_CODES: dict[str, ErrorCode] = {
    "403": "AccessDenied",
    "AccessDenied": "AccessDenied",
    "InvalidAccessKeyId": "AccessDenied",
    "SignatureDoesNotMatch": "AccessDenied",
    "404": "NotFound",
    "NoSuchBucket": "NotFound",
    "NoSuchKey": "NotFound",
}


def client() -> Any:
    """An S3 client as a notebook has it: keys, region and address of the environment."""
    config = Config(retries={"mode": "standard", "max_attempts": _TRIES}, connect_timeout=5)
    return boto3.Session().client("s3", config=config)


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Errors of S3 as DataErrors that name the object."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code in ("412", "PreconditionFailed"):
            raise DataError("Unreadable", f"{uri} was changed while it was read. Retry.") from None
        message = error.response["Error"].get("Message", "")
        raise DataError(_CODES.get(code, "Failed"), f"{uri}: {message} ({code})") from None
    except NoCredentialsError:
        raise DataError("AccessDenied", f"{uri}: there is no AWS key in the environment.") from None
    except BotoCoreError as error:
        raise DataError("Unreachable", f"{uri}: S3 does not answer. {error}") from None


class ObjectFile(io.RawIOBase):
    """One version of an object, for reading at any place; what is read on from is read ahead."""

    def __init__(self, s3: Any, bucket: str, key: str, etag: str, size: int) -> None:
        super().__init__()
        self._s3, self._size, self._at = s3, size, 0
        self._object = {"Bucket": bucket, "Key": key, "IfMatch": etag}
        self._uri = f"s3://{bucket}/{key}"
        self._block, self._block_at = b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        found = self._read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def read(self, size: int = -1) -> bytes:
        """As many bytes as asked for, but at the end."""
        left = self._size - self._at
        left, parts = left if size < 0 else min(size, left), []
        while left > 0:
            parts.append(self._read(left))
            left -= len(parts[-1])
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        if self._at >= self._size or not size:
            return b""
        start = self._at - self._block_at
        if not 0 <= start < len(self._block):
            follows = self._at == self._block_at + len(self._block)
            self._fetch(max(size, AHEAD) if follows else max(size, 1 << 16))
            start = 0
        found = self._block[start : start + size]
        self._at += len(found)
        return found

    def _fetch(self, size: int) -> None:
        last = min(self._at + min(size, 4 * AHEAD), self._size) - 1
        with told(self._uri):
            self._block = self._get(f"bytes={self._at}-{last}")
        self._block_at = self._at

    def _get(self, span: str) -> bytes:
        for turn in range(_TRIES):
            try:
                body: bytes = self._s3.get_object(Range=span, **self._object)["Body"].read()
                return body
            except BotoCoreError:  # the connection was cut in the middle of the body
                if turn + 1 == _TRIES:
                    raise
                time.sleep(0.2 * 2**turn)
        raise AssertionError
