"""One page of a search: in an order of the database's, or sorted by any property.

Rows pass by one at a time: memory does not grow with what is stored. A page in an order of the
database's reads no more than SCANNED rows; where that is not enough for a full page, the token
leads on from there.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection

from studio.api.search import comparisons
from studio.api.search.comparisons import Test
from studio.api.search.entities import Documents
from studio.api.search.properties import Property
from studio.db import query
from studio.db.resources import Doc, Resource

SCANNED = 10_000

_BATCH = 200
_ORDER_OF_VALUES = (int, float, str, str)


@dataclass(frozen=True)
class Question:
    """What is searched: `wanted` narrows the rows, `test` decides by what `looked_at` tells of
    each, `documents` is what is shown of those found. `order`: Ascending or not."""

    scope: Mapping[str, str]
    wanted: Sequence[ColumnElement[bool]]
    test: Test
    looked_at: Documents
    documents: Documents
    order: str
    limit: int
    token: str | None
    mark: int


@dataclass(frozen=True)
class Found:
    """A page; `total` counts the matches up to its end, `exact` says that there are no more."""

    documents: list[Doc]
    next_token: str | None
    total: int
    exact: bool


def by_column(connection: Connection, question: Question, sort: str) -> Found:
    """`sort`: one that `query.scan` has."""
    after, before = None, 0
    if question.token:
        *after, before = query.opened(question.token, question.mark, (*query.kinds(sort), int))
    found: list[Resource] = []
    scanned, last = 0, None
    for row, document in _rows(connection, question, sort, after, SCANNED + 1):
        matches = question.test(document)
        if scanned == SCANNED or (matches and len(found) == question.limit):
            total = before + len(found)
            assert last is not None
            token = query.sealed([*query.position(last, sort), total], question.mark)
            return Found(question.documents(found), token, total + matches, False)
        found += [row] if matches else []
        scanned, last = scanned + 1, row
    return Found(question.documents(found), None, before + len(found), True)


def by_property(connection: Connection, question: Question, sort: Property) -> Found:
    """Every match is looked at for each page, and those of one page are kept."""
    descending = question.order == "Descending"
    after: tuple[Any, ...] | None = None
    if question.token:
        after = tuple(query.opened(question.token, question.mark, _ORDER_OF_VALUES))
    total = 0

    def ranked() -> Iterator[tuple[tuple[Any, ...], Resource]]:
        nonlocal total
        for row, document in _rows(connection, question, "CreationTime", None, None):
            if question.test(document):
                total += 1
                place = (*_rank(sort, document, descending), row.id)
                if after is None or (place < after if descending else place > after):
                    yield place, row

    best = heapq.nlargest if descending else heapq.nsmallest
    page = best(question.limit + 1, ranked(), key=lambda it: it[0])
    documents = question.documents([row for _, row in page[: question.limit]])
    if len(page) <= question.limit:
        return Found(documents, None, total, True)
    last = page[question.limit - 1][0]
    return Found(documents, query.sealed(last, question.mark), total, True)


def _rows(
    connection: Connection,
    question: Question,
    sort: str,
    after: Sequence[Any] | None,
    limit: int | None,
) -> Iterator[tuple[Resource, Doc]]:
    """Rows with what is looked at of them, which is found for many at once."""
    by = (sort, question.order)
    rows = query.scan(connection, question.scope, question.wanted, by, after, limit)
    while batch := list(islice(rows, _BATCH)):
        yield from zip(batch, question.looked_at(batch), strict=True)


def _rank(sort: Property, document: Doc, descending: bool) -> tuple[int, float, str]:
    """Numbers before text; what is missing comes last in either order."""
    value = next(sort.values(document), None)
    if value is None or value != value:  # NaN is no value either
        return (-1 if descending else 2, 0.0, "")
    number = comparisons.number(value) if sort.type == "free" else value
    if isinstance(number, int | float):
        return (0, float(number), "")
    return (1, 0.0, str(value))
