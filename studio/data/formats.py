"""What the bytes of a file are: compression, format, text encoding."""

import codecs
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import pyarrow as pa

from studio.data.errors import DataError
from studio.data.protocol.data import Format, Source
from studio.data.sources import Item

HEAD = 1 << 20  # bytes that guesses and samples look at
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_TEXT_CONTROLS = set(b"\t\n\r\f\0\x1b")


@dataclass(frozen=True)
class Wrapping:
    """How a file's text is wrapped up; Parquet has neither."""

    format: Format
    compression: str | None
    encoding: str


def recognised(item: Item, source: Source) -> Wrapping:
    """Looks into the file. Raises DataError when it is nothing that can be read."""
    compression = _compression(item)
    with opened(item, compression) as file:
        head = file.read_all(HEAD)
    if head.startswith(b"PAR1") or source.format == "parquet":
        return Wrapping("parquet", None, "utf-8")
    encoding = source.encoding or _encoding(head)
    try:
        text = head[: 1 << 16].decode(encoding, "replace")
    except LookupError:
        raise DataError("BadRequest", f"There is no encoding {encoding}.") from None
    _refuse_binary(item, text)
    looks_json = text.lstrip("\ufeff \t\r\n").startswith("{")
    return Wrapping(source.format or ("jsonl" if looks_json else "csv"), compression, encoding)


@dataclass(frozen=True)
class Opened:
    """A file open for reading on and on: `text` unpacked, `raw` to ask how far it is."""

    item: Item
    text: BinaryIO
    raw: BinaryIO

    def read(self, size: int) -> bytes:
        """Some bytes, none at the end. Damage is said with the file's name."""
        try:
            return self.text.read(size)
        except OSError as error:
            raise DataError("Unreadable", f"{self.item.name} is damaged: {error}") from None

    def read_all(self, size: int) -> bytes:
        """As many bytes as asked for, but at the end."""
        parts, left = [], size
        while left > 0 and (part := self.read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.text.close()
        self.raw.close()

    @property
    def share(self) -> float:
        """How much of it was read, 0 to 1."""
        return self.raw.tell() / max(self.item.size, 1)


def opened(item: Item, compression: str | None, encoding: str = "utf-8") -> Opened:
    """The file, unpacked and in UTF-8."""
    raw = item.open()
    text = raw
    if compression is not None:
        text = cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression))
    return Opened(item, _as_utf8(text, encoding), raw)


def _as_utf8(file: BinaryIO, encoding: str) -> BinaryIO:
    """The same text in UTF-8; what cannot be decoded becomes the replacement character."""
    if codecs.lookup(encoding).name == "utf-8":
        return file
    return cast(BinaryIO, _Recoded(file, encoding))


class _Recoded(io.RawIOBase):
    def __init__(self, file: Any, encoding: str) -> None:
        super().__init__()
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        text = self._decoder.decode(chunk, final=not chunk)
        return text.encode() if text or not chunk else self.read(size)


def _compression(item: Item) -> str | None:
    with item.open() as file:
        start = file.read(4)
    return next((name for magic, name in _PACKED.items() if start.startswith(magic)), None)


def _encoding(head: bytes) -> str:
    """A byte order mark, else UTF-8 when it is, else what Windows writes in the West."""
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _refuse_binary(item: Item, text: str) -> None:
    strange = sum(1 for it in text if it < " " and ord(it) not in _TEXT_CONTROLS)
    if strange + text.count("\ufffd") > len(text) // 20:
        raise DataError(
            "UnsupportedFormat",
            f"{item.name} is not text, nor Parquet. CSV, TSV, JSON lines (also .gz, .zst) and "
            "Parquet can be looked at.",
        )
