"""Values of plain columns as cells of JSON, and back."""

import datetime as dt
import math
from typing import Any

import pyarrow as pa

from studio.data.protocol.data import Cell

SAFE = 1 << 53  # JavaScript's numbers are exact up to here
LONGEST = 1000
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC).replace(tzinfo=None)


def type_name(kind: Any) -> Any:
    """What the protocol calls a plain type."""
    names = {
        pa.int64(): "integer",
        pa.float64(): "float",
        pa.bool_(): "boolean",
        pa.string(): "text",
    }
    return names.get(kind, "datetime")


def cell(value: Any) -> Cell:
    """A Python value as a cell; long text is cut, and says so."""
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -SAFE <= value <= SAFE else str(value)
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return value  # type: ignore[no-any-return]  # None or bool


def _float(value: float) -> Cell:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return None if math.isnan(value) else value


def cut(text: str) -> str:
    """At most LONGEST characters of it."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({len(text):,} characters)"


def iso(microseconds: float) -> str | None:
    """A time as ISO 8601 without offset; None beyond the year 9999."""
    try:
        at = _EPOCH + dt.timedelta(microseconds=round(microseconds))
    except OverflowError:
        return None
    return at.isoformat()
