"""What the router tells its recorder: frames on a socket, each of which says all about itself.

A frame is five lengths, what does not change from one to the next (`about`, JSON), what does
(`said`, JSON), and up to three bodies as they are.
"""

import json
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

_LENGTHS = struct.Struct("!5I")


class Frame(NamedTuple):
    about: dict[str, Any]
    said: dict[str, Any]
    bodies: tuple[bytes, ...]


def packed(about: bytes, said: dict[str, Any], *bodies: bytes) -> list[bytes]:
    """The frame, in parts."""
    text = json.dumps(said).encode()
    sizes = [len(body) for body in bodies] + [0] * (3 - len(bodies))
    return [_LENGTHS.pack(len(about), len(text), *sizes) + about + text, *bodies]


class Reader:
    """Makes frames of what arrives."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now."""
        self._data += data
        start = 0
        while len(self._data) - start >= _LENGTHS.size:
            sizes = _LENGTHS.unpack_from(self._data, start)
            if len(self._data) - start < _LENGTHS.size + sum(sizes):
                break
            start += _LENGTHS.size
            parts = []
            for size in sizes:
                parts.append(bytes(self._data[start : start + size]))
                start += size
            yield Frame(_parsed(parts[0]), json.loads(parts[1]), tuple(parts[2:]))
        del self._data[:start]


@lru_cache(256)
def _parsed(about: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(about)
    return parsed
