"""Rows of Pythons with their packages: stored once, however many programs ran in one."""

import hashlib
import zlib

import orjson
from sqlalchemy import Connection, select

from studio.db.experiment_tables import ENVIRONMENT
from studio.db.resources import Doc


def put(connection: Connection, environment: Doc) -> str:
    """The digest that it is known by. Inside a write."""
    data = orjson.dumps(environment, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(data).hexdigest()
    here = ENVIRONMENT.c.digest == digest
    if connection.execute(select(ENVIRONMENT.c.digest).where(here)).first() is None:
        row = {"digest": digest, "data": zlib.compress(data)}
        connection.execute(ENVIRONMENT.insert().values(row))
    return digest


def get(connection: Connection, digest: str) -> Doc:
    """The environment with that digest."""
    query = select(ENVIRONMENT.c.data).where(ENVIRONMENT.c.digest == digest)
    return opened(connection.execute(query).scalar_one())


def opened(data: bytes) -> Doc:
    """A document, of its compressed text."""
    document: Doc = orjson.loads(zlib.decompress(data))
    return document
