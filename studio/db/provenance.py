"""Rows of where resources came from: written once, they stay until the resource goes.

A notebook makes a hundred jobs in one Python: that, most of a document, is stored once. Its code
is not, so that it goes with its resource.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, select

from studio.db import changes, environments, resources
from studio.db.resources import Doc, Resource
from studio.db.tables import PROVENANCE, RESOURCE

_PYTHON = "EnvironmentDigest"
"""In a stored document, in place of its Python."""


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
    own = {name: member for name, member in document.items() if name != "Python"}
    if "Python" in document:
        own[_PYTHON] = environments.put(connection, document["Python"])
    values = {
        "resource_id": resource_id,
        "recorded_at": now,
        "path": document.get("Path", ""),
        "cell_id": cell.get("Id", ""),
        "execution_count": cell.get("ExecutionCount"),
        "data": zlib.compress(orjson.dumps(own)),
    }
    connection.execute(PROVENANCE.insert().values(values))
    changes.note(connection, Explained(resource))


def get(connection: Connection, resource_id: str) -> Doc | None:
    """The document of a resource, with when it was recorded as `RecordedAt`; without one of its
    own a trial component has that of its job."""
    return _get(connection, resource_id) or _of_job(connection, resource_id)


def _of_job(connection: Connection, component_id: str) -> Doc | None:
    component = resources.get(connection, component_id)
    source = component.spec.get("Source", {}).get("SourceArn", "") if component else ""
    job = resources.find_arn(connection, source) if source else None
    if job is None or job.state.get("Component") != component_id:
        return None
    return _get(connection, job.id)


def _get(connection: Connection, resource_id: str) -> Doc | None:
    table = PROVENANCE.c
    query = select(table.recorded_at, table.data).where(table.resource_id == resource_id)
    row = connection.execute(query).first()
    if row is None:
        return None
    document = environments.opened(row.data)
    if _PYTHON in document:
        document["Python"] = environments.get(connection, document.pop(_PYTHON))
    return {**document, "RecordedAt": row.recorded_at}


def move(connection: Connection, old: str, new: str) -> None:
    """Let what is known of a resource be of another, whose record stays if it has one."""
    mine = PROVENANCE.c.resource_id
    known = select(mine).where(mine == new).exists()
    connection.execute(PROVENANCE.update().where(mine == old, ~known).values(resource_id=new))


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
