"""Columns as bytes: differences, then each byte of the numbers in a plane of its own.

A plane whose bytes are all the same is one byte, planes of noise stay as they are, the others are
compressed: a random double takes its eight bytes and is read at the speed of memory.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from studio.experiments.series.points import Float64s, Int64s

_SAME, _NOISE, _PRESSED = b"=!z"
_NUMBERS, _PLANES = b"8", b"t"
_FEW = 16
"""Numbers that are not worth the time."""
_TELLING = 1024
"""The entropy of fewer bytes is low whatever they are."""
_NOISE_BITS = 7.4


def pack_integers(column: Int64s) -> bytes:
    """Those that rise evenly take next to nothing."""
    # As unsigned numbers, whose differences wrap around instead of being refused.
    if len(column) <= _FEW:
        return _pack(column.view(np.uint64))
    unsigned = column.view(np.uint64)
    return _pack(unsigned - np.concatenate((np.zeros(1, np.uint64), unsigned[:-1])))


def pack_floats(column: Float64s) -> bytes:
    """Every bit is kept, those of a NaN too."""
    return _pack(column.view(np.uint64))


class Unpacking:
    """Reads packed columns of `count` numbers, one after the other."""

    def __init__(self, data: bytes, count: int) -> None:
        self._data = data
        self._count = count
        self._at = 0

    def integers(self) -> Int64s:
        column = self._column()
        if self._count > _FEW:
            column = np.cumsum(column, dtype=np.uint64)
        return column.view(np.int64)

    def floats(self) -> Float64s:
        return self._column().view(np.float64)

    def skip(self, columns: int) -> None:
        """Go on after so many columns, which nobody wants."""
        for _ in range(columns):
            if self._take(1) == _NUMBERS:
                self._at += 8 * self._count
                continue
            kinds = self._take(8)
            self._at += kinds.count(_SAME) + kinds.count(_NOISE) * self._count
            if _PRESSED in kinds:
                size = int.from_bytes(self._take(4), "little")
                self._at += size

    def _column(self) -> NDArray[np.uint64]:
        if self._take(1) == _NUMBERS:
            return np.frombuffer(self._take(8 * self._count), "<u8").astype(np.uint64, copy=False)
        same, noise, pressed = 0, list[tuple[int, bytes]](), list[int]()
        for number, kind in enumerate(self._take(8)):
            if kind == _SAME:
                same |= self._take(1)[0] << 8 * number
            elif kind == _NOISE:
                noise.append((number, self._take(self._count)))
            else:
                pressed.append(number)
        # Filled at once: of even steps and times most planes are the same.
        column = np.full(self._count, same, "<u8")
        planes = column.view(np.uint8).reshape(-1, 8)
        for number, data in noise:
            planes[:, number] = np.frombuffer(data, np.uint8)
        if pressed:
            size = int.from_bytes(self._take(4), "little")
            raw = np.frombuffer(zlib.decompress(self._take(size)), np.uint8)
            planes[:, pressed] = raw.reshape(-1, self._count).T
        return column.astype(np.uint64, copy=False)

    def _take(self, count: int) -> bytes:
        begin, self._at = self._at, self._at + count
        return self._data[begin : self._at]


def _pack(column: NDArray[np.uint64]) -> bytes:
    numbers = column.astype("<u8", copy=False)
    if len(numbers) <= _FEW:
        return _NUMBERS + numbers.tobytes()
    planes = np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, 8).T)
    same = (planes == planes[:, :1]).all(axis=1)
    kinds = bytes(_SAME if same[number] else _kind(planes[number]) for number in range(8))
    pressed = [number for number in range(8) if kinds[number] == _PRESSED]
    parts = [_PLANES, kinds]
    for number in range(8):
        if kinds[number] != _PRESSED:
            parts.append(planes[number][: 1 if same[number] else None].tobytes())
    if pressed:
        together = zlib.compress(planes[pressed].tobytes(), 1)
        parts += [len(together).to_bytes(4, "little"), together]
    return b"".join(parts)


def _kind(plane: NDArray[np.uint8]) -> int:
    if len(plane) < _TELLING:
        return _PRESSED
    shares = np.bincount(plane, minlength=256) / len(plane)
    shares = shares[shares > 0]
    return _NOISE if -(shares * np.log2(shares)).sum() > _NOISE_BITS else _PRESSED
