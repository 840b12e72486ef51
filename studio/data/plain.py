"""The five types that everything is looked at as: int64, double, bool, timestamp[us], string."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

TIME = pa.timestamp("us")


def plain_type(kind: Any) -> Any:
    """The plain type of an Arrow type."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_boolean(kind):
        return pa.bool_()
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return TIME
    return pa.string()


def plain(array: Any, to: Any) -> Any:
    """The array as that plain type; what cannot be said in it is missing."""
    kind = array.type
    if kind == pa.float64() and to == kind:
        return _without_nan(array)
    if kind == to:
        return array
    if pa.types.is_null(kind):
        return pa.nulls(len(array), to)
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode(), to)
    if to == TIME:
        return _time(array)
    if to == pa.float64():
        return _without_nan(array.cast(to, safe=False))
    if to != pa.string():
        return array.cast(to, safe=False)
    return _text(array)


def _without_nan(array: Any) -> Any:
    """NaN is no number: it is missing, as pandas has it."""
    strange = pc.is_nan(array)
    return (
        pc.if_else(strange, pa.scalar(None, pa.float64()), array)
        if pc.any(strange).as_py()
        else array
    )


def _time(array: Any) -> Any:
    if pa.types.is_timestamp(array.type) and array.type.tz:
        array = array.cast(pa.timestamp(array.type.unit, "UTC"))
        array = array.cast(pa.timestamp(array.type.unit))
    return array.cast(TIME, safe=False)


def _text(array: Any) -> Any:
    kind = array.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([_word(it) for it in array.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind):
        return pc.strftime(array, format="%Y-%m-%dT%H:%M:%S")
    try:
        return array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_word(it) for it in array.to_pylist()], pa.string())


def _word(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def joined(one: Any, other: Any) -> Any:
    """The narrowest type that holds what both hold."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if {one, other} == {pa.int64(), pa.float64()}:
        return pa.float64()
    return pa.string()
