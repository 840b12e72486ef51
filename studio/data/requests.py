"""One request, in the process that is its own: arguments to answer."""

import os
import traceback
from collections.abc import Callable
from typing import Any

import orjson

from studio.data.chart import chart
from studio.data.compare import compare
from studio.data.documents import decoded, encoded
from studio.data.errors import DataError
from studio.data.export import export
from studio.data.prepare import prepare
from studio.data.profile import profile
from studio.data.protocol.charts import ChartRequest
from studio.data.protocol.comparisons import CompareRequest
from studio.data.protocol.data import ErrorCode
from studio.data.protocol.profiles import ProfileRequest
from studio.data.protocol.tables import ExportRequest, PrepareRequest, RowsRequest
from studio.data.room import Room
from studio.data.rows import rows

FINAL = b',"final":true}\n'

_VERBS: dict[str, tuple[type[Any], Callable[[Any, Room], object]]] = {
    "export": (ExportRequest, export),
    "prepare": (PrepareRequest, prepare),
    "profile": (ProfileRequest, profile),
    "rows": (RowsRequest, rows),
    "chart": (ChartRequest, chart),
    "compare": (CompareRequest, compare),
}


def read(line: bytes) -> dict[str, Any] | None:
    """A request's document, None when it is none: nobody to answer."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    known = isinstance(document, dict) and isinstance(document.get("id"), str)
    return document if known else None


def serve(document: dict[str, Any], pipe: int, room: Room) -> None:
    """Answers on the pipe, whatever happens."""
    id = document["id"]
    room.tell = lambda part: _write(pipe, _line(id, part) + b"}\n")
    try:
        verb = document.get("verb")
        if verb not in _VERBS:
            raise DataError(
                "BadRequest", f"There is no verb {verb}; there are {', '.join(_VERBS)}."
            )
        kind, answer = _VERBS[verb]
        part = answer(decoded(kind, document.get("args")), room)
        _write(pipe, _line(id, part) + FINAL)
    except DataError as error:
        _write(pipe, failed(id, error.code, error.message))
    except MemoryError:
        _write(pipe, failed(id, "TooLarge", "There is not enough memory. Choose fewer columns."))
    except Exception as error:
        traceback.print_exc()
        words = f"{type(error).__name__}: {error}"[:1000]
        _write(pipe, failed(id, "Failed", f"This is a bug of Studio, or damaged data. {words}"))
    else:
        room.tell = lambda _part: None  # nobody listens any more
        for work in room.afterwards:
            work()


def failed(id: str, code: ErrorCode | str, message: str) -> bytes:
    """The last line of a request that came to nothing."""
    error = encoded({"code": code, "message": message})
    return b'{"id":' + encoded(id) + b',"error":' + error + FINAL


def _line(id: str, part: object) -> bytes:
    return b'{"id":' + encoded(id) + b',"part":' + encoded(part)


def _write(pipe: int, line: bytes) -> None:
    left = memoryview(line)
    while left:
        left = left[os.write(pipe, left) :]
