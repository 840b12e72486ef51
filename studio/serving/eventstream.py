"""The frames of AWS's event streams, in which an answer is told piece by piece."""

import json
import struct
from functools import lru_cache
from zlib import crc32

_PRELUDE = struct.Struct("!II")
_CHECKSUM = struct.Struct("!I")
_AROUND = _PRELUDE.size + 2 * _CHECKSUM.size
_STRING = 7  # the type of a header's value


def part(data: bytes) -> bytes:
    """The frame of a PayloadPart."""
    return _frame(_headers("event", "PayloadPart", "application/octet-stream"), data)


def failure(kind: str, document: dict[str, str]) -> bytes:
    """The frame of an exception, `ModelStreamError` for example, with which a stream ends."""
    headers = _headers("exception", kind, "application/json")
    return _frame(headers, json.dumps(document).encode())


def _frame(headers: bytes, payload: bytes) -> bytes:
    prelude = _PRELUDE.pack(_AROUND + len(headers) + len(payload), len(headers))
    message = prelude + _CHECKSUM.pack(crc32(prelude)) + headers + payload
    return message + _CHECKSUM.pack(crc32(message))


@lru_cache(maxsize=16)
def _headers(message: str, kind: str, content: str) -> bytes:
    pairs = ((":message-type", message), (f":{message}-type", kind), (":content-type", content))
    return b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", _STRING, len(value))
        + value.encode()
        for name, value in pairs
    )
