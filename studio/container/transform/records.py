"""A file as payloads: requests of at most so many bytes, of whole records, in order."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

MULTI, SINGLE = "MultiRecord", "SingleRecord"
MEGABYTE = 2**20
_SKIPPED = 2**20
_RECORD_IO, _TF_RECORD = struct.Struct("<II"), struct.Struct("<QI")
_MAGIC, _LENGTH = 0xCED7230A, 0x1FFFFFFF


class Damaged(ValueError):
    """The file is not what its SplitType says."""


@dataclass(frozen=True)
class Payload:
    """Whole records: `data` of `count` records, the first of which has the number `first`.

    Lines count from 1, blank ones too; they are no records. `ends` are the positions behind the
    records of a binary format; `whole` marks a file that is not split. `oversized`: one record
    that is larger than a payload may be, without its data.
    """

    data: bytes
    first: int
    count: int
    ends: tuple[int, ...] = ()
    whole: bool = False
    oversized: bool = False

    def lines(self) -> list[tuple[int, bytes]]:
        """Number and text of each line that is not blank."""
        every = enumerate(self.data.split(b"\n"), self.first)
        return [(number, line.rstrip(b"\r")) for number, line in every if line.strip()]

    def halves(self) -> "tuple[Payload, Payload]":
        """The payload in two, of about as many records each; there must be two at least."""
        if self.ends:
            middle = len(self.ends) // 2
            cut = self.ends[middle - 1]
            rest = tuple(end - cut for end in self.ends[middle:])
            return (
                Payload(self.data[:cut], self.first, middle, self.ends[:middle]),
                Payload(self.data[cut:], self.first + middle, len(rest), rest),
            )
        lines = self.lines()
        middle = len(lines) // 2
        return _of_lines(lines[:middle]), _of_lines(lines[middle:])


def payloads(file: IO[bytes], split: str, strategy: str, most: int) -> Iterator[Payload]:
    """The payloads of a file, of at most `most` bytes. Raises Damaged, OSError."""
    if split == "Line":
        return _single_lines(file, most) if strategy == SINGLE else _blocks(file, most)
    if split == "RecordIO":
        return _framed(file, _RECORD_IO, _record_io, strategy, most)
    if split == "TFRecord":
        return _framed(file, _TF_RECORD, lambda head: head[0] + 4, strategy, most)
    return _whole(file, most)


def _whole(file: IO[bytes], most: int) -> Iterator[Payload]:
    data = file.read(most + 1)
    if len(data) > most:
        yield Payload(b"", 1, 1, whole=True, oversized=True)
    elif data:
        yield Payload(data, 1, 1, whole=True)


def _blocks(file: IO[bytes], most: int) -> Iterator[Payload]:
    """As many lines as fit. Few operations a block, whatever the number of its lines."""
    number, left = 1, b""
    limit = most + 1  # with the end of its last line, which is not sent
    while block := left + file.read(limit - len(left)):
        end = len(block) if len(block) < limit else block.rfind(b"\n") + 1
        if end == 0:
            yield Payload(b"", number, 1, oversized=True)
            left = _behind_line(file, min(most, _SKIPPED))
            number += 1
            continue
        data, left = block[:end], block[end:]
        lines = data.count(b"\n")
        if count := _records(data, lines):
            yield Payload(data.removesuffix(b"\n"), number, count)
        number += lines


def _records(data: bytes, lines: int) -> int:
    """How many lines are not blank; they are counted one by one only where some may be."""
    count = lines + (not data.endswith(b"\n"))
    if data[:1].isspace() or any(mark in data for mark in (b"\n\n", b"\n\r", b"\n ", b"\n\t")):
        return sum(1 for line in data.split(b"\n") if line.strip())
    return count


def _single_lines(file: IO[bytes], most: int) -> Iterator[Payload]:
    number = 0
    while line := file.readline(most + 1):
        number += 1
        text = line.rstrip(b"\r\n")
        if len(text) > most or (len(line) > most and not line.endswith(b"\n")):
            yield Payload(b"", number, 1, oversized=True)
            while line and not line.endswith(b"\n"):
                line = file.readline(_SKIPPED)
        elif text.strip():
            yield Payload(text, number, 1)


def _behind_line(file: IO[bytes], size: int) -> bytes:
    """What was read behind the end of the line that the file is in."""
    while block := file.read(size):
        _, newline, rest = block.partition(b"\n")
        if newline:
            return rest
    return b""


def _of_lines(lines: list[tuple[int, bytes]]) -> Payload:
    """Blank lines in between, so that the numbers stay true."""
    first = lines[0][0]
    made, number = bytearray(), first
    for at, line in lines:
        made += b"\n" * (at - number) + line
        number = at
    return Payload(bytes(made), first, len(lines))


def _framed(
    file: IO[bytes],
    form: struct.Struct,
    rest: Callable[[tuple[int, ...]], int],
    strategy: str,
    most: int,
) -> Iterator[Payload]:
    """Records with a head, of which `rest` says how many bytes follow it."""
    number, made, ends = 1, bytearray(), list[int]()
    limit = 1 if strategy == SINGLE else 2**62
    while head := file.read(form.size):
        if len(head) < form.size:
            raise Damaged(f"record {number + len(ends)} is cut short")
        size = rest(form.unpack(head))
        full = len(made) + form.size + size > most or len(ends) >= limit
        if ends and full:
            yield Payload(bytes(made), number, len(ends), tuple(ends))
            number, made, ends = number + len(ends), bytearray(), []
        if form.size + size > most:
            _skip(file, size)
            yield Payload(b"", number, 1, oversized=True)
            number += 1
            continue
        body = file.read(size)
        if len(body) < size:
            raise Damaged(f"record {number + len(ends)} is cut short")
        made += head + body
        ends.append(len(made))
    if ends:
        yield Payload(bytes(made), number, len(ends), tuple(ends))


def _record_io(head: tuple[int, ...]) -> int:
    magic, flagged = head
    if magic != _MAGIC:
        raise Damaged("it is no RecordIO file: a record does not begin with the magic number")
    length = flagged & _LENGTH
    return length + -length % 4


def _skip(file: IO[bytes], size: int) -> None:
    while size > 0 and (block := file.read(min(size, _SKIPPED))):
        size -= len(block)
