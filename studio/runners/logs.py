"""The log of a run as lines with times. Positions are byte offsets; times come from `log.idx`.

The job itself appends to `log`; the shim notes (time, size) pairs in `log.idx`. A line has the
time of the first note that covers its end, so every reading of it gives the same time.
"""

import bisect
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.runners.base import LogPage
from studio.runners.shim.notes import NOTE, last

LINE_BYTES = 256 * 1024
"""Longer lines are cut into pieces, as CloudWatch's events are."""

_READ = 4 * 2**20
_BACK = 2**20
_STEP = 64 * 1024
_USUAL_LINE = 128
_ALL = 2**31


def read(folder: Path, start: int, limit: int, end: int | None = None) -> LogPage:
    """Up to `limit` whole lines from byte `start`, and before `end`.

    The last line of an ended run may lack its end; lines that no note covers yet wait for one.
    Invalid UTF-8 is replaced.
    """
    # In this order: what an ended run wrote is covered by the notes that are read after it.
    ended = (folder / "exit.json").exists()
    with _notes(folder / "log.idx") as notes:
        covered = notes[-1][1] if notes else 0
        covered = covered if end is None else min(covered, end)
        if start >= covered or limit <= 0:
            return LogPage((), start, start)
        with (folder / "log").open("rb") as file:
            file.seek(start)
            data = file.read(min(covered - start, max(_READ, 2 * LINE_BYTES)))
        whole = ended and start + len(data) == covered
        events, after = _events(data, start, limit, whole, notes)
    return LogPage(tuple(events), start, after)


def _events(
    data: bytes, start: int, limit: int, whole: bool, notes: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, str]], int]:
    """The lines in `data`, which begins at byte `start`, and the byte behind the last."""
    events: list[tuple[int, str]] = []
    position = 0
    number = bisect.bisect_right(notes, start, key=_size)
    at, size = notes[number] if number < len(notes) else (0, 0)
    while position < len(data) and len(events) < limit:
        stop, after = _line_end(data, position, whole)
        if after == position:
            break
        while size < start + after:
            number += 1
            at, size = notes[number]
        events.append((at, data[position:stop].decode("utf-8", "replace")))
        position = after
    return events, start + position


def _line_end(data: bytes, position: int, whole: bool) -> tuple[int, int]:
    """(end of the text, start of the next line); the latter is `position` for half a line."""
    newline = data.find(b"\n", position, position + LINE_BYTES + 1)
    if newline >= 0:
        return newline, newline + 1
    if len(data) - position > LINE_BYTES:
        cut = position + LINE_BYTES
        for fewer in range(4):  # not inside a character
            if data[cut - fewer] & 0xC0 != 0x80:
                cut -= fewer
                break
        return cut, cut
    return (len(data), len(data)) if whole else (position, position)


def span(folder: Path) -> tuple[int, int, int]:
    """(time of the first note, time of the last, bytes that notes cover); zeros for no log."""
    with _notes(folder / "log.idx") as notes:
        return (notes[0][0], *notes[-1]) if notes else (0, 0, 0)


def times(folder: Path, ends: list[int]) -> list[int]:
    """When the lines were there that end before these bytes, which rise; what no note covers yet
    has the time of the last."""
    with _notes(folder / "log.idx") as notes:
        number = bisect.bisect_left(notes, ends[0], key=_size) if ends else 0
        found: list[int] = []
        for end in ends:
            while number < len(notes) and notes[number][1] < end:
                number += 1
            found.append(notes[min(number, len(notes) - 1)][0] if notes else 0)
    return found


def position_at(folder: Path, at: int) -> int:
    """The start of the first line whose time is `at` or later."""
    with _notes(folder / "log.idx") as notes:
        number = bisect.bisect_left(notes, at, key=_time)
        size = notes[number - 1][1] if number else 0
    return _line_start(folder / "log", size)


def read_back(folder: Path, end: int, limit: int) -> LogPage:
    """Up to `limit` lines before position `end`, in order; about a megabyte at the most."""
    end = min(end, last(folder / "log.idx")[1])
    page = _before(folder, end, limit)
    kept = page.events[max(0, len(page.events) - limit) :]
    if len(kept) == len(page.events):
        return page
    skipped = len(page.events) - len(kept)
    head = read(folder, page.start, skipped, end)
    return LogPage(kept, head.end, page.end)


def _before(folder: Path, end: int, limit: int) -> LogPage:
    """At least `limit` lines before `end`, if a megabyte has as many: who follows wants few."""
    back = min(limit * _USUAL_LINE, _BACK)
    while True:
        start = _line_start(folder / "log", max(0, end - back))
        page = read(folder, start, _ALL, end)
        if len(page.events) >= limit or start == 0 or back >= _BACK:
            return page
        back = min(back * 8, _BACK)


def _line_start(path: Path, position: int) -> int:
    """The start of the line that holds byte `position`, or begins there."""
    if position == 0:
        return 0
    with path.open("rb") as file:
        while position > 0:
            step = min(position, _STEP)
            file.seek(position - step)
            newline = file.read(step).rfind(b"\n")
            if newline >= 0:
                return position - step + newline + 1
            position -= step
    return 0


class _Notes(Sequence[tuple[int, int]]):
    """The (time, size) pairs of an open index, read as they are asked for: runs last for weeks."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._count = os.fstat(fd).st_size // NOTE.size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: Any) -> Any:
        if number < 0:
            number += self._count
        if not 0 <= number < self._count:
            raise IndexError(number)
        return NOTE.unpack(os.pread(self._fd, NOTE.size, number * NOTE.size))


@contextmanager
def _notes(path: Path) -> Iterator[Sequence[tuple[int, int]]]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield ()
        return
    with file:
        yield _Notes(file.fileno())


def _time(note: tuple[int, int]) -> int:
    return note[0]


def _size(note: tuple[int, int]) -> int:
    return note[1]
