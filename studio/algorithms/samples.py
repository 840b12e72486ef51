"""The first rows of training data as inference requests: without the label, in each content type.

Light to import; NumPy loads when RecordIO has to be read.
"""

import csv
import io
import json
import math

from studio.algorithms.base import UserError
from studio.algorithms.inputs import CSV, LIBSVM, RECORDIO, Accepted, negotiate

_WIDEST = 100_000

Rows = list[list[str]]
"""Features as the text of their numbers."""


def bodies(rows: Rows, requests: tuple[str, ...]) -> list[tuple[str, str]]:
    """(content type, body) of the same rows, for those of `requests` that people can read."""
    made = [("text/csv", "\n".join(",".join(row) for row in rows))]
    if "application/json" in requests and (numbers := _numbers(rows)) is not None:
        made.append(("application/json", _instances(numbers)))
    return [(kind, body) for kind, body in made if kind in requests]


def first_rows(data: bytes, content_type: str, accepted: Accepted, count: int, skip: int) -> Rows:
    """Up to `count` rows of the beginning of a channel's file, without the label and the `skip`
    columns behind it. Raises UserError for what is no table of features."""
    kind, labels = negotiate(content_type, accepted)
    if kind == CSV:
        rows = _csv_rows(data, accepted.delimiters, count)
        return [row[labels + skip :] for row in rows]
    if kind == RECORDIO:
        return _recordio_rows(data, count)
    raise UserError(f"Rows of {kind} are not shown as a sample.")


def is_libsvm(content_type: str, accepted: Accepted) -> bool:
    """Whether a channel holds libsvm, whose lines are requests as they are but for the label."""
    return negotiate(content_type, accepted)[0] == LIBSVM


def libsvm_lines(data: bytes, count: int) -> str:
    """Up to `count` lines without their labels."""
    lines = [line.split()[1:] for line in _lines(data, count)]
    return "\n".join(" ".join(it for it in line if not it.startswith("qid:")) for line in lines)


def zeros(width: int) -> Rows:
    """A row of the right width where no other is known."""
    return [["0"] * width] if 0 < width <= _WIDEST else []


def _lines(data: bytes, count: int) -> list[str]:
    """Whole lines that are not empty; the last one may be cut off, unless it is the only one."""
    text = data.decode("utf-8-sig", "replace")
    lines = text.splitlines()
    whole = lines if text.endswith("\n") or len(lines) == 1 else lines[:-1]
    return [line for line in whole if line.strip()][:count]


def _csv_rows(data: bytes, delimiters: str, count: int) -> Rows:
    lines = _lines(data, count)
    if not lines:
        return []
    delimiter = max(delimiters, key=lines[0].count)
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    except csv.Error as error:
        raise UserError(f"The rows cannot be read as CSV: {error}.") from error
    return [[cell.strip() for cell in row] for row in rows]


def _recordio_rows(data: bytes, count: int) -> Rows:
    from studio.algorithms import recordio

    whole = recordio.whole(data)
    if not whole:
        raise UserError("Its first record is too long to be shown as a sample.")
    features = recordio.read(data[:whole]).features[:count]
    if features.shape[1] > _WIDEST:
        raise UserError(f"Its rows have {features.shape[1]:,} columns.")
    dense = features if not hasattr(features, "toarray") else features.toarray()
    return [[str(value) for value in row] for row in dense]


def _numbers(rows: Rows) -> list[list[float]] | None:
    """The rows as JSON can hold them; None when a cell is missing or no finite number."""
    try:
        numbers = [[_number(cell) for cell in row] for row in rows]
    except ValueError:
        return None
    return numbers if all(math.isfinite(it) for row in numbers for it in row) else None


def _number(cell: str) -> float:
    return int(cell) if cell.isdecimal() else float(cell)


def _instances(rows: list[list[float]]) -> str:
    """A row a line: people read and edit it."""
    lines = ",\n".join(f"  {json.dumps({'features': row})}" for row in rows)
    return f'{{"instances": [\n{lines}\n]}}'
