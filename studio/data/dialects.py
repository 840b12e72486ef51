"""How a CSV is written: its delimiter, whether it has a header, what its columns are called."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from studio.data.errors import DataError
from studio.data.protocol.data import Source

# What pandas reads as missing.
MISSING = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]
_DELIMITERS = ",\t;|"
_LOOK = 100  # records
_YEARS = range(1900, 2101)


@dataclass(frozen=True)
class Dialect:
    """`names` are unique; `notes` say what was changed to make them so."""

    delimiter: str
    header: bool
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def guessed(head: str, source: Source) -> Dialect:
    """From the first text of a file; what the source says is taken as it is."""
    delimiter = source.delimiter or _delimiter(head)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise DataError("BadRequest", "A delimiter is one character, and no quote.")
    records = _records(head, delimiter)
    if not records:
        raise DataError("Unreadable", "The file is empty.")
    header = _has_header(records) if source.header is None else source.header
    body = records[1:] if header else records
    width = Counter(len(it) for it in body).most_common(1)[0][0] if body else len(records[0])
    names = _fitted(records[0], body, width) if header else [f"column_{it}" for it in range(width)]
    unique = _unique(names)
    changed = [
        f"{old or '(no name)'} is called {new}"
        for old, new in zip(names, unique, strict=True)
        if old != new
    ]
    notes = (f"Columns renamed: {', '.join(changed[:5])}.",) if changed else ()
    return Dialect(delimiter, header, tuple(unique), notes)


def header_bytes(head: bytes, delimiter: str) -> int:
    """How many bytes the first record takes, its line end included."""
    lines = io.StringIO(head.decode(errors="surrogateescape"), newline="")
    used = 0

    def counted() -> Iterator[str]:
        nonlocal used
        for line in lines:
            used += len(line.encode(errors="surrogateescape"))
            yield line

    for record in csv.reader(counted(), delimiter=delimiter):
        if record:
            break
    return used


def _records(text: str, delimiter: str) -> list[list[str]]:
    """The first records; empty lines are none."""
    csv.field_size_limit(1 << 26)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        found = [it for it in itertools.islice(reader, _LOOK) if it]
    except csv.Error as error:
        raise DataError("Unreadable", f"The file is no CSV: {error}.") from None
    return found


def _delimiter(text: str) -> str:
    """The one that cuts most lines into the same number of cells, two or more."""

    def fit(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(it) for it in _records(text, delimiter))
        if not widths:
            return 0.0, 0
        width, count = widths.most_common(1)[0]
        return (count / widths.total() if width > 1 else 0.0), width

    return max(_DELIMITERS, key=fit) if any(fit(it)[0] for it in _DELIMITERS) else ","


def _has_header(records: list[list[str]]) -> bool:
    first, rest = records[0], records[1:]
    numbers = [it for it in first if _is_number(it)]
    if numbers:
        if numbers == [str(it) for it in range(len(numbers))] and len(numbers) > 1:
            return True  # the names that pandas gives to columns without one
        years = all(it.isdigit() and int(it) in _YEARS for it in numbers)
        return years and len(set(numbers)) == len(numbers) < len(first)
    columns = [[cell for cell in column if cell] for column in zip(*rest, strict=False)]
    if any(column and all(map(_is_number, column)) for column in columns):
        return True
    if len(set(first)) < len(first) - 1 or not any(first):
        return False
    cells = zip(first, columns, strict=False)
    return not any(cell in column for cell, column in cells if cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _fitted(names: list[str], body: list[list[str]], width: int) -> list[str]:
    """R names one column less than it writes, the first; others end each line with a delimiter."""
    lacking = [""] * (width - len(names))
    if len(lacking) == 1 and any(it[-1] for it in body if len(it) == width):
        return lacking + names
    return names + lacking


def _unique(names: list[str]) -> list[str]:
    """As pandas does it: `Unnamed: 0` for none, `a.1` for a second `a`."""
    taken: set[str] = set()
    found = []
    for place, name in enumerate(names):
        name = new = name or f"Unnamed: {place}"
        number = 0
        while new in taken or (number and new in names):
            number += 1
            new = f"{name}.{number}"
        taken.add(new)
        found.append(new)
    return found
