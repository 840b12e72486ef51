"""Sources converted once: plain columns in Arrow files, mapped into memory by whoever looks.

A data set of the cache is `<key>.json`, written last, and one or two Arrow files: the second holds
columns whose type turned out wider than the sample's. The key changes when a file's stamp does.
"""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from studio.data import code
from studio.data.documents import decoded, encoded
from studio.data.errors import DataError
from studio.data.plain import joined, plain, plain_type
from studio.data.protocol.data import DataFacts, Source
from studio.data.reading import Known, Reader, reader, tell
from studio.data.room import Room
from studio.data.sources import Found, find

_VERSION = 1
_PAUSE = 0.1
_UNPACKED = 32  # times as large as compressed, or less; half of the cache holds what is converted
_SAMPLE, _SLICES = 10_000, 20  # rows of what is converted already


@dataclass(frozen=True)
class Data:
    """A source as one table of plain columns; the first `head` rows are its first."""

    table: Any
    facts: DataFacts
    head: int


@dataclass(frozen=True)
class Opened:
    """A source that was found; `ready` when it is in the cache."""

    found: Found
    source: Source
    key: str
    ready: bool


def opened(source: Source, room: Room) -> Opened:
    """Raises DataError when there is nothing to read."""
    found = find(source, room.root)
    told = [_VERSION, asdict(source), [(it.name, it.stamp) for it in found.items]]
    key = hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]
    return Opened(found, source, key, _document(room, key).exists())


def sampled(it: Opened, room: Room) -> Data:
    """A sample of a source: from its beginning and from all over."""
    if it.ready:
        return _spread(loaded(it, room))
    reading = reader(it.found, it.source)
    table = reading.sample()
    known = reading.known
    known.rows_seen = len(table)
    return Data(table, known.facts(_code(known, room)), known.head_rows)


def _spread(data: Data) -> Data:
    """Some of the rows, in slices from all over."""
    rows, length = len(data.table), _SAMPLE // _SLICES
    if rows <= _SAMPLE:
        return data
    starts = [place * (rows - length) // (_SLICES - 1) for place in range(_SLICES)]
    table = pa.concat_tables([data.table.slice(it, length) for it in starts])
    facts = replace(data.facts, rows_seen=len(table), complete=False)
    return Data(table, facts, length)


def column_by_column(it: Opened, room: Room) -> Data | None:
    """All of a source for somebody who looks at each column once: read from where it lies.

    None when it has to be converted first, or is converted already.
    """
    if it.ready or sum(item.size for item in it.found.items) > room.disk // _UNPACKED:
        return None
    reading = reader(it.found, it.source)
    table, known = reading.columns(), reading.known
    if table is None:
        return None
    return Data(table, known.facts(_code(known, room)), len(table))


def load(source: Source, room: Room) -> Data:
    """All of a source, converted first when nobody has."""
    return loaded(opened(source, room), room)


def loaded(it: Opened, room: Room) -> Data:
    """As load."""
    with _alone(room, it):
        if not _document(room, it.key).exists():
            _convert(it, room)
        return _mapped(room, it.key)


def _convert(it: Opened, room: Room) -> None:
    reading = reader(it.found, it.source)
    reading.sample()
    known = reading.known
    _make_place(room)
    types = dict(known.types)
    pieces = _write(reading, types, room, _temporary(room, it.key, 1))
    needed = reading.needed()
    wider = {name: kind for name, kind in needed.items() if types.get(name) != kind}
    if wider:
        _write(reading, wider, room, _temporary(room, it.key, 2), pieces)
    known.types = {**types, **wider}
    known.columns = list(known.types)
    reading.close()
    for turn in (1, 2) if wider else (1,):
        _temporary(room, it.key, turn).rename(_arrow(room, it.key, turn))
    part = _temporary(room, it.key, 0)
    part.write_bytes(encoded(known.facts(_code(known, room))))
    part.rename(_document(room, it.key))


def _write(
    reading: Reader, types: dict[str, Any], room: Room, path: Path, most: int | None = None
) -> int:
    """Writes these columns; returns of how many pieces. With `most` it is the second time: columns
    again, as their cells turned out."""
    known = reading.known
    rows, pieces = [0] * len(known.found.items), 0
    known.complete = True
    try:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, pa.schema(types)) as writer:
            for piece in reading.pieces(None if most is None else tuple(types)):
                writer.write_table(_fitted(piece.table, types))
                rows[piece.file] += len(piece.table)
                pieces += 1
                tell(room, known, piece.done)
                if pieces == most or file.tell() > room.disk // 2:
                    known.complete = piece.done >= 1
                    break
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DataError("TooLarge", f"The disk of {room.cache} is full.") from None
    known.file_rows, known.rows_seen = rows, sum(rows)
    known.rows = sum(rows) if known.complete else known.rows
    return pieces


def _fitted(table: Any, types: dict[str, Any]) -> Any:
    """The table in these types; what does not fit is left empty."""
    arrays, there = [], dict(zip(table.column_names, table.columns, strict=True))
    for name, kind in types.items():
        column = there.get(name)
        if column is not None and _fits(column.type, kind):
            arrays.append(plain(column.combine_chunks(), kind))
        else:
            arrays.append(pa.nulls(len(table), kind))
    return pa.table(arrays, list(types))


def _fits(own: Any, kind: Any) -> bool:
    return bool(pa.types.is_null(own) or joined(kind, plain_type(own)) == kind)


def _code(known: Known, room: Room) -> str:
    return code.reading(known, room.root)


def _mapped(room: Room, key: str) -> Data:
    facts = decoded(DataFacts, orjson.loads(_document(room, key).read_bytes()))
    os.utime(_document(room, key))
    table = _table(_arrow(room, key, 1))
    if _arrow(room, key, 2).exists():
        wider = _table(_arrow(room, key, 2))
        for name in wider.column_names:
            place = table.schema.get_field_index(name)
            if place < 0:
                table = table.append_column(name, wider.column(name))
            else:
                table = table.set_column(place, name, wider.column(name))
    return Data(table, facts, len(table))


def _table(path: Path) -> Any:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


@contextmanager
def _alone(room: Room, it: Opened) -> Iterator[None]:
    """One process converts a data set; others wait for it."""
    file = os.open(room.cache / f"{it.key}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(file):
            room.progress(0, f"{it.found.name} is being read already")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_place(room: Room) -> None:
    """Forgets the data sets that nobody looked at for longest, until half of the cache is free."""
    documents = sorted(room.cache.glob("*.json"), key=lambda it: it.stat().st_mtime, reverse=True)
    taken = 0
    for document in documents:
        files = list(room.cache.glob(f"{document.stem}.*"))
        taken += sum(it.stat().st_size for it in files)
        if taken > room.disk // 2:
            document.unlink(missing_ok=True)  # first: without it there is no data set
            for it in files:
                it.unlink(missing_ok=True)


def _document(room: Room, key: str) -> Path:
    return room.cache / f"{key}.json"


def _arrow(room: Room, key: str, turn: int) -> Path:
    return room.cache / f"{key}.{turn}.arrow"


def _temporary(room: Room, key: str, turn: int) -> Path:
    """The worker clears away those of processes that died: their names end with the process."""
    return room.cache / f"{key}.{turn}.{os.getpid()}.part"
