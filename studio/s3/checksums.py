"""The checksums of S3: CRC32, SHA1 and SHA256, of an object or composed of its parts'."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from studio.s3.errors import S3Error, not_implemented
from studio.s3.index import Checksum

ALGORITHMS = ("CRC32", "SHA1", "SHA256")
UNAVAILABLE = ("CRC32C", "CRC64NVME")
HEADERS = {f"x-amz-checksum-{name.lower()}": name for name in ALGORITHMS + UNAVAILABLE}

_CHUNK = 1 << 20
_LENGTHS = {"CRC32": 4, "SHA1": 20, "SHA256": 32}


class Hash(Protocol):
    """What hashlib's objects can do, as far as it is used here."""

    def update(self, data: bytes | memoryview, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes | memoryview, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def new(algorithm: str) -> Hash:
    if algorithm == "CRC32":
        return _Crc32()
    return hashlib.new(algorithm.lower(), usedforsecurity=False)


def check_algorithm(name: str) -> str:
    """`name` in capitals; S3Error when S3, or this store, does not know it."""
    algorithm = name.upper()
    if algorithm in UNAVAILABLE:
        raise not_implemented(f"The checksum algorithm {algorithm}")
    if algorithm not in ALGORITHMS:
        raise S3Error(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with "
            "any of the valid types: [CRC32, SHA1, SHA256]",
        )
    return algorithm


def check_value(algorithm: str, value: str) -> str:
    """`value`, a checksum in base64 of the right length."""
    try:
        good = len(base64.b64decode(value, validate=True)) == _LENGTHS[algorithm]
    except binascii.Error:
        good = False
    if not good:
        name = f"x-amz-checksum-{algorithm.lower()}"
        raise S3Error("InvalidRequest", f"Value for {name} header is invalid.")
    return value


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def composite(algorithm: str, parts: Sequence[str]) -> Checksum:
    """The checksum of the parts' checksums."""
    whole = new(algorithm)
    for part in parts:
        whole.update(base64.b64decode(part))
    return Checksum(algorithm, f"{encoded(whole.digest())}-{len(parts)}", "COMPOSITE")


def of_files(algorithm: str, paths: Sequence[Path]) -> Checksum:
    """The checksum of the files' contents one after the other."""
    whole = new(algorithm)
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                whole.update(chunk)
    return Checksum(algorithm, encoded(whole.digest()))
