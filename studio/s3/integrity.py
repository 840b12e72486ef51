"""Bit rot: the sums of a blob's blocks, and a reader that hands out nothing that does not match.

A block is 1 MiB, or what is left of the part that it belongs to; its sum is a CRC32. That is what
the disk is trusted with, no defence against people: who can write to the folder can write to the
index as well.
"""

import bisect
import errno
import os
import stat
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import NoReturn, Protocol

from studio.s3 import checksums
from studio.s3.errors import S3Error
from studio.s3.index import BlobFacts

BLOCK = 1 << 20

_SUM_BYTES = 4


class DamagedContent(S3Error):
    """The content of a blob is not what was stored; `what` is for the log, not for the client."""

    def __init__(self, what: str) -> None:
        super().__init__("InternalError", "The content of this object is damaged.")
        self.what = what


class Readable(Protocol):
    """As much of a file as answers need."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> object: ...
    def close(self) -> None: ...
    def __enter__(self) -> object: ...
    def __exit__(self, *error: object) -> None: ...


class Summer:
    """The sums of the blocks of what is fed to it."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._sum = 0
        self._size = 0

    def update(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            piece = view[: BLOCK - self._size]
            self._sum = checksums.crc32(piece, self._sum)
            self._size += len(piece)
            view = view[len(piece) :]
            if self._size == BLOCK:
                self._end_block()

    def sums(self) -> bytes:
        """Of everything so far; ends the last block."""
        if self._size:
            self._end_block()
        return bytes(self._done)

    def _end_block(self) -> None:
        self._done += self._sum.to_bytes(_SUM_BYTES, "big")
        self._sum = self._size = 0


class Reader:
    """An open blob of `size` bytes. Used by one thread at a time.

    Of blobs of which nothing is known only the length is checked. `report` hears of damage before
    DamagedContent is raised.
    """

    def __init__(
        self, path: Path, size: int, facts: BlobFacts, report: Callable[[str], None]
    ) -> None:
        self._size = size
        self._facts = facts
        self._report = report
        try:
            self._file = open(path, "rb", buffering=0, opener=no_link)  # noqa: SIM115
        except OSError as error:
            if error.errno == errno.ELOOP:
                self._fail("a link is where its file was")
            raise
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            self._fail("something else is where its file was")
        self._offset = 0
        self._segments = list(_segments(facts, size))
        self._block = (0, b"")  # the last that was read: where it starts, and its content

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def seek(self, offset: int, /) -> None:
        self._offset = offset

    def read(self, size: int = -1, /) -> bytes:
        """`size` bytes, fewer only at the end; all that is left when that is negative."""
        end = self._size if size < 0 else min(self._size, self._offset + size)
        pieces = []
        while self._offset < end:
            pieces.append(self._piece(end))
            self._offset += len(pieces[-1])
        return b"".join(pieces)

    def verify(self, start: int, size: int) -> None:
        """Raise DamagedContent if any byte of that range is not what was stored."""
        kept, self._offset = self._offset, start
        while self._offset < start + size:
            self._offset += len(self._piece(start + size))
        self._offset = kept

    def _piece(self, end: int) -> bytes:
        """From the offset to the end of its block, or to `end`."""
        start, data = self._block
        if not start <= self._offset < start + len(data):
            start, data = self._block = self._read_block()
        return data[self._offset - start : end - start]

    def _read_block(self) -> tuple[int, bytes]:
        index = bisect.bisect_right(self._segments, self._offset, key=itemgetter(0)) - 1
        first_byte, first_block, size = self._segments[index]
        number = (self._offset - first_byte) // BLOCK
        start = first_byte + number * BLOCK
        length = min(BLOCK, first_byte + size - start)
        self._file.seek(start)
        data = self._file.read(length)
        if len(data) != length:
            self._fail(f"it ends after {start + len(data)} of {self._size} bytes")
        place = (first_block + number) * _SUM_BYTES
        expected = self._facts.sums[place : place + _SUM_BYTES]
        if self._facts.sums and checksums.crc32(data).to_bytes(_SUM_BYTES, "big") != expected:
            self._fail(f"bytes {start} to {start + length - 1} have changed")
        return start, data

    def _fail(self, what: str) -> NoReturn:
        self._report(what)
        raise DamagedContent(what)


def no_link(path: str, flags: int) -> int:
    """Opened unless it is a link: what somebody made of a blob may lead anywhere, or be a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _segments(facts: BlobFacts, size: int) -> Iterator[tuple[int, int, int]]:
    """Start in bytes, number of the first block, and size of each part."""
    start = block = 0
    for length in [part.size for part in facts.parts] or [size]:
        yield start, block, length
        start += length
        block += -(-length // BLOCK)
