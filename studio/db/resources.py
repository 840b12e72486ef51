"""Rows as values: read, insert and change resources and their runs inside a transaction."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Text, bindparam, select, type_coerce

from studio.db import changes
from studio.db.documents import documents
from studio.db.tables import PROVENANCE, RESOURCE, RUN

Doc = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """A thing that AWS has a name for. `spec` is the request that made it, `state` what became
    of it; `due_at` is None once nothing is left to do."""

    account: str
    region: str
    kind: str
    name: str
    arn: str
    status: str
    spec: Doc
    created_at: int
    modified_at: int
    state: Doc = field(default_factory=dict)
    tags: list[Doc] = field(default_factory=list)
    desired: str = "present"
    generation: int = 1
    deleted_at: int | None = None
    due_at: int | None = None
    owner: str = ""
    """Name of the principal that made it; "" for the owner of the home."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class Summary(NamedTuple):
    """Of a resource, what lists show."""

    id: str
    name: str
    arn: str
    status: str
    created_at: int
    modified_at: int
    state: Doc


@dataclass(frozen=True)
class Run:
    """One start of a command for a resource. `id` begins with the id of the resource."""

    id: str
    resource_id: str
    role: str
    runner: str
    created_at: int
    spec: Doc = field(default_factory=dict)
    handle: Doc = field(default_factory=dict)
    phase: str = "pending"
    exit_code: int | None = None
    message: str = ""
    started_at: int | None = None
    ended_at: int | None = None


class Stored(NamedTuple):
    """A note: a resource is stored as this now."""

    resource: Resource
    fresh: bool
    """It was not there before."""


class RunsStored(NamedTuple):
    """A note: runs of these resources began, went on or ended."""

    resource_ids: frozenset[str]


def insert(connection: Connection, resource: Resource) -> None:
    """Raises sqlalchemy.exc.IntegrityError when the name is taken."""
    connection.execute(RESOURCE.insert().values(**_values(resource)))
    changes.note(connection, Stored(resource, fresh=True))


# Built once: putting a statement together costs more than running it.
RESOURCES = select(*(RESOURCE.c[field.name] for field in fields(Resource)))
"""Select of resources, each row for `resource`."""

_COLUMNS = [it.name for it in fields(Resource)]
SUMMARIES = select(
    *(RESOURCE.c[name] for name in Summary._fields if name != "state"),
    type_coerce(RESOURCE.c.state, Text),
)
"""What lists show; each page of rows for `summarized`. Documents cost most of the time to read."""

_RUNS = select(*(RUN.c[field.name] for field in fields(Run)))
_LIVE = RESOURCES.where(RESOURCE.c.deleted_at.is_(None))
_BY_NAME = _LIVE.where(
    *(RESOURCE.c[name] == bindparam(name) for name in ("account", "region", "kind", "name"))
)
_BY_ARN = _LIVE.where(RESOURCE.c.arn == bindparam("arn"))
_BY_ID = RESOURCES.where(RESOURCE.c.id == bindparam("id"))


def find(
    connection: Connection, account: str, region: str, kind: str, name: str
) -> Resource | None:
    """The resource of that name that is not deleted."""
    named = {"account": account, "region": region, "kind": kind, "name": name}
    return _one(connection, _BY_NAME, named)


def find_arn(connection: Connection, arn: str) -> Resource | None:
    """The resource with that ARN that is not deleted."""
    return _one(connection, _BY_ARN, {"arn": arn})


def get(connection: Connection, resource_id: str) -> Resource | None:
    """The resource with that id, deleted or not."""
    return _one(connection, _BY_ID, {"id": resource_id})


def owner_of(connection: Connection, arn: str) -> str | None:
    """Whose the resource with that ARN is; of deleted ones the last; None when there never was
    one."""
    query = select(RESOURCE.c.owner).where(RESOURCE.c.arn == arn)
    latest = query.order_by(RESOURCE.c.created_at.desc()).limit(1)
    return connection.execute(latest).scalar_one_or_none()


def resource(row: Row[Any]) -> Resource:
    """A row of `RESOURCES` as a value."""
    made = object.__new__(Resource)
    # `Resource()` sets its fields one by one, which a search feels.
    vars(made).update(zip(_COLUMNS, row, strict=True))
    return made


def summarized(rows: Sequence[Row[Any]]) -> list[Summary]:
    """Rows of `SUMMARIES` as values."""
    states = documents([row[-1] for row in rows])
    return [Summary._make((*row[:-1], state)) for row, state in zip(rows, states, strict=True)]


def due(connection: Connection) -> list[str]:
    """Ids of the resources with something left to do, oldest first."""
    query = select(RESOURCE.c.id).where(RESOURCE.c.due_at.is_not(None))
    return [row.id for row in connection.execute(query.order_by(RESOURCE.c.created_at))]


def of_kind(connection: Connection, kind: str) -> list[Resource]:
    """All resources of a kind that are not deleted."""
    query = _LIVE.where(RESOURCE.c.kind == kind)
    return [resource(row) for row in connection.execute(query)]


def update(connection: Connection, resource: Resource) -> Resource | None:
    """Store `resource` if it still is of the generation it was read with; None when it is not.

    The stored row is one generation further.
    """
    changed = replace(resource, generation=resource.generation + 1)
    result = connection.execute(
        RESOURCE.update()
        .where(RESOURCE.c.id == resource.id, RESOURCE.c.generation == resource.generation)
        .values(**_values(changed))
    )
    if result.rowcount != 1:
        return None
    if changed.deleted_at is not None:
        # The row stays for its runs; what it may hold of somebody's code does not.
        gone = PROVENANCE.delete().where(PROVENANCE.c.resource_id == resource.id)
        connection.execute(gone)
    changes.note(connection, Stored(changed, fresh=False))
    return changed


def runs(connection: Connection, resource_id: str) -> list[Run]:
    """The runs of a resource, oldest first."""
    query = _RUNS.where(RUN.c.resource_id == resource_id).order_by(RUN.c.created_at, RUN.c.id)
    return [_run(row) for row in connection.execute(query)]


def get_run(connection: Connection, run_id: str) -> Run | None:
    """The run with that id."""
    row = connection.execute(_RUNS.where(RUN.c.id == run_id)).first()
    return _run(row) if row else None


def open_runs(connection: Connection) -> list[Run]:
    """The runs that hold slots: pending or running."""
    query = _RUNS.where(RUN.c.phase.in_(("pending", "running")))
    return [_run(row) for row in connection.execute(query)]


def put_runs(connection: Connection, changed: Iterable[Run]) -> None:
    """Insert or replace runs."""
    changed = list(changed)
    if changed:
        changes.note(connection, RunsStored(frozenset(run.resource_id for run in changed)))
    for run in changed:
        # What a program said of its end may hold a NUL, which PostgreSQL has no place for.
        values = {**vars(run), "message": run.message.replace("\0", "\ufffd")}
        found = connection.execute(RUN.update().where(RUN.c.id == run.id).values(**values))
        if found.rowcount == 0:
            connection.execute(RUN.insert().values(**values))


def _values(resource: Resource) -> Doc:
    """A row of the table."""
    began, ended = (resource.state.get(f"Training{it}Time") for it in ("Start", "End"))
    return {**vars(resource), "began_at": began, "ended_at": ended}


def _one(connection: Connection, query: Select[Any], values: Doc) -> Resource | None:
    row = connection.execute(query, values).first()
    return resource(row) if row else None


def _run(row: Row[Any]) -> Run:
    return Run(*tuple(row))
