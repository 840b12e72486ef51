"""One block of JSON lines to a table, whatever is in it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.json as pa_json

from studio.data.csv_blocks import Parsed
from studio.data.plain import plain, plain_type


@dataclass
class JsonParser:
    """Parses blocks of one file; knows nothing of the blocks before."""

    columns: tuple[str, ...] | None = None  # None: all

    def inferred(self, block: bytes) -> Parsed:
        """With the types that fit this block."""
        return self.parsed(block, {})

    def parsed(self, block: bytes, types: Mapping[str, Any]) -> Parsed:
        """With the types that fit this block; objects and lists as JSON text."""
        try:
            table, bad = _fast(block), 0
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            table, bad = _patient(block)
        if self.columns is not None:
            table = _chosen(table, self.columns, types)
        found = dict(zip(table.column_names, table.schema.types, strict=True))
        return Parsed(table, found, ragged=bad)


def _fast(block: bytes) -> Any:
    table = pa_json.read_json(
        io.BytesIO(block), pa_json.ReadOptions(use_threads=False, block_size=len(block) + 1)
    )
    kinds = table.schema.types
    if any(pa.types.is_nested(it) for it in kinds):
        columns = [
            plain(it.combine_chunks(), pa.string()) if pa.types.is_nested(it.type) else it
            for it in table.columns
        ]
        return pa.table(columns, table.column_names)
    return table


def _patient(block: bytes) -> tuple[Any, int]:
    """Line by line: columns of mixed types become text, lines that are no object are left out."""
    records, bad = [], 0
    for line in block.splitlines():
        try:
            record = orjson.loads(line) if line.strip() else {}
        except orjson.JSONDecodeError:
            record = None
        if isinstance(record, dict):
            records += [record] if record else []
        else:
            bad += 1
    names = list(dict.fromkeys(name for record in records for name in record))
    arrays = [_array([record.get(name) for record in records]) for name in names]
    return (pa.table(arrays, names) if names else pa.table({})), bad


def _array(values: list[Any]) -> Any:
    try:
        array = pa.array(values)
        return plain(array, pa.string()) if pa.types.is_nested(array.type) else array
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_word(it) for it in values], pa.string())


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _chosen(table: Any, columns: tuple[str, ...], types: Mapping[str, Any]) -> Any:
    known = set(table.column_names)
    arrays = [
        table.column(it) if it in known else pa.nulls(len(table), plain_type(types[it]))
        for it in columns
    ]
    return pa.table(arrays, list(columns))
