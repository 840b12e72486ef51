"""Rows of what programs ran with: their environment, their inputs, their machine."""

import zlib

import orjson
from sqlalchemy import Connection, select

from studio.db import environments
from studio.db.experiment_tables import EXECUTION
from studio.db.resources import Doc


def put(
    connection: Connection, resource_id: str, document: Doc, environment: Doc, now: int
) -> None:
    """In place of what was put before: of several attempts the last counts. Inside a write."""
    values = {
        "recorded_at": now,
        "environment": environments.put(connection, environment),
        "data": zlib.compress(orjson.dumps(document)),
    }
    mine = EXECUTION.c.resource_id == resource_id
    if connection.execute(EXECUTION.update().where(mine).values(values)).rowcount == 0:
        connection.execute(EXECUTION.insert().values(resource_id=resource_id, **values))


def add(connection: Connection, resource_id: str, members: Doc) -> None:
    """Members of the document of a component, if it has one. Inside a write."""
    mine = EXECUTION.c.resource_id == resource_id
    row = connection.execute(select(EXECUTION.c.data).where(mine)).first()
    if row is not None:
        data = zlib.compress(orjson.dumps({**environments.opened(row.data), **members}))
        connection.execute(EXECUTION.update().where(mine).values(data=data))


def get(connection: Connection, resource_id: str) -> Doc | None:
    """The document of a component, with its `Python`, the digest of that as `EnvironmentDigest`,
    and when it was recorded as `RecordedAt`."""
    table = EXECUTION.c
    query = select(table.recorded_at, table.environment, table.data)
    row = connection.execute(query.where(table.resource_id == resource_id)).first()
    if row is None:
        return None
    return {
        **environments.opened(row.data),
        "Python": environments.get(connection, row.environment),
        "EnvironmentDigest": row.environment,
        "RecordedAt": row.recorded_at,
    }
