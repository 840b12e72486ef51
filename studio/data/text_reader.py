"""CSV and JSON lines: blocks of text, parsed by two threads."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pyarrow as pa

from studio.data import formats
from studio.data.blocks import blocks
from studio.data.csv_blocks import CsvParser, Parsed
from studio.data.dialects import Dialect, guessed, header_bytes
from studio.data.errors import DataError
from studio.data.json_blocks import JsonParser
from studio.data.plain import TIME, joined, plain, plain_type
from studio.data.protocol.data import Source
from studio.data.reading import Known, Piece
from studio.data.sources import Item
from studio.data.threads import ahead

_PLACES, _PLACE = 8, 1 << 18  # sampled beside the beginning: how many, bytes of each
_SPREAD = (_PLACES + 1) * formats.HEAD  # bytes: where places are apart, and beyond the beginning
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class _Block:
    """Whole lines, and the share of the file that was read by then."""

    parser: CsvParser | JsonParser
    text: bytes
    share: float


@dataclass
class TextReader:
    """`types` are those that the sample has, and wider ones as soon as a block needs them."""

    known: Known
    source: Source
    types: dict[str, Any] = field(default_factory=dict)
    ragged: int = 0
    undecodable: bool = False
    _widening: Lock = field(default_factory=Lock)

    def sample(self) -> Any:
        known = self.known
        with self._opened(known.found.items[0]) as file:
            head = file.read_all(formats.HEAD)
            read = file.share * file.item.size
        text = _whole_lines(_without_bom(head), len(head) < formats.HEAD)
        if known.wrapping.format == "csv":
            known.dialect = guessed(text[: 1 << 20].decode(errors="replace"), self.source)
            known.notes += known.dialect.notes
        body = text[self._header_bytes(known.dialect, text) :]
        first = self._parser(known.dialect, None).inferred(body) if body.strip() else self._none()
        self._learn(first)
        known.head_rows = len(first.table)
        tables = [first.table, *self._elsewhere()]
        density = len(first.table) / max(read, 1)
        known.rows_estimate = max(round(density * known.bytes), len(first.table))
        return pa.concat_tables([self._plain(it, known.types) for it in tables])

    def pieces(self, columns: tuple[str, ...] | None) -> Iterator[Piece]:
        """Pieces have wider types than `known.types` where a block needs them."""
        before, total = 0, max(self.known.bytes, 1)
        for number, item in enumerate(self.known.found.items):
            for parsed, share in self._parsed(item, columns):
                self.ragged += parsed.ragged
                self.undecodable |= parsed.undecodable
                yield Piece(parsed.table, number, min((before + share * item.size) / total, 1))
            before += item.size

    def columns(self) -> None:
        return None

    def needed(self) -> dict[str, Any]:
        return {name: plain_type(kind) for name, kind in self.types.items()}

    def close(self) -> None:
        notes = self.known.notes
        if self.ragged and self.known.wrapping.format == "csv":
            notes.append(f"{self.ragged:,} lines with too many cells are left out.")
        elif self.ragged:
            notes.append(f"{self.ragged:,} lines that are no JSON object are left out.")
        if self.undecodable:
            notes.append(
                f"Some bytes are no {self.known.wrapping.encoding.upper()} and shown as \ufffd."
            )

    def _plain(self, table: Any, types: dict[str, Any]) -> Any:
        """The table with these columns, in this order, of these plain types."""
        names = table.column_names
        arrays = [
            plain(table.column(it).combine_chunks(), kind)
            if it in names
            else pa.nulls(len(table), kind)
            for it, kind in types.items()
        ]
        return pa.table(arrays, list(types))

    def _learn(self, first: Parsed) -> None:
        self.types = {name: _declared(kind) for name, kind in first.types.items()}
        self.known.columns = list(self.types)
        self.known.types = {name: plain_type(it) for name, it in self.types.items()}

    def _none(self) -> Parsed:
        dialect = self.known.dialect
        names = dialect.names if dialect else ()
        types = {it: pa.string() for it in names}
        return Parsed(pa.table({it: pa.array([], pa.string()) for it in names}), types)

    def _elsewhere(self) -> list[Any]:
        """Some more of the sample: plain files are looked into at other places, too."""
        known = self.known
        if known.wrapping.compression or known.bytes <= _SPREAD or not self.types:
            return []
        step = known.bytes // (_PLACES + 1)
        tables = []
        for place in range(1, _PLACES + 1):
            item, offset = _at(known.found.items, place * step)
            text = self._lines_at(item, offset)
            try:
                parsed = self._parser(known.dialect, None).parsed(text, self.types)
            except pa.ArrowInvalid:
                continue  # it began within quotes
            types = {name: _declared(kind) for name, kind in parsed.types.items()}
            if parsed.regular and types == self.types:
                tables.append(parsed.table)
        return tables

    def _lines_at(self, item: Item, offset: int) -> bytes:
        with item.open() as raw:
            raw.seek(offset)
            text = raw.read(_PLACE)
        return text[text.find(b"\n") + 1 : text.rfind(b"\n") + 1]

    def _parsed(
        self, item: Item, columns: tuple[str, ...] | None
    ) -> Iterator[tuple[Parsed, float]]:
        """The file's blocks in order, each with the share of the file that was read by then."""
        try:
            with self._opened(item) as file:
                yield from ahead(self._parse, self._blocks(file, columns))
        except pa.ArrowInvalid as error:
            raise DataError("Unreadable", f"{item.name} cannot be read: {error}"[:500]) from None

    def _parse(self, block: _Block) -> tuple[Parsed, float]:
        parsed = block.parser.parsed(block.text, self.types)
        with self._widening:
            for name, kind in parsed.types.items():
                known = self.types.get(name, pa.null())
                if known != _declared(kind):
                    self.types = {**self.types, name: joined(known, _declared(kind))}
        return parsed, block.share

    def _blocks(self, file: formats.Opened, columns: tuple[str, ...] | None) -> Iterator[_Block]:
        parser: CsvParser | JsonParser | None = None
        for block in blocks(file, quoted=self.known.wrapping.format == "csv"):
            if parser is None:
                block = _without_bom(block)
                dialect = self._dialect(file.item, block)
                parser = self._parser(dialect, columns)
                block = block[self._header_bytes(dialect, block) :]
            if block.strip():
                yield _Block(parser, block, file.share)

    def _opened(self, item: Item) -> formats.Opened:
        wrapping = self.known.wrapping
        return formats.opened(item, wrapping.compression, wrapping.encoding)

    def _parser(
        self, dialect: Dialect | None, columns: tuple[str, ...] | None
    ) -> CsvParser | JsonParser:
        return CsvParser(dialect, columns) if dialect else JsonParser(columns)

    def _dialect(self, item: Item, text: bytes) -> Dialect | None:
        """How this file is written: as the first one, but for the order of its columns."""
        first, items = self.known.dialect, self.known.found.items
        if first is None or item is items[0]:
            return first
        source = Source(delimiter=first.delimiter, header=first.header)
        own = guessed(text[: 1 << 20].decode(errors="replace"), source)
        if set(own.names) != set(first.names):
            raise DataError(
                "UnsupportedFormat",
                f"{item.name} has other columns than {items[0].name}. Open the files one by one.",
            )
        return own

    def _header_bytes(self, dialect: Dialect | None, text: bytes) -> int:
        return header_bytes(text, dialect.delimiter) if dialect and dialect.header else 0


def _declared(kind: Any) -> Any:
    """The type that blocks are parsed with, where the sample has that one."""
    if pa.types.is_date(kind) or kind == pa.timestamp("s"):
        return TIME
    if pa.types.is_time(kind):
        return pa.string()
    return kind


def _at(items: tuple[Item, ...], offset: int) -> tuple[Item, int]:
    for item in items:
        if offset < item.size:
            return item, offset
        offset -= item.size
    return items[-1], 0


def _without_bom(text: bytes) -> bytes:
    return text.removeprefix(_BOM)


def _whole_lines(text: bytes, ended: bool) -> bytes:
    """Without the last line when the file goes on."""
    end = text.rfind(b"\n") + 1
    return text if ended or not end else text[:end]
