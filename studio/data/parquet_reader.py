"""Parquet files."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from studio.data.errors import DataError
from studio.data.plain import joined, plain, plain_type
from studio.data.reading import Known, Piece
from studio.data.sources import Item

_BATCH, _BUFFER = 1 << 17, 1 << 20
_INDEX = re.compile(r"__index_level_\d+__")  # of a DataFrame, which pandas reads as its index
_GROUPS, _SAMPLE = 8, 2_500  # places to sample, rows of each


class ParquetReader:
    """All files must have the columns of the first; types are the narrowest that hold all."""

    def __init__(self, known: Known) -> None:
        self.known = known

    def sample(self) -> Any:
        known, places = self.known, self._surveyed()
        step = max(len(places) // _GROUPS, 1)
        batches = [it for place in places[::step][:_GROUPS] for it in self._first(*place)]
        known.head_rows = len(batches[0]) if batches else 0
        return self._plain(batches, known.columns)

    def pieces(self, columns: tuple[str, ...] | None) -> Iterator[Piece]:
        rows, total = 0, max(self.known.rows or 0, 1)
        chosen = list(columns or self.known.columns)
        for number, item in enumerate(self.known.found.items):
            with _opened(item) as file:
                for batch in file.iter_batches(_BATCH, columns=chosen):
                    rows += len(batch)
                    yield Piece(self._plain([batch], chosen), number, rows / total)

    def columns(self) -> "ParquetColumns":
        self._surveyed()
        self.known.rows_seen, self.known.complete = self.known.rows or 0, True
        return ParquetColumns(self.known)

    def needed(self) -> dict[str, Any]:
        return self.known.types

    def close(self) -> None:
        pass

    def _surveyed(self) -> list[tuple[int, int]]:
        """Learns columns, types and numbers of rows; returns the row groups of each file."""
        known, places = self.known, []
        for number, item in enumerate(known.found.items):
            with _opened(item) as file:
                self._learn(item, file.schema_arrow)
                known.file_rows.append(file.metadata.num_rows)
                places += [(number, group) for group in range(file.num_row_groups)]
        known.rows = sum(known.file_rows)
        return places

    def _learn(self, item: Item, schema: Any) -> None:
        known = self.known
        names = [it for it in schema.names if not _INDEX.fullmatch(it)]
        known.columns = known.columns or names
        if set(names) != set(known.columns):
            raise DataError(
                "UnsupportedFormat",
                f"{item.name} has other columns than {known.found.items[0].name}. Open the files "
                "one by one.",
            )
        if len(set(names)) < len(names):
            raise DataError("UnsupportedFormat", f"{item.name} has two columns of one name.")
        for it in (schema.field(name) for name in names):
            known.types[it.name] = joined(known.types.get(it.name, pa.null()), plain_type(it.type))

    def _first(self, number: int, group: int) -> list[Any]:
        with _opened(self.known.found.items[number]) as file:
            batches = file.iter_batches(_SAMPLE, row_groups=[group], columns=self.known.columns)
            return [it for it in [next(batches, None)] if it is not None]

    def _plain(self, batches: list[Any], names: list[str]) -> Any:
        types = self.known.types
        arrays = [
            pa.chunked_array([plain(it.column(name), types[name]) for it in batches], types[name])
            for name in names
        ]
        return pa.table(arrays, names)


class ParquetColumns:
    """The files as a table whose columns are read when they are asked for, and not kept.

    Columns may be asked for by several threads.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self.column_names = known.columns
        self.num_columns = len(known.columns)

    def __len__(self) -> int:
        return self._known.rows or 0

    def column(self, which: int | str) -> Any:
        """A chunked array of the column's plain type."""
        name = which if isinstance(which, str) else self.column_names[which]
        kind, chunks = self._known.types[name], []
        for item in self._known.found.items:
            with _opened(item) as file:
                read = file.read(columns=[name], use_threads=False).column(0)
                chunks += [plain(it, kind) for it in read.chunks]
        return pa.chunked_array(chunks, kind)


@contextmanager
def _opened(item: Item) -> Iterator[Any]:
    """Damage, met at any time, is said with the file's name."""
    try:
        with item.open() as raw, pq.ParquetFile(raw, buffer_size=_BUFFER) as file:
            yield file
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError("Unreadable", f"{item.name} cannot be read: {error}"[:500]) from None
