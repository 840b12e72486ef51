"""Trial components in Python: `studio.query("metric.auc > .9")`."""

import base64
import sys
import warnings
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from studio.client import aws

_WINDOW = 5_000
_MOST_FIELDS = 1_000
_ALWAYS = ("display_name", "status", "experiment", "trial", "created_at", "duration")
TIMES = ("created_at", "modified_at", "started_at", "ended_at")

Row = dict[str, Any]


def query(
    text: str = "",
    fields: Sequence[str] | None = None,
    *,
    sort: str = "",
    descending: bool = False,
    limit: int | None = None,
    names: Sequence[str] | None = None,
) -> Any:
    """The trial components that a query selects, as the panels select them.

    `fields` are the columns: fields, or expressions of them; the parameters, metrics and tags that
    they have when it is None. `names`: only those of these names, 10,000 at most. `sort`: a field
    or an expression; the newest come first without one. A DataFrame whose index is the name, or a
    list of dicts where there is no pandas: numbers are floats, what is missing is None or NaN,
    times are UTC. Raises ValueError for a query that says nothing, and `aws.Refused` and OSError.
    """
    columns = list(fields) if fields is not None else [*_ALWAYS, *_every_field(text, names)]
    rows: dict[str, Row] = {}
    for window, _ in windows(text, columns, _order(sort, descending), limit, names):
        rows |= window
    found = rows if sort or limit is not None else dict(reversed(rows.items()))
    return _framed(found, columns)


def windows(
    text: str,
    columns: list[str],
    order: list[dict[str, str]],
    limit: int | None,
    names: Sequence[str] | None = None,
) -> Iterator[tuple[dict[str, Row], int]]:
    """Rows by name as they are read, and how many the query selects in all.

    All that there are are read from the oldest on: what comes meanwhile moves none of them.
    """
    whole = limit is None and not order
    sorts = [{"Field": "created_at"}, {"Field": "name"}] if whole else order
    start, end, told = 0, limit, False
    while end is None or start < end:
        request = {
            **_selected(text, names),
            "Fields": columns,
            "SortBy": sorts,
            "Offset": start,
            "Limit": _WINDOW if end is None else min(_WINDOW, end - start),
        }
        answer = _asked("QueryTrialComponents", request)
        if not told:
            for each in answer["Warnings"]:
                warnings.warn(each["Message"], stacklevel=4)
            told = True
        yield _rows(answer), answer["Matched"]
        start += len(answer["Names"])
        if not answer["Names"] or start >= answer["Matched"]:
            return


def _order(sort: str, descending: bool) -> list[dict[str, str]]:
    order = "Descending" if descending else "Ascending"
    return [{"Field": sort, "Order": order}] if sort else []


def _selected(text: str, names: Sequence[str] | None) -> dict[str, Any]:
    return {"Query": text} if names is None else {"Query": text, "Names": list(names)}


def _asked(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return aws.call("studio", operation, request)
    except aws.Refused as error:
        if error.code.endswith("ValidationException"):
            raise ValueError(str(error).partition(": ")[2]) from error
        raise


def _every_field(text: str, names: Sequence[str] | None) -> list[str]:
    request = {"Kinds": ["parameter", "metric", "tag"], "Limit": _MOST_FIELDS}
    answer = _asked("ListTrialComponentFields", request | _selected(text, names))
    if answer["Total"] > _MOST_FIELDS:
        text = f"{_MOST_FIELDS} of {answer['Total']} fields are shown: name those you want."
        warnings.warn(text, stacklevel=3)
    return [each["Field"] for each in answer["Fields"]]


def _rows(answer: dict[str, Any]) -> dict[str, Row]:
    rows: dict[str, Row] = {name: {} for name in answer["Names"]}
    for column in answer["Columns"]:
        cells = _cells(column, len(rows))
        for row, cell in zip(rows.values(), cells, strict=True):
            row[column["Field"]] = cell
    return rows


def _cells(column: dict[str, Any], count: int) -> list[Any]:
    cells: list[Any] = [None] * count
    if "Numbers" in column:
        numbers = _unpacked("d", column["Numbers"])
        cells = [None if each != each else each for each in numbers]
    if "Codes" in column:
        for place, code in enumerate(_unpacked("i", column["Codes"])):
            if code >= 0:
                cells[place] = column["Texts"][code]
    return cells


def _unpacked(kind: str, data: str) -> "array[Any]":
    found = array(kind, base64.b64decode(data))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def _framed(rows: dict[str, Row], columns: list[str]) -> Any:
    try:
        import pandas
    except ImportError:
        return [{"name": name, **row} for name, row in rows.items()]
    frame = pandas.DataFrame.from_dict(rows, orient="index", columns=columns)
    frame.index.name = "name"
    for column in dict.fromkeys(columns):
        if column in TIMES or column.endswith(".time"):
            frame[column] = pandas.to_datetime(frame[column], unit="s", utc=True)
    return frame
