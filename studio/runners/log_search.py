"""What is looked for in the log of a run: its first error, its last traceback, a text, a pattern.

Logs have millions of lines, so texts are looked for in whole blocks; a line is looked at by itself
only where a block has something. A pattern runs under a time limit, and every search stops after
about a second and says how far it came.
"""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import regex

from studio import expressions
from studio.runners import log_lines
from studio.runners.shim import tracebacks

_CHUNK = 2**20
_SECONDS = 1.0
_LINE_SECONDS = 0.05
_TRACEBACK = b"Traceback (most recent call last)"
_TRACEBACK_LINES = 300
_SEARCHED_BACK = 16 * 2**20
_LAUNCHED = 8
"""Launchers of one host that each may tell that another failed."""

Places = Callable[[bytes], Iterator[int]]
"""The numbers of the lines of a block, from 0, in which something is found."""

# Each line of _ERROR has one of these, of which the rarer letters are quick to look for.
_SIGNS = (
    _TRACEBACK,
    b"Error:",
    b"ERROR",
    b"Exception:",
    b"FATAL",
    b"CRITICAL",
    b"ut of memory",
    b"Killed",
    b"Segmentation fault",
    b"terminate called",
)
# Not `Mean Absolute Error: 0.3`, nor `train-error:0.3`.
_ERROR = re.compile(
    rb"""Traceback\ \(most\ recent\ call\ last\)
    | \b(?:\w*[a-z]|[A-Z]{2,})(?:Error|Exception):
    | ^\W*(?:Error|Exception):
    | \b(?:ERROR|FATAL|CRITICAL)\b
    | \b[Oo]ut\ of\ memory\b
    | (?:^|[\s:])Killed\s*$
    | \bSegmentation\ fault\b
    | \bterminate\ called\b""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Found:
    """What came of a search."""

    lines: tuple[int, ...]
    """Numbers of the first lines that were found."""
    total: int
    """How many were found."""
    searched: int
    """The line that the search came to: with all of the log, the number of its lines."""


@dataclass(frozen=True)
class Excerpt:
    """Some lines, the first of which has the number `line`."""

    line: int
    text: str


def first_error(folder: Path) -> int | None:
    """The number of the first line that tells of an error, None when none does."""
    position = _errors(folder).first()
    return None if position is None else log_lines.of(folder).number(position)


def last_traceback(folder: Path) -> Excerpt | None:
    """The last traceback among the last megabytes, down to its exception; that of a launcher only
    where its processes left none."""
    index = log_lines.of(folder)
    last = None
    for position in itertools.islice(_headers(index), _LAUNCHED):
        found = _traceback(index, index.number(position))
        if not found.text.rpartition("\n")[2].startswith(tracebacks.LAUNCHERS):
            return found
        last = last or found
    return last


def plain(query: str, case_sensitive: bool) -> Places:
    """The lines that hold a text. Only ASCII's letters have a case that may be left out."""
    wanted = query.encode("utf-8", "replace")

    def places(block: bytes) -> Iterator[int]:
        block, text = (block, wanted) if case_sensitive else (block.lower(), wanted.lower())
        line = counted = 0
        at = block.find(text)
        while at >= 0:
            line += block.count(b"\n", counted, at)
            yield line
            counted = at
            end = block.find(b"\n", at)
            at = block.find(text, end) if end >= 0 else -1

    return places


def pattern(expression: str, case_sensitive: bool) -> Places:
    """The lines that a regular expression is found in.

    Raises ValueError as `expressions.compiled`; looking for places, TimeoutError.
    """
    compiled = expressions.compiled(expression, 0 if case_sensitive else regex.IGNORECASE)

    def places(block: bytes) -> Iterator[int]:
        lines = block.removesuffix(b"\n").decode("utf-8", "replace").split("\n")
        for number, line in enumerate(lines):
            if compiled.search(line.rstrip("\r"), timeout=_LINE_SECONDS):
                yield number

    return places


def search(folder: Path, places: Places, start: int, limit: int) -> Found:
    """The lines from the number `start` on that `places` finds; up to `limit` of their numbers."""
    index = log_lines.of(folder)
    deadline = time.monotonic() + _SECONDS
    found: list[int] = []
    total, line = 0, start
    for _, chunk in _chunks(index, index.position(start)):
        for number in places(chunk):
            total += 1
            if len(found) < limit:
                found.append(line + number)
        line += chunk.count(b"\n") + (not chunk.endswith(b"\n"))
        if time.monotonic() > deadline:
            break
    return Found(tuple(found), total, line)


class _Errors:
    """Where the first error of a log is: as the log grows, the search goes on where it stopped."""

    def __init__(self, folder: Path) -> None:
        self._index = log_lines.of(folder)
        self._clean = 0
        self._found: int | None = None

    def first(self) -> int | None:
        """The byte with which it begins."""
        if self._found is None:
            for position, chunk in _chunks(self._index, self._clean):
                at = _first_error(chunk)
                if at is not None:
                    self._found = position + at
                    break
                # A last line without its end may become an error yet.
                self._clean = position + chunk.rfind(b"\n") + 1
        return self._found


_errors = lru_cache(maxsize=256)(_Errors)


def _first_error(chunk: bytes) -> int | None:
    """The byte of a chunk of lines at which the first error begins."""
    first = len(chunk)
    for sign in _SIGNS:
        at = chunk.find(sign, 0, first)
        while at >= 0:
            start, end = chunk.rfind(b"\n", 0, at) + 1, chunk.find(b"\n", at)
            end = len(chunk) if end < 0 else end
            if _ERROR.search(chunk[start:end]):
                first = start
            at = chunk.find(sign, end, first)
    return first if first < len(chunk) else None


def _headers(index: log_lines.LogLines) -> Iterator[int]:
    """Where tracebacks begin among the last megabytes, the last first."""
    end = index.measure()[1]
    for position in range(end - _CHUNK, end - _SEARCHED_BACK, -_CHUNK):
        begin = max(position, 0)
        chunk = index.read(begin, position + _CHUNK + len(_TRACEBACK) - 1)
        at = chunk.rfind(_TRACEBACK)
        while at >= 0:
            yield begin + at
            at = chunk.rfind(_TRACEBACK, 0, at)
        if position <= 0:
            return


def _traceback(index: log_lines.LogLines, line: int) -> Excerpt:
    """The lines from the header down to the first that is not indented; what stands before the
    header, `[rank0]: `, stands before all of them."""
    texts = [each.text for each in index.window(line, _TRACEBACK_LINES)]
    prefix = texts[0].partition(_TRACEBACK.decode())[0]
    kept = [texts[0].removeprefix(prefix)]
    for text in texts[1:]:
        text = text.removeprefix(prefix)
        kept.append(text)
        if text.strip() and not text[0].isspace():
            break
    return Excerpt(line, "\n".join(kept))


def _chunks(index: log_lines.LogLines, start: int) -> Iterator[tuple[int, bytes]]:
    """(position, some whole lines) from the byte `start` on; longer lines come in parts."""
    end = index.measure()[1]
    while start < end:
        chunk = index.read(start, min(start + _CHUNK, end))
        if start + len(chunk) < end:
            chunk = chunk[: chunk.rfind(b"\n") + 1] or chunk
        if not chunk:
            return
        yield start, chunk
        start += len(chunk)
