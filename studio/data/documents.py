"""JSON documents to the protocol's dataclasses, and back."""

import dataclasses
import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from studio.data.errors import DataError

T = TypeVar("T")


def encoded(document: Any) -> bytes:
    """JSON of dataclasses, dictionaries, lists, scalars; NaN and infinities become null."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def decoded(kind: type[T], document: object) -> T:
    """The document as that dataclass. Raises DataError("BadRequest") naming the member."""
    value: T = _value(kind, document, "args")
    return value


def _value(kind: Any, document: Any, where: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return document
    if dataclasses.is_dataclass(kind):
        return _instance(kind, document, where)
    if origin in (Union, types.UnionType):
        return _optional(kind, document, where)
    if origin is list:
        _expect(isinstance(document, list), where, "a list")
        (each,) = get_args(kind)
        return [_value(each, it, f"{where}[{number}]") for number, it in enumerate(document)]
    if origin is Literal:
        _expect(document in get_args(kind), where, f"one of {', '.join(get_args(kind))}")
        return document
    return _scalar(kind, document, where)


def _instance(kind: Any, document: Any, where: str) -> Any:
    _expect(isinstance(document, dict), where, "an object")
    hints = get_type_hints(kind)
    fields = {it.name: it for it in dataclasses.fields(kind)}
    for name in document:
        _expect(name in fields, f"{where}.{name}", f"left out; known are {', '.join(fields)}")
    for name, it in fields.items():
        bare = it.default is dataclasses.MISSING and it.default_factory is dataclasses.MISSING
        _expect(name in document or not bare, f"{where}.{name}", "there")
    found = {name: _value(hints[name], it, f"{where}.{name}") for name, it in document.items()}
    return kind(**found)


def _optional(kind: Any, document: Any, where: str) -> Any:
    if document is None:
        return None
    (inner,) = (it for it in get_args(kind) if it is not types.NoneType)
    return _value(inner, document, where)


def _scalar(kind: Any, document: Any, where: str) -> Any:
    if kind is float and isinstance(document, int):
        document = float(document)
    fits = isinstance(document, kind) and (kind is bool or not isinstance(document, bool))
    _expect(fits, where, f"of type {kind.__name__}")
    return document


def _expect(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise DataError("BadRequest", f"{where} must be {what}.")
