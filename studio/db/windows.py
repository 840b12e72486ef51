"""Windows of long lists: any rows of any order, and how many there are of each status.

Unlike the pages of `query`, which never repeat nor hide a row, a window is found by its offset: it
is for people, who look at a list that changes under their eyes anyway.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, func, literal_column, select

from studio.db import resources
from studio.db.resources import Resource
from studio.db.tables import RESOURCE

SORTS = ("CreationTime", "LastModifiedTime", "Name", "Status", "Duration")

# Not the column itself: SQLite would take the index that begins with it, and then read the rows for
# what that lacks, instead of the one index that holds everything.
_STATUS = RESOURCE.c.status.concat(literal_column("''"))
_COLUMNS = {
    "CreationTime": RESOURCE.c.created_at,
    "LastModifiedTime": RESOURCE.c.modified_at,
    "Name": RESOURCE.c.name,
    "Status": _STATUS,
}


def window(
    connection: Connection,
    wanted: Sequence[ColumnElement[bool]],
    by: tuple[str, bool],
    place: tuple[int, int],
    now: int,
) -> list[Resource]:
    """The rows `place` (offset, limit) of those that are `wanted`, in the order `by` (one of
    SORTS, descending); `now`, in milliseconds, is when what still runs would end."""
    sort, descending = by
    key = _duration(now) if sort == "Duration" else _COLUMNS[sort]
    order = dict.fromkeys((key, RESOURCE.c.created_at, RESOURCE.c.id))
    columns = [column.desc() if descending else column for column in order]
    # In two steps: what sorts and skips need not carry the documents along.
    ids = select(RESOURCE.c.id).where(*wanted).order_by(*columns).offset(place[0]).limit(place[1])
    found = list(connection.execute(ids).scalars())
    rows = connection.execute(resources.RESOURCES.where(RESOURCE.c.id.in_(found)))
    known = {row.id: resources.resource(row) for row in rows}
    return [known[each] for each in found if each in known]


def counts(connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    """How many there are of each status."""
    query = select(_STATUS, func.count()).where(*wanted).group_by(_STATUS)
    return {status: count for status, count in connection.execute(query)}


def live(scope: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Those of these values of columns that are not deleted."""
    return [
        *(RESOURCE.c[name] == value for name, value in scope.items()),
        RESOURCE.c.deleted_at.is_(None),
    ]


def named(text: str) -> ColumnElement[bool]:
    """Those with the text in their name, in any case of letters."""
    return func.lower(RESOURCE.c.name).contains(text.lower(), autoescape=True)


def tagged(tag: Mapping[str, str]) -> ColumnElement[bool]:
    """Those with that tag."""
    written = json.dumps({"Key": tag["Key"], "Value": tag["Value"]})
    return cast(RESOURCE.c.tags, Text).contains(written, autoescape=True)


def _duration(now: int) -> ColumnElement[Any]:
    """Milliseconds from the start of the work to its end; -1 before it."""
    return func.coalesce(func.coalesce(RESOURCE.c.ended_at, now) - RESOURCE.c.began_at, -1)
