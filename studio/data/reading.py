"""A source as plain tables: a sample at once, and everything, piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from studio.data.dialects import Dialect
from studio.data.formats import Wrapping, recognised
from studio.data.protocol.data import DataFacts, File, Source
from studio.data.room import Room
from studio.data.sources import Found

SHOWN_FILES = 100


@dataclass
class Known:
    """What has been learned about a source so far."""

    found: Found
    wrapping: Wrapping
    columns: list[str] = field(default_factory=list)
    types: dict[str, Any] = field(default_factory=dict)  # plain ones
    dialect: Dialect | None = None
    file_rows: list[int] = field(default_factory=list)
    rows: int | None = None
    rows_estimate: int | None = None
    rows_seen: int = 0
    head_rows: int = 0  # of the sample: that many are the first ones
    complete: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(it.size for it in self.found.items)

    def facts(self, code: str) -> DataFacts:
        items = self.found.items
        rows = [*self.file_rows, *[None] * len(items)]
        dialect = self.dialect
        return DataFacts(
            name=self.found.name,
            format=self.wrapping.format,
            bytes=self.bytes,
            files=[File(it.name, it.size, n) for it, n in zip(items, rows, strict=False)][
                :SHOWN_FILES
            ],
            file_count=len(items),
            columns=self.columns,
            rows=self.rows,
            rows_estimate=self.rows_estimate if self.rows is None else None,
            rows_seen=self.rows_seen,
            complete=self.complete,
            delimiter=dialect.delimiter if dialect else None,
            header=dialect.header if dialect else None,
            encoding=None if self.wrapping.format == "parquet" else self.wrapping.encoding,
            notes=self.notes,
            code=code,
        )


@dataclass(frozen=True)
class Piece:
    """Some rows of one file, of the types asked for but where `table` says otherwise."""

    table: Any
    file: int
    done: float  # share of all bytes read, 0 to 1


class Reader(Protocol):
    """Reads one source; `known` grows with it."""

    known: Known

    def sample(self) -> Any:
        """Rows from the beginning and from all over; after it columns and types are known."""

    def pieces(self, columns: tuple[str, ...] | None) -> Iterator[Piece]:
        """All rows in order, of these columns."""

    def columns(self) -> Any | None:
        """Everything, as a table that reads its columns when asked; None of a format that has to
        be read from one end to the other."""

    def needed(self) -> dict[str, Any]:
        """The plain types that hold all cells read so far."""

    def close(self) -> None:
        """Everything was read: puts down what was noticed."""


def reader(found: Found, source: Source) -> Reader:
    """The reader for what the first file is."""
    from studio.data.parquet_reader import ParquetReader
    from studio.data.text_reader import TextReader

    wrapping = recognised(found.items[0], source)
    known = Known(found, wrapping)
    return ParquetReader(known) if wrapping.format == "parquet" else TextReader(known, source)


def tell(room: Room, known: Known, done: float) -> None:
    room.progress(done, f"Reading {known.found.name}")
