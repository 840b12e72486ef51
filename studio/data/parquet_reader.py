"""Parquet files."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from studio.data.errors import DataError
from studio.data.plain import joined, plain, plain_type
from studio.data.reading import Known, Piece
from studio.data.sources import Item

_BATCH = 1 << 17
_GROUPS, _SAMPLE = 8, 2_500  # places to sample, rows of each


class ParquetReader:
    """All files must have the columns of the first; types are the narrowest that hold all."""

    def __init__(self, known: Known) -> None:
        self.known = known

    def sample(self) -> Any:
        known = self.known
        files = [_opened(it) for it in known.found.items]
        known.file_rows = [it.metadata.num_rows for it in files]
        known.rows = sum(known.file_rows)
        known.columns = list(files[0].schema_arrow.names)
        for item, file in zip(known.found.items, files, strict=True):
            self._learn(item, file.schema_arrow)
        places = [(file, group) for file in files for group in range(file.num_row_groups)]
        step = max(len(places) // _GROUPS, 1)
        batches = [it for place in places[::step][:_GROUPS] for it in self._first(*place)]
        known.head_rows = len(batches[0]) if batches else 0
        return self._plain(batches)

    def pieces(self, columns: tuple[str, ...] | None) -> Iterator[Piece]:
        rows, total = 0, max(self.known.rows or 0, 1)
        for number, item in enumerate(self.known.found.items):
            file = _opened(item)
            chosen = list(columns or self.known.columns)
            for batch in _told(item, file.iter_batches(_BATCH, columns=chosen)):
                rows += len(batch)
                yield Piece(self._plain([batch], chosen), number, rows / total)

    def needed(self) -> dict[str, Any]:
        return self.known.types

    def close(self) -> None:
        pass

    def _learn(self, item: Item, schema: Any) -> None:
        if set(schema.names) != set(self.known.columns):
            raise DataError(
                "UnsupportedFormat",
                f"{item.name} has other columns than {self.known.found.items[0].name}. Open the "
                "files one by one.",
            )
        if len(set(schema.names)) < len(schema.names):
            raise DataError("UnsupportedFormat", f"{item.name} has two columns of one name.")
        types = self.known.types
        for it in schema:
            types[it.name] = joined(types.get(it.name, pa.null()), plain_type(it.type))

    def _first(self, file: Any, group: int) -> list[Any]:
        batches = file.iter_batches(_SAMPLE, row_groups=[group], columns=self.known.columns)
        return [it for it in [next(batches, None)] if it is not None]

    def _plain(self, batches: list[Any], columns: list[str] | None = None) -> Any:
        names = columns or self.known.columns
        types = self.known.types
        arrays = [
            pa.chunked_array([plain(it.column(name), types[name]) for it in batches], types[name])
            for name in names
        ]
        return pa.table(arrays, names)


def _opened(item: Item) -> Any:
    return next(
        _told(item, iter([item]), lambda it: pq.ParquetFile(it.open(), buffer_size=1 << 20))
    )


def _told(item: Item, source: Iterator[Any], act: Any = lambda it: it) -> Iterator[Any]:
    """The same; damage is said with the file's name."""
    try:
        for it in source:
            yield act(it)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError("Unreadable", f"{item.name} cannot be read: {error}"[:500]) from None
