"""Rows as values: read, insert and change resources and their runs inside a transaction."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Text, bindparam, func, select, type_coerce

from studio.db import changes
from studio.db.documents import documents
from studio.db.experiment_tables import EXECUTION
from studio.db.prepared import Prepared
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


Follower = Callable[[Connection, Resource | None, Resource], None]
"""Keeps what else is stored of a resource, given as it was and as it is now; it may raise."""

_FOLLOWERS: dict[str, list[Follower]] = {}


def follow(kind: str, follower: Follower) -> None:
    """Have `follower` called in every transaction that stores a resource of `kind`, behind those
    that follow it already."""
    _FOLLOWERS.setdefault(kind, []).append(follower)


Remover = Callable[[Connection, Sequence[Resource]], None]
"""Drops what else is stored of resources that are being deleted; it may raise before it does."""

_REMOVERS: dict[str, list[Remover]] = {}


def drop_with(kind: str, remover: Remover) -> None:
    """Have `remover` called in every transaction that deletes resources of `kind`, behind those
    that are called already."""
    _REMOVERS.setdefault(kind, []).append(remover)


class RunsStored(NamedTuple):
    """A note: runs of these resources began, went on or ended."""

    resource_ids: frozenset[str]


def insert(connection: Connection, resource: Resource) -> None:
    """Raises sqlalchemy.exc.IntegrityError when the name is taken."""
    connection.execute(_INSERT, _values(resource))
    for follower in _FOLLOWERS.get(resource.kind, ()):
        follower(connection, None, resource)
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

_INSERT = RESOURCE.insert()
_UPDATE = (
    RESOURCE.update()
    .where(RESOURCE.c.id == bindparam("stored_id"))
    .where(RESOURCE.c.generation == bindparam("stored_generation"))
    .values({it.name: bindparam(it.name) for it in RESOURCE.c if it.name != "id"})
)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_DELETE = (
    RESOURCE.update()
    .where(RESOURCE.c.id.in_(_IDS))
    .values(deleted_at=bindparam("now"), due_at=None, generation=RESOURCE.c.generation + 1)
)
_FORGET = [table.delete().where(table.c.resource_id.in_(_IDS)) for table in (PROVENANCE, EXECUTION)]

_RUNS = select(*(RUN.c[field.name] for field in fields(Run)))
_LIVE = RESOURCES.where(RESOURCE.c.deleted_at.is_(None))
_BY_NAME = Prepared(
    _LIVE.where(
        *(RESOURCE.c[name] == bindparam(name) for name in ("account", "region", "kind", "name"))
    )
)
_BY_NAMES = _LIVE.where(
    *(RESOURCE.c[name] == bindparam(name) for name in ("account", "region", "kind")),
    RESOURCE.c.name.in_(bindparam("names", expanding=True)),
)
_BY_ARN = Prepared(_LIVE.where(RESOURCE.c.arn == bindparam("arn")))
_BY_ID = Prepared(RESOURCES.where(RESOURCE.c.id == bindparam("id")))


def find(
    connection: Connection, account: str, region: str, kind: str, name: str
) -> Resource | None:
    """The resource of that name that is not deleted."""
    named = {"account": account, "region": region, "kind": kind, "name": name}
    return _one(connection, _BY_NAME, named)


def named(
    connection: Connection, account: str, region: str, kind: str, names: Sequence[str]
) -> dict[str, Resource]:
    """Those of the resources of these names that are not deleted. A few hundred at most."""
    wanted = {"account": account, "region": region, "kind": kind, "names": names}
    return {it.name: it for it in map(resource, connection.execute(_BY_NAMES, wanted))}


def find_arn(connection: Connection, arn: str) -> Resource | None:
    """The resource with that ARN that is not deleted."""
    return _one(connection, _BY_ARN, {"arn": arn})


def get(connection: Connection, resource_id: str) -> Resource | None:
    """The resource with that id, deleted or not."""
    return _one(connection, _BY_ID, {"id": resource_id})


def several(connection: Connection, ids: Sequence[str]) -> list[Resource]:
    """The resources with these ids, deleted or not, in this order. A few hundred at most."""
    found = connection.execute(RESOURCES.where(RESOURCE.c.id.in_(ids)))
    by_id = {it.id: it for it in map(resource, found)}
    return [by_id[each] for each in ids if each in by_id]


def owner_of(connection: Connection, arn: str) -> str | None:
    """Whose the resource with that ARN is; of deleted ones the last; None when there never was
    one."""
    query = select(RESOURCE.c.owner).where(RESOURCE.c.arn == arn)
    latest = query.order_by(RESOURCE.c.created_at.desc()).limit(1)
    return connection.execute(latest).scalar_one_or_none()


def resource(row: Sequence[Any]) -> Resource:
    """A row of `RESOURCES` as a value."""
    made = object.__new__(Resource)
    # `Resource()` sets its fields one by one, which a search feels.
    vars(made).update(zip(_COLUMNS, row, strict=True))
    return made


def summarized(rows: Sequence[Sequence[Any]]) -> list[Summary]:
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


def named_below(connection: Connection, it: Resource, kind: str) -> bool:
    """Whether there is a resource of `kind` whose name begins with that of `it` and a slash."""
    below = RESOURCE.c.name.startswith(f"{it.name}/", autoescape=True)
    place = RESOURCE.c.account == it.account, RESOURCE.c.region == it.region
    query = _LIVE.where(RESOURCE.c.kind == kind, *place, below)
    return connection.execute(query.limit(1)).first() is not None


def any_of(connection: Connection, kind: str) -> bool:
    """Whether there ever was a resource of that kind."""
    query = select(RESOURCE.c.id).where(RESOURCE.c.kind == kind)
    return connection.execute(query.limit(1)).first() is not None


def update(connection: Connection, resource: Resource) -> Resource | None:
    """Store `resource` if it still is of the generation it was read with; None when it is not.

    The stored row is one generation further.
    """
    changed = replace(resource, generation=resource.generation + 1)
    followers = _FOLLOWERS.get(resource.kind, ())
    before = get(connection, resource.id) if followers else None
    stored = {"stored_id": resource.id, "stored_generation": resource.generation}
    values = _values(changed)
    del values["id"]
    result = connection.execute(_UPDATE, {**values, **stored})
    if result.rowcount != 1:
        return None
    for follower in followers:
        follower(connection, before, changed)
    if changed.deleted_at is not None:
        _drop(connection, [before or changed])
    changes.note(connection, Stored(changed, fresh=False))
    return changed


def delete(connection: Connection, gone: Sequence[Resource], now: int) -> None:
    """Delete resources of a kind, each as it is stored in this transaction; a few hundred at most.
    What follows the kind is not called: what is to go with it has been told by `drop_with`."""
    connection.execute(_DELETE, {"ids": [it.id for it in gone], "now": now})
    _drop(connection, gone)
    for each in gone:
        changed = replace(each, deleted_at=now, due_at=None, generation=each.generation + 1)
        changes.note(connection, Stored(changed, fresh=False))


def _drop(connection: Connection, gone: Sequence[Resource]) -> None:
    """The rows stay for their runs; what they may hold of somebody's code does not."""
    for remover in _REMOVERS.get(gone[0].kind, ()):
        remover(connection, gone)
    for forget in _FORGET:
        connection.execute(forget, {"ids": [it.id for it in gone]})


def runs(connection: Connection, resource_id: str, each: int = 0) -> list[Run]:
    """The runs of a resource, oldest first; `each`: no more than the last so many of each role."""
    query = _RUNS.where(RUN.c.resource_id == resource_id).order_by(RUN.c.created_at, RUN.c.id)
    if each:
        youngest = RUN.c.created_at.desc(), RUN.c.id.desc()
        age = func.row_number().over(partition_by=RUN.c.role, order_by=youngest)
        ages = select(RUN.c.id, age.label("age")).where(RUN.c.resource_id == resource_id).subquery()
        query = query.join(ages, ages.c.id == RUN.c.id).where(ages.c.age <= each)
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


def _one(connection: Connection, query: Prepared, values: Doc) -> Resource | None:
    row = query.first(connection, values)
    return resource(row) if row else None


def _run(row: Sequence[Any]) -> Run:
    return Run(*tuple(row))
