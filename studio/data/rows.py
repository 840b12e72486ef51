"""Windows of rows: filtered, sorted."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from studio.data import code, filters, store
from studio.data.cells import cell, iso, type_name
from studio.data.errors import DataError
from studio.data.plain import TIME
from studio.data.protocol.data import Cell
from studio.data.protocol.tables import ColumnType, RowsAnswer, RowsRequest
from studio.data.room import Room

_MOST_ROWS, _MOST_COLUMNS = 1_000, 200


def rows(request: RowsRequest, room: Room) -> RowsAnswer:
    """The first rows of what nobody has read yet are told before all of it is read."""
    if request.offset < 0 or not 0 <= request.limit <= _MOST_ROWS:
        raise DataError("BadRequest", f"A window has at most {_MOST_ROWS:,} rows.")
    it = store.opened(request.source, room)
    if not it.ready and not request.filters and not request.sort:
        first = store.sampled(it, room)
        if request.offset + request.limit <= first.head:
            room.tell(_answer(request, first))
    return _answer(request, store.loaded(it, room))


def _answer(request: RowsRequest, data: store.Data) -> RowsAnswer:
    table = data.table
    names = request.columns
    names = table.column_names[:_MOST_COLUMNS] if names is None else names[:_MOST_COLUMNS]
    filters.checked(table, *names, *(it.column for it in request.sort))
    places, matching = _places(request, table)
    total = data.facts.rows if data.facts.rows is not None else data.facts.rows_estimate
    types = {it.name: it.type for it in table.schema}
    return RowsAnswer(
        columns=[ColumnType(name, type_name(types[name])) for name in names],
        rows=_cells(table.select(names).take(pa.array(places))),
        numbers=places.tolist(),
        offset=request.offset,
        matching=matching if data.facts.complete or request.filters else total or matching,
        total=total or len(table),
        column_count=table.num_columns,
        data=data.facts,
        code=_code(request, data, types),
    )


def _places(request: RowsRequest, table: Any) -> tuple[Any, int]:
    """Which rows are in the window, and how many match."""
    kept = filters.kept(table, request.filters)
    if kept is None and not request.sort:
        end = min(request.offset + request.limit, len(table))
        return np.arange(request.offset, max(end, request.offset)), len(table)
    found = np.arange(len(table)) if kept is None else np.flatnonzero(kept)
    matching = len(found)
    if request.sort:
        found = found[_order(request, table, found)]
    return found[request.offset : request.offset + request.limit], matching


def _order(request: RowsRequest, table: Any, found: Any) -> Any:
    """Missing cells last: whether a cell is missing comes before what it is."""
    chosen = table.select(list(dict.fromkeys(it.column for it in request.sort)))
    chosen = chosen if len(found) == len(table) else chosen.take(pa.array(found))
    arrays, keys = [], []
    for place, it in enumerate(request.sort):
        column = chosen.column(it.column)
        arrays += [pc.is_null(column), column]
        order = "descending" if it.descending else "ascending"
        keys += [(f"{place} missing", "ascending"), (f"{place}", order)]
    ordered = pa.table(arrays, [name for name, _ in keys])
    return pc.sort_indices(ordered, sort_keys=keys).to_numpy()


def _cells(table: Any) -> list[list[Cell]]:
    columns = [_column(it) for it in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(column: Any) -> list[Cell]:
    if column.type == TIME:
        times = column.cast(pa.int64()).to_pylist()
        return [None if it is None else iso(it) for it in times]
    return [cell(it) for it in column.to_pylist()]


def _code(request: RowsRequest, data: store.Data, types: dict[str, Any]) -> str:
    lines = [data.facts.code, filters.pandas(request.filters, types)]
    if request.sort:
        by = [it.column for it in request.sort]
        ascending = [not it.descending for it in request.sort]
        lines.append(f"df = df.sort_values({by!r}, ascending={ascending!r}, kind='stable')")
    if request.columns is not None:
        lines.append(f"df = df[{request.columns!r}]")
    return code.gathered(lines)
