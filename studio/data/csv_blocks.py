"""One block of CSV to a table, whatever is in it."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from studio.data.dialects import MISSING, Dialect

_PLACE = re.compile(r"^In CSV column #(\d+): ")
# What is tried when a cell does not fit; anything else becomes text.
_WIDER: dict[Any, Any] = {
    pa.null(): pa.int64(),
    pa.int64(): pa.float64(),
}


@dataclass
class Parsed:
    """`types`: those that the block needed; `ragged`: lines left out, with too many cells;
    `regular`: no line had too many cells, or too few."""

    table: Any
    types: dict[str, Any]
    ragged: int = 0
    undecodable: bool = False
    regular: bool = True


class _UndecodableError(Exception):
    """Some bytes are no UTF-8."""


@dataclass
class _Rows:
    """Lines whose number of cells is not that of the columns."""

    short: int = 0
    long: int = 0

    def meet(self, row: Any) -> str:
        if row.actual_columns < row.expected_columns:
            self.short += 1
        else:
            self.long += 1
        return "skip"


@dataclass
class CsvParser:
    """Parses blocks of one file; knows nothing of the blocks before."""

    dialect: Dialect
    columns: tuple[str, ...] | None = None  # None: all

    def inferred(self, block: bytes) -> Parsed:
        """With the types that fit this block."""
        return self._parsed(block, {})

    def parsed(self, block: bytes, types: Mapping[str, Any]) -> Parsed:
        """With these types of all columns, wider ones where they do not fit."""
        return self._parsed(block, dict(types))

    def _parsed(self, block: bytes, types: dict[str, Any]) -> Parsed:
        undecodable = False
        try:
            table, seen = self._widening(block, types)
        except _UndecodableError:
            undecodable, block = True, block.decode(errors="replace").encode()
            table, seen = self._widening(block, types)
        if seen.short:
            table, _ = self._widening(self._padded(block), types)
        found = dict(zip(table.column_names, table.schema.types, strict=True))
        return Parsed(table, found, seen.long, undecodable, not seen.long and not seen.short)

    def _widening(self, block: bytes, types: dict[str, Any]) -> tuple[Any, "_Rows"]:
        """Reads; a column whose type does not fit gets the next wider one, as often as it takes."""
        while True:
            seen = _Rows()
            try:
                return self._read(block, types, seen), seen
            except pa.ArrowInvalid as error:
                if "invalid UTF8" in str(error):
                    raise _UndecodableError from None
                if not self._widened(types, str(error)):
                    raise

    def _widened(self, types: dict[str, Any], error: str) -> bool:
        """Whether there is a wider type for the column that the error tells of."""
        place = _PLACE.search(error)
        name = self.dialect.names[int(place[1])] if place else ""
        kind = types.get(name, pa.string())
        types[name] = _WIDER.get(kind, pa.string())
        return bool(kind != pa.string())

    def _padded(self, block: bytes) -> bytes:
        """Short lines filled up with missing cells, long ones left out, as pandas has it."""
        width, lines = len(self.dialect.names), io.StringIO(newline="")
        writer = csv.writer(lines, delimiter=self.dialect.delimiter, lineterminator="\n")
        text = io.StringIO(block.decode(errors="replace"), newline="")
        for record in csv.reader(text, delimiter=self.dialect.delimiter):
            if record and len(record) <= width:
                writer.writerow(record + [""] * (width - len(record)))
        return lines.getvalue().encode()

    def _read(self, block: bytes, types: Mapping[str, Any], seen: _Rows) -> Any:
        return pa_csv.read_csv(
            pa.py_buffer(block),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=len(block) + 1, column_names=self.dialect.names
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.dialect.delimiter,
                newlines_in_values=True,
                invalid_row_handler=seen.meet,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=types,
                include_columns=self.columns,
                null_values=MISSING,
                strings_can_be_null=True,
            ),
        )
