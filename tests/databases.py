"""Databases of this release's schema, without rows: made once in a process, then copied.

What migrations do is tested in tests/db; others need not wait for them.
"""

import functools
import tempfile
from pathlib import Path

import psycopg
from postgresql import Server

from studio import durable
from studio.db import migrate
from studio.db.session import Database


def seeded(home: Path) -> Path:
    """The home itself, with such a database unless it has one."""
    file = home / "studio.db"
    if not file.exists():
        durable.make_dirs(home)
        file.write_bytes(_empty())
    return home


def cleared(server: Server) -> str:
    """The URL of the database that tests share, without rows."""
    with server.connect(server.shared()) as connection:
        tables = _tables(connection)
        if tables:
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
            return server.shared()
    database = Database(server.emptied())
    migrate.upgrade(database)
    database.close()
    return server.shared()


def _tables(connection: psycopg.Connection) -> list[str]:
    """Those that may have rows; none of another schema than this release's."""
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = {name for (name,) in found}
    if "alembic_version" not in names:
        return []
    [version] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return sorted(names - {"alembic_version"}) if version == migrate.HEAD else []


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "studio.db"
        database = Database(f"sqlite:///{file}")
        migrate.upgrade(database)
        database.close()
        return file.read_bytes()
