"""CBOR (RFC 8949) as smithy's rpc-v2-cbor uses it. Read as strictly as JSON is.

Values come out as JSON would have them: bytes in base64, times as epoch seconds. Only the tag for
epoch times is known; sharing, big numbers and the rest of CBOR's tags have no place in a request.
"""

import base64
import math
import struct
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from studio.wire.shapes import SerializationException, wire_name

_DEEPEST = 64
_EPOCH_TAG = 1
_INDEFINITE = 31
_BREAK = 0xFF
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def loads(body: bytes) -> Any:
    """The value of a body; of an empty one {}. Raises SerializationException for anything else."""
    if not body:
        return {}
    reader = _Reader(body)
    try:
        value = reader.item(0)
    except (IndexError, ValueError, struct.error):
        raise _malformed() from None
    if reader.position != len(body):
        raise _malformed()
    return value


def dumps(shape: Shape, value: Any) -> bytes:
    """The document `value`, without members that are None or that `shape` lacks."""
    parts: list[bytes] = []
    _write(shape, value, parts)
    return b"".join(parts)


def error(code: str, message: str) -> bytes:
    """The body of a refusal."""
    pairs = (("__type", code), ("message", message))
    return _head(5, len(pairs)) + b"".join(_text(part) for pair in pairs for part in pair)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def item(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise SerializationException("The request is nested too deeply.")
        kind, info = divmod(self._byte(), 32)
        match kind:
            case 0:
                return self._number(info)
            case 1:
                return -1 - self._number(info)
            case 2:
                return base64.b64encode(self._string(info, 2)).decode()
            case 3:
                return self._string(info, 3).decode()
            case 4:
                return self._items(info, depth)
            case 5:
                return self._map(info, depth)
            case 6:
                return self._time(info, depth)
        return self._simple(info)

    def _byte(self) -> int:
        byte = self._data[self.position]
        self.position += 1
        return byte

    def _bytes(self, count: int) -> bytes:
        found = self._data[self.position : self.position + count]
        if len(found) != count:
            raise ValueError("the data end too early")
        self.position += count
        return found

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise ValueError("no such length")
        return int.from_bytes(self._bytes(1 << (info - 24)), "big")

    def _string(self, info: int, kind: int) -> bytes:
        if info != _INDEFINITE:
            return self._bytes(self._number(info))
        pieces = []
        while not self._ends():
            inner, size = divmod(self._byte(), 32)
            if inner != kind:
                raise ValueError("a piece of another type")
            pieces.append(self._bytes(self._number(size)))
        return b"".join(pieces)

    def _items(self, info: int, depth: int) -> list[Any]:
        found: list[Any] = []
        left = math.inf if info == _INDEFINITE else self._number(info)
        while not self._ends() if left == math.inf else len(found) < left:
            found.append(self.item(depth + 1))
        return found

    def _map(self, info: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        left = math.inf if info == _INDEFINITE else self._number(info)
        while not self._ends() if left == math.inf else len(found) < left:
            kind, size = divmod(self._byte(), 32)
            if kind != 3:
                raise ValueError("a name that is no text")
            name = self._string(size, 3).decode()
            if name in found:
                raise ValueError("a name occurs twice")
            found[name] = self.item(depth + 1)
        return found

    def _time(self, info: int, depth: int) -> Any:
        if self._number(info) != _EPOCH_TAG:
            raise ValueError("an unknown tag")
        return self.item(depth + 1)

    def _simple(self, info: int) -> Any:
        if info in _FLOATS:
            form, size = _FLOATS[info]
            return struct.unpack(form, self._bytes(size))[0]
        if info not in _SIMPLE:
            raise ValueError("no such value")
        return _SIMPLE[info]

    def _ends(self) -> bool:
        if self._data[self.position] != _BREAK:
            return False
        self.position += 1
        return True


def _write(shape: Shape, value: Any, parts: list[bytes]) -> None:
    match shape:
        case StructureShape():
            members = [
                (wire_name(member, name), member, value[name])
                for name, member in shape.members.items()
                if value.get(name) is not None
            ]
            parts.append(_head(5, len(members)))
            for name, member, item in members:
                parts.append(_text(name))
                _write(member, item, parts)
        case ListShape():
            parts.append(_head(4, len(value)))
            for item in value:
                _write(shape.member, item, parts)
        case MapShape():
            parts.append(_head(5, len(value)))
            for key, item in value.items():
                parts.append(_text(key))
                _write(shape.value, item, parts)
        case _:
            parts.append(_plain(shape, value))


def _plain(shape: Shape, value: Any) -> bytes:
    match shape.type_name:
        case "timestamp":
            return _head(6, _EPOCH_TAG) + b"\xfb" + struct.pack(">d", value / 1000)
        case "blob":
            return _head(2, len(value)) + bytes(value)
        case "boolean":
            return b"\xf5" if value else b"\xf4"
        case "float" | "double":
            return b"\xfb" + struct.pack(">d", value)
        case "integer" | "long":
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
    return _text(str(value))


def _text(text: str) -> bytes:
    data = text.encode()
    return _head(3, len(data)) + data


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([kind << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError(f"{number} has more than 64 bits")


def _malformed() -> SerializationException:
    return SerializationException("The body of the request is not valid CBOR.")
