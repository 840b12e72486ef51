"""Pages of resources: filters, order, and tokens that survive inserts.

A token names the last row by its sort value and id (keyset paging), so what is created or deleted
between two pages neither repeats nor hides a row. It also carries a checksum of the request: a
token used with another one is refused.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    tuple_,
)

from studio.db import resources
from studio.db.resources import Doc, Resource, Summary
from studio.db.tables import RESOURCE
from studio.errors import ValidationException

# Each order is that of an index, so that a page costs what is on it.
_SORT = {
    "CreationTime": (RESOURCE.c.created_at, RESOURCE.c.id),
    "LastModifiedTime": (RESOURCE.c.modified_at, RESOURCE.c.id),
    "Name": (RESOURCE.c.name, RESOURCE.c.id),
    "Status": (RESOURCE.c.status, RESOURCE.c.created_at, RESOURCE.c.id),
}
_FILTERS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "CreationTimeAfter": lambda value: RESOURCE.c.created_at >= value,
    "CreatedAfter": lambda value: RESOURCE.c.created_at >= value,
    "CreatedBefore": lambda value: RESOURCE.c.created_at <= value,
    "CreationTimeBefore": lambda value: RESOURCE.c.created_at <= value,
    "LastModifiedTimeAfter": lambda value: RESOURCE.c.modified_at >= value,
    "LastModifiedTimeBefore": lambda value: RESOURCE.c.modified_at <= value,
    "StatusEquals": lambda value: RESOURCE.c.status == value,
    "NameContains": lambda value: _contains(func.lower(RESOURCE.c.name), value.lower()),
}
_CHUNK = 200
_ROWS = "rows"  # the parameter that limits a page
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """Some rows, and the token of the page behind them if there is one."""

    rows: list[Summary]
    next_token: str | None


def list_resources(
    connection: Connection,
    scope: Mapping[str, str],
    request: Doc,
    default_order: str = "Descending",
    narrowed: Mapping[str, ColumnElement[bool]] = {},
) -> Page:
    """One page for a List request of SageMaker.

    `scope` fixes columns: account, region and kind; `request` holds SortBy, SortOrder, MaxResults
    (10 when absent), NextToken and the filters that 51 List operations share; `narrowed` has the
    conditions of the operation's own filters, each under a text that says what it asks for.
    Raises ValidationException for a token that belongs to another request.
    """
    sort = request.get("SortBy", "CreationTime")
    order = request.get("SortOrder", default_order)
    limit = request.get("MaxResults", 10)
    filters = {name: request[name] for name in _FILTERS if name in request}
    mark = checksum([sorted(scope.items()), filters, sort, order, *narrowed])
    token = request.get("NextToken")
    after = opened(token, mark, kinds(sort)) if token else None
    wanted = [make(filters[name]) for name, make in _FILTERS.items() if name in filters]
    query = _summaries(tuple(scope), sort, order)
    wanted += narrowed.values()
    query = query.where(*wanted) if wanted else query
    query = query.where(_after(after, sort, order)) if after is not None else query
    found = connection.execute(query, {**scope, _ROWS: limit + 1}).all()
    rows = resources.summarized(found)
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], sealed(position(rows[limit - 1], sort), mark))


def scan(
    connection: Connection,
    scope: Mapping[str, str],
    wanted: Sequence[ColumnElement[bool]],
    by: tuple[str, str],
    after: Sequence[Any] | None,
    limit: int | None,
) -> Iterator[Resource]:
    """The live resources of `scope` that are `wanted`, a few in memory at a time.

    `by` is (a key of the sortable columns, order); `after` the position of the row before.
    """
    query = _selected(resources.RESOURCES, scope, wanted, by, after).limit(limit)
    # Closed also when nobody wants the rest: PostgreSQL keeps it ready on its side.
    with connection.execute(query, execution_options={"yield_per": _CHUNK}) as found:
        for row in found:
            yield resources.resource(row)


def kinds(sort: str) -> tuple[type, ...]:
    """The types of a position in this order."""
    return tuple(column.type.python_type for column in _SORT[sort])


def sortable(name: str) -> bool:
    """Whether `scan` can sort by this."""
    return name in _SORT


def position(row: Resource | Summary, sort: str) -> list[Any]:
    """Where `row` stands in the order, for a token."""
    return [getattr(row, column.name) for column in _SORT[sort]]


def comparison(column: str, operator: str, value: Any) -> ColumnElement[bool] | None:
    """A condition that no matching row fails; None where SQL has none for the operator."""
    it = RESOURCE.c[column]
    conditions: dict[str, Callable[[], ColumnElement[bool]]] = {
        "Equals": lambda: it == value,
        "NotEquals": lambda: it != value,
        "GreaterThan": lambda: it > value,
        "GreaterThanOrEqualTo": lambda: it >= value,
        "LessThan": lambda: it < value,
        "LessThanOrEqualTo": lambda: it <= value,
        "Contains": lambda: _contains(it, value),
    }
    return conditions[operator]() if operator in conditions else None


def tagged(key: str) -> ColumnElement[bool]:
    """A condition that every resource with that tag satisfies, and few others do."""
    return _contains(cast(RESOURCE.c.tags, Text), json.dumps(key))


def sealed(position: Sequence[Any], mark: int) -> str:
    """A token for what comes after `position` in the answer to the request with `mark`."""
    document = json.dumps([*position, mark], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode()


def opened(token: str, mark: int, kinds: tuple[type, ...]) -> list[Any]:
    """The position in a token: a value of each of `kinds` (str, int or float).

    Raises ValidationException for a token of another request, and for one that nobody issued.
    """
    position: list[Any]
    try:
        *position, given = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        position, given = [], None
    if given != mark or list(map(type, position)) != list(kinds) or not _storable(position):
        raise ValidationException("The specified NextToken is not valid for this request.")
    return position


def checksum(request: Any) -> int:
    """Marks the tokens of a request."""
    return zlib.crc32(json.dumps(request, sort_keys=True).encode())


def _storable(position: Sequence[Any]) -> bool:
    """Whether the database can compare with these values: clients may write tokens themselves."""
    try:
        "".join(each for each in position if isinstance(each, str)).encode()
    except UnicodeEncodeError:
        return False
    return all(-_LARGEST <= each <= _LARGEST for each in position if isinstance(each, int))


def _contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    return column.contains(text, autoescape=True)


@lru_cache(maxsize=64)
def _summaries(scope: tuple[str, ...], sort: str, order: str) -> Select[Any]:
    """The summaries of the live resources of a scope, whose values are parameters.

    Kept: putting a statement together costs more than running it.
    """
    conditions = [RESOURCE.c[name] == bindparam(name) for name in scope]
    query = resources.SUMMARIES.where(*conditions, RESOURCE.c.deleted_at.is_(None))
    return _ordered(query, sort, order).limit(bindparam(_ROWS, type_=Integer))


def _selected(
    columns: Select[Any],
    scope: Mapping[str, str],
    wanted: Sequence[ColumnElement[bool]],
    by: tuple[str, str],
    after: Sequence[Any] | None,
) -> Select[Any]:
    conditions = [RESOURCE.c[name] == value for name, value in scope.items()]
    query = columns.where(*conditions, RESOURCE.c.deleted_at.is_(None), *wanted)
    if after is not None:
        query = query.where(_after(after, *by))
    return _ordered(query, *by)


def _ordered(query: Select[Any], sort: str, order: str) -> Select[Any]:
    if order == "Descending":
        return query.order_by(*(column.desc() for column in _SORT[sort]))
    return query.order_by(*_SORT[sort])


def _after(position: Sequence[Any], sort: str, order: str) -> ColumnElement[bool]:
    # Compared as a whole: with `or` the database would begin at the first row of the order.
    here = tuple_(*_SORT[sort])
    return here < tuple(position) if order == "Descending" else here > tuple(position)
