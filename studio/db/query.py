"""Lists of resources: filters, order, and pages that survive inserts.

A token names the last row by its sort value and id (keyset paging), so what is created or deleted
between two pages neither repeats nor hides a row. It also carries the order and a checksum of the
filters: a token used with another request is refused.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ValidationException

_SORT = {
    "CreationTime": RESOURCE.c.created_at,
    "Name": RESOURCE.c.name,
    "Status": RESOURCE.c.status,
}
_FILTERS = (
    "CreationTimeAfter",
    "CreationTimeBefore",
    "LastModifiedTimeAfter",
    "LastModifiedTimeBefore",
    "NameContains",
    "StatusEquals",
)


@dataclass(frozen=True)
class Page:
    """Some rows, and the token of the page behind them if there is one."""

    rows: list[Resource]
    next_token: str | None


def list_resources(
    connection: Connection,
    scope: Mapping[str, str],
    request: Doc,
    default_order: str = "Descending",
) -> Page:
    """One page for a List request of SageMaker.

    `scope` fixes account, region and kind; `request` holds SortBy, SortOrder, MaxResults (10 when
    absent), NextToken and the filters that 51 List operations share.
    Raises ValidationException for a token that belongs to another request.
    """
    sort = request.get("SortBy", "CreationTime")
    order = request.get("SortOrder", default_order)
    limit = request.get("MaxResults", 10)
    mark = _checksum(scope, request)
    query = select(RESOURCE).where(*_conditions(scope, request))
    if token := request.get("NextToken"):
        query = query.where(_after(_opened(token, sort, order, mark), sort, order))
    rows = connection.execute(_ordered(query, sort, order).limit(limit + 1)).all()
    found = [Resource(**row._mapping) for row in rows[:limit]]
    more = len(rows) > limit
    return Page(found, _token(found[-1], sort, order, mark) if more else None)


def _conditions(scope: Mapping[str, str], request: Doc) -> list[ColumnElement[bool]]:
    conditions = [RESOURCE.c[name] == value for name, value in scope.items()]
    conditions.append(RESOURCE.c.deleted_at.is_(None))
    bounds: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "CreationTimeAfter": lambda value: RESOURCE.c.created_at >= value,
        "CreationTimeBefore": lambda value: RESOURCE.c.created_at <= value,
        "LastModifiedTimeAfter": lambda value: RESOURCE.c.modified_at >= value,
        "LastModifiedTimeBefore": lambda value: RESOURCE.c.modified_at <= value,
        "StatusEquals": lambda value: RESOURCE.c.status == value,
        "NameContains": lambda value: func.lower(RESOURCE.c.name).contains(
            value.lower(), autoescape=True
        ),
    }
    return conditions + [make(request[name]) for name, make in bounds.items() if name in request]


def _ordered(query: Select[Any], sort: str, order: str) -> Select[Any]:
    columns = (_SORT[sort], RESOURCE.c.id)
    if order == "Descending":
        return query.order_by(*(column.desc() for column in columns))
    return query.order_by(*columns)


def _after(position: tuple[Any, str], sort: str, order: str) -> ColumnElement[bool]:
    column, (value, last) = _SORT[sort], position
    if order == "Descending":
        return or_(column < value, and_(column == value, RESOURCE.c.id < last))
    return or_(column > value, and_(column == value, RESOURCE.c.id > last))


def _token(row: Resource, sort: str, order: str, mark: int) -> str:
    value = getattr(row, _SORT[sort].name)
    document = json.dumps([value, row.id, sort, order, mark], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode()


def _opened(token: str, sort: str, order: str, mark: int) -> tuple[Any, str]:
    wrong = ValidationException("The specified NextToken is not valid for this request.")
    try:
        value, last, *rest = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
    except (ValueError, binascii.Error, UnicodeError, TypeError) as error:
        raise wrong from error
    kind = int if sort == "CreationTime" else str
    if rest != [sort, order, mark] or not isinstance(value, kind) or not isinstance(last, str):
        raise wrong
    return value, last


def _checksum(scope: Mapping[str, str], request: Doc) -> int:
    filters = [request.get(name) for name in _FILTERS]
    return zlib.crc32(json.dumps([sorted(scope.items()), filters]).encode())
