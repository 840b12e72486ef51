"""Trial components as Parquet: all that a query selects, asked for as a notebook asks."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from studio import queries
from studio.client import aws
from studio.data.errors import DataError
from studio.data.protocol.tables import ExportAnswer, ExportRequest
from studio.data.room import Room

_MICROSECONDS = 1_000_000


def export(request: ExportRequest, room: Room) -> ExportAnswer:
    """Writes the file whole or not at all: numbers as doubles, times in UTC, the rest as texts."""
    place = _place(request, room)
    names, columns = _asked(request, room)
    made = {"name": pa.array(names, pa.string())}
    made |= {field: _array(field, cells) for field, cells in columns.items() if field != "name"}
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        pq.write_table(pa.table(made), part)
        part.rename(place)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError("AccessDenied", f"{request.to}: {error.strerror or error}.") from None
    return ExportAnswer(request.to, len(names), place.stat().st_size)


def _place(request: ExportRequest, room: Room) -> Path:
    place = room.root.joinpath(*[part for part in request.to.split("/") if part])
    folder = Path(os.path.realpath(place.parent))
    if "\0" in request.to or ".." in request.to.split("/") or not folder.is_relative_to(room.root):
        raise DataError("AccessDenied", f"{request.to} is not below the folder that Jupyter shows.")
    if not folder.is_dir():
        raise DataError("NotFound", f"There is no folder for {request.to}.")
    if os.path.lexists(folder / place.name) and not request.replace:
        raise DataError("BadRequest", f"There is a file {request.to} already.")
    return folder / place.name


def _asked(request: ExportRequest, room: Room) -> tuple[list[str], dict[str, list[Any]]]:
    """Names, and the cells of each field."""
    names: list[str] = []
    columns: dict[str, list[Any]] = {field: [] for field in request.fields}
    try:
        for rows, matched in queries.windows(request.query, list(columns), [], None, request.names):
            names += rows
            for field, cells in columns.items():
                cells += [row.get(field) for row in rows.values()]
            room.progress(len(names) / max(matched, 1), f"{len(names):,} of {matched:,}")
    except ValueError as error:
        raise DataError("BadRequest", str(error)) from None
    except aws.Refused as error:
        raise DataError("AccessDenied", str(error)) from None
    except OSError as error:
        raise DataError("Unreachable", f"Studio does not answer: {error}") from None
    return names, columns


def _array(field: str, cells: list[Any]) -> Any:
    if field in queries.TIMES:
        times = [None if it is None else round(it * _MICROSECONDS) for it in cells]
        return pa.array(times, pa.timestamp("us", "UTC"))
    if _are_numbers(cells):
        return pa.array(cells, pa.float64())
    return pa.array([None if it is None else _text(it) for it in cells], pa.string())


def _are_numbers(cells: Iterable[Any]) -> bool:
    return all(it is None or isinstance(it, float) for it in cells)


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else repr(value)
