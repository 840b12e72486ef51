"""Values on the wire <-> Studio's documents, for any shape of a service model.

Documents are in AWS's spelling; their timestamps are int UTC milliseconds, their blobs bytes.
"""

import base64
import binascii
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from studio.errors import ApiError
from studio.wire.constraints import Violations

Doc = dict[str, Any]

_Write = Callable[[Any], Any]
_Members = dict[str, tuple[str, _Write | None]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = ("string", "integer", "long", "float", "double", "boolean", "timestamp", "blob")
_RANGES = {"integer": 31, "long": 63}


class SerializationException(ApiError):
    """The value is not of the type that the model wants."""

    def __init__(self, message: str) -> None:
        super().__init__("SerializationException", message)


def load(shape: Shape, value: Any) -> Doc:
    """The document that a client sent as JSON `value`, checked against everything in the model.

    Members that the model lacks and nulls are dropped. Raises SerializationException at the first
    value of a wrong type, and ValidationException with all the constraints that are not met.
    """
    document, violations = examine(shape, value)
    violations.raise_any()
    return document


def examine(shape: Shape, value: Any) -> tuple[Doc, Violations]:
    """As `load`, with the constraints that are not met instead of their error."""
    violations = Violations()
    try:
        return _load(shape, value, "", violations), violations
    except RecursionError:
        raise SerializationException("The request is nested too deeply.") from None


def dump(shape: Shape, value: Any) -> Any:
    """`value` as JSON has it: timestamps in epoch seconds, blobs in base64.

    Members that the shape lacks and those that are None are left out.
    """
    write = _writer(shape)
    return value if write is None else write(value)


@cache
def _writer(shape: Shape) -> _Write | None:
    """How to dump a value of `shape`, found out once; None for a value that stays as it is."""
    match shape:
        case StructureShape():
            return _structure_writer(shape)
        case ListShape():
            return _items_writer(shape.member)
        case MapShape():
            return _values_writer(shape.value)
    return _WRITERS.get(shape.type_name)


# The shapes below a shape are looked at with its first value: one of them may be itself.


def _structure_writer(shape: StructureShape) -> _Write:
    members: _Members | None = None

    def write(value: Any) -> Any:
        nonlocal members
        known = members
        if known is None:
            # Set as a whole, for threads that come meanwhile.
            known = members = _members(shape)
        # Answers have fewer members than shapes.
        return {
            wire: item if inner is None else inner(item)
            for name, item in value.items()
            if item is not None and name in known
            for wire, inner in (known[name],)
        }

    return write


def _items_writer(member: Shape) -> _Write:
    def write(value: Any) -> Any:
        inner = _writer(member)
        return value if inner is None else [inner(item) for item in value]

    return write


def _values_writer(member: Shape) -> _Write:
    def write(value: Any) -> Any:
        inner = _writer(member)
        return value if inner is None else {key: inner(item) for key, item in value.items()}

    return write


def _members(shape: StructureShape) -> _Members:
    """By name: how the member is called on the wire, and how it is written."""
    return {
        name: (wire_name(member, name), _writer(member)) for name, member in shape.members.items()
    }


def _seconds(milliseconds: int) -> float:
    return milliseconds / 1000


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_WRITERS: dict[str, _Write] = {"timestamp": _seconds, "blob": _base64}


def wire_name(member: Shape, name: str) -> str:
    """How the member `name` of a structure is called on the wire."""
    return str(member.serialization.get("name", name))


def _load(shape: Shape, value: Any, path: str, violations: Violations) -> Any:
    match shape:
        case StructureShape():
            return _structure(shape, value, path, violations)
        case ListShape():
            return _list(shape, value, path, violations)
        case MapShape():
            return _map(shape, value, path, violations)
    loaded = _plain(shape, value, path)
    violations.check(shape, loaded, path)
    return loaded


def _structure(shape: StructureShape, value: Any, path: str, violations: Violations) -> Doc:
    given = _expect(dict, value, path)
    if shape.is_document_type:
        return dict(given)
    document: Doc = {}
    for name, member in shape.members.items():
        item = given.get(wire_name(member, name))
        inner = _joined(path, name[:1].lower() + name[1:])
        if item is not None:
            document[name] = _load(member, item, inner, violations)
        elif name in shape.required_members:
            violations.add(None, inner, "Member must not be null")
    if shape.is_tagged_union and len(document) != 1:
        text = f"Exactly one of [{', '.join(shape.members)}] must be set"
        violations.add(document, path, text)
    return document


def _list(shape: ListShape, value: Any, path: str, violations: Violations) -> list[Any]:
    items = _expect(list, value, path)
    member = shape.member
    if member.type_name in _PLAIN:
        loaded = [_plain(member, item, _joined(path, "member")) for item in items]
        violations.check_members("Member", member, loaded, loaded, path)
    else:
        loaded = [
            _load(member, item, _joined(path, f"{position}.member"), violations)
            for position, item in enumerate(items, 1)
        ]
    violations.check(shape, loaded, path)
    return loaded


def _map(shape: MapShape, value: Any, path: str, violations: Violations) -> Doc:
    items = {key: item for key, item in _expect(dict, value, path).items() if item is not None}
    member = shape.value
    keys = [_plain(shape.key, key, path) for key in items]
    if member.type_name in _PLAIN:
        loaded = {key: _plain(member, item, _joined(path, key)) for key, item in items.items()}
        violations.check_members("Map value", member, loaded.values(), loaded, path)
    else:
        loaded = {
            key: _load(member, item, _joined(path, f"{key}.member"), violations)
            for key, item in items.items()
        }
    violations.check_members("Map keys", shape.key, keys, loaded, path)
    violations.check(shape, loaded, path)
    return loaded


def _plain(shape: Shape, value: Any, path: str) -> Any:
    return _READERS[shape.type_name](shape, value, path)


def _text(shape: Shape, value: Any, path: str) -> str:
    text: str = _expect(str, value, path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SerializationException(f"Half of a surrogate pair{_at(path)}") from None
    return text


def _boolean(shape: Shape, value: Any, path: str) -> bool:
    return bool(_expect(bool, value, path))


def _integer(shape: Shape, value: Any, path: str) -> int:
    whole = isinstance(value, float) and value.is_integer()
    if isinstance(value, bool) or not (isinstance(value, int) or whole):
        raise _unexpected(shape.type_name, value, path)
    number, bits = int(value), _RANGES[shape.type_name]
    if not -(1 << bits) <= number < 1 << bits:
        raise SerializationException(f"Number out of range{_at(path)}")
    return number


def _float(shape: Shape, value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unexpected(shape.type_name, value, path)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SerializationException(f"Number out of range{_at(path)}")
    return number


def _timestamp(shape: Shape, value: Any, path: str) -> int:
    """Milliseconds, of epoch seconds or of ISO 8601."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = _EPOCH + timedelta(seconds=value)
        else:
            raise _unexpected("timestamp", value, path)
        return round((moment - _EPOCH) / timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        raise SerializationException(f"Not a timestamp{_at(path)}") from None


def _blob(shape: Shape, value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_expect(str, value, path), validate=True)
    except (binascii.Error, ValueError):
        raise SerializationException(f"Not base64{_at(path)}") from None


_READERS: dict[str, Callable[[Shape, Any, str], Any]] = {
    "string": _text,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "timestamp": _timestamp,
    "blob": _blob,
}

_TOKENS = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", type(None): "NULL"}
_JAVA = {str: "String", bool: "Boolean", list: "List", dict: "Structure or Map"}


def _expect(kind: type, value: Any, path: str) -> Any:
    if not isinstance(value, kind):
        raise _unexpected(_JAVA[kind], value, path)
    return value


def _unexpected(wanted: str, value: Any, path: str) -> SerializationException:
    if isinstance(value, dict):
        return SerializationException(
            f"Start of structure or map found where not expected{_at(path)}"
        )
    if isinstance(value, list):
        return SerializationException(f"Start of list found where not expected{_at(path)}")
    token = str(value).upper() + "_VALUE" if isinstance(value, bool) else _TOKENS[type(value)]
    article = "an" if wanted[0] in "Ii" else "a"
    wanted = wanted[0].upper() + wanted[1:]
    return SerializationException(f"{token} can not be converted to {article} {wanted}{_at(path)}")


def _at(path: str) -> str:
    return f" at '{path}'." if path else "."


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
