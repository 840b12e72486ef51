"""Rows of where resources came from: written once, they stay until the resource goes."""

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, select

from studio.db import changes, resources
from studio.db.resources import Doc, Resource
from studio.db.tables import PROVENANCE, RESOURCE


class CellJob(NamedTuple):
    """A resource that a cell of a notebook made."""

    name: str
    arn: str
    status: str
    created_at: int
    path: str
    cell_id: str
    execution_count: int | None


class Explained(NamedTuple):
    """A note: where the resource came from is known now."""

    resource: Resource


def put(connection: Connection, resource_id: str, document: Doc, now: int) -> None:
    """Raises sqlalchemy.exc.IntegrityError when there is one already."""
    resource = resources.get(connection, resource_id)
    if resource is None or resource.deleted_at is not None:
        return  # deleted meanwhile: nobody can ask any more
    cell = document.get("Cell", {})
    values = {
        "resource_id": resource_id,
        "recorded_at": now,
        "path": document.get("Path", ""),
        "cell_id": cell.get("Id", ""),
        "execution_count": cell.get("ExecutionCount"),
        "data": zlib.compress(orjson.dumps(document)),
    }
    connection.execute(PROVENANCE.insert().values(values))
    changes.note(connection, Explained(resource))


def get(connection: Connection, resource_id: str) -> Doc | None:
    """The document of a resource, with when it was recorded as `RecordedAt`."""
    table = PROVENANCE.c
    query = select(table.recorded_at, table.data).where(table.resource_id == resource_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    return {**orjson.loads(zlib.decompress(row.data)), "RecordedAt": row.recorded_at}


def of_cells(
    connection: Connection, scope: Mapping[str, str], cells: Sequence[str], limit: int
) -> list[CellJob]:
    """The resources of `scope`, values of columns, that these cells made and that are not deleted;
    newest first."""
    it, made = RESOURCE.c, PROVENANCE.c
    query = (
        select(it.name, it.arn, it.status, it.created_at, made.path, made.cell_id)
        .add_columns(made.execution_count)
        .join(PROVENANCE, made.resource_id == it.id)
        .where(made.cell_id.in_(cells), it.deleted_at.is_(None))
        .where(*(it[name] == value for name, value in scope.items()))
        .order_by(made.recorded_at.desc(), it.id)
        .limit(limit)
    )
    return [CellJob(*row) for row in connection.execute(query)]
