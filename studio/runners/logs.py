"""The log of a run as lines with times. Positions are byte offsets; times come from `log.idx`.

The job itself appends to `log`; the shim notes (time, size) pairs in `log.idx`. A line has the
time of the first note that covers its end, so every reading of it gives the same time.
"""

import bisect
import struct
from pathlib import Path

from studio.runners.base import LogPage

LINE_BYTES = 256 * 1024
"""Longer lines are cut into pieces, as CloudWatch's events are."""

_NOTE = struct.Struct("<QQ")
_READ = 4 * 2**20
_BACK = 2**20
_STEP = 64 * 1024
_ALL = 2**31


def read(folder: Path, start: int, limit: int, end: int | None = None) -> LogPage:
    """Up to `limit` whole lines from byte `start`, and before `end`.

    The last line of an ended run may lack its end; lines that no note covers yet wait for one.
    Invalid UTF-8 is replaced.
    """
    times, sizes = _notes(folder / "log.idx")
    covered = sizes[-1] if sizes else 0
    covered = covered if end is None else min(covered, end)
    if start >= covered or limit <= 0:
        return LogPage((), start, start)
    ended = (folder / "exit.json").exists()
    with (folder / "log").open("rb") as file:
        file.seek(start)
        data = file.read(min(covered - start, max(_READ, 2 * LINE_BYTES)))
    whole = ended and start + len(data) == covered
    events: list[tuple[int, str]] = []
    position = 0
    while position < len(data) and len(events) < limit:
        end, after = _line_end(data, position, whole)
        if after == position:
            break
        at = times[bisect.bisect_left(sizes, start + after)]
        events.append((at, data[position:end].decode("utf-8", "replace")))
        position = after
    return LogPage(tuple(events), start, start + position)


def _line_end(data: bytes, position: int, whole: bool) -> tuple[int, int]:
    """(end of the text, start of the next line); the latter is `position` for half a line."""
    newline = data.find(b"\n", position, position + LINE_BYTES + 1)
    if newline >= 0:
        return newline, newline + 1
    if len(data) - position > LINE_BYTES:
        cut = position + LINE_BYTES
        while cut > position and data[cut] & 0xC0 == 0x80:
            cut -= 1  # not inside a character
        cut = cut if cut > position else position + LINE_BYTES
        return cut, cut
    return (len(data), len(data)) if whole else (position, position)


def _notes(path: Path) -> tuple[list[int], list[int]]:
    """Times that never fall, and the sizes that belong to them."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], []
    times, sizes, latest = [], [], 0
    for at, size in _NOTE.iter_unpack(data[: len(data) // _NOTE.size * _NOTE.size]):
        latest = max(latest, at)
        times.append(latest)
        sizes.append(size)
    return times, sizes


def span(folder: Path) -> tuple[int, int, int]:
    """(time of the first note, time of the last, bytes that notes cover); zeros for no log."""
    times, sizes = _notes(folder / "log.idx")
    return (times[0], times[-1], sizes[-1]) if times else (0, 0, 0)


def position_at(folder: Path, at: int) -> int:
    """The start of the first line whose time is `at` or later."""
    times, sizes = _notes(folder / "log.idx")
    note = bisect.bisect_left(times, at)
    return _line_start(folder / "log", sizes[note - 1]) if note else 0


def read_back(folder: Path, end: int, limit: int) -> LogPage:
    """Up to `limit` lines before position `end`, in order; about a megabyte at the most."""
    _, _, covered = span(folder)
    end = min(end, covered)
    page = read(folder, _line_start(folder / "log", max(0, end - _BACK)), _ALL, end)
    kept = page.events[max(0, len(page.events) - limit) :]
    if len(kept) == len(page.events):
        return page
    skipped = len(page.events) - len(kept)
    head = read(folder, page.start, skipped, end)
    return LogPage(kept, head.end, page.end)


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
