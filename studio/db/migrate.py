"""Brings a database to this release's schema: backup, one transaction, check.

A database of a newer release is refused; a failed upgrade leaves the old schema in place. SQLite is
brought there by whoever opens it. PostgreSQL belongs to others as well: it is refused until
somebody runs `studio migrate`.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from studio import disk
from studio.db import failures, snapshot
from studio.db.session import Database
from studio.errors import ApiError, StudioError

HEAD = "0008"
"""The schema of this release: the name of the last file in migrations/versions."""

Save = Callable[[str], None]
"""Saves the database that has the schema of this name, before it changes. Raises StudioError."""


def upgrade(database: Database, save: Save | None = None) -> None:
    """Raises StudioError when the database cannot be used: it does not answer, lies where SQLite
    must not, is damaged, was written by a newer release, or is a PostgreSQL database of an older
    one and there is no `save`."""
    try:
        with failures.told():
            _upgrade(database, save)
    except failures.Unavailable as error:
        raise StudioError(_unreached(error)) from error
    except ApiError as error:
        raise StudioError(error.message) from error


def _unreached(error: failures.Unavailable) -> str:
    """With the words of the driver, which say who is refused or what is absent, and no password."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return error.message
    said = " ".join(str(cause.orig).split())
    return f"The database does not answer: {said}. See to it, or correct database_url."


def run(connection: Connection, revision: str = HEAD) -> None:
    """Bring a database to the schema of that name, inside a transaction."""
    from studio.db import revisions  # slow to import, and needed here only

    revisions.run(connection, revision)
    if connection.dialect.name == "sqlite":
        _check(connection)


def dump(url: str, file: Path) -> None:
    """Save a PostgreSQL database with its own program. Raises StudioError."""
    parsed = make_url(url)
    password = {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
    where = URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query
    ).render_as_string()
    program = ["pg_dump", "--format", "custom", "--file", str(file), "--dbname", where]
    try:
        done = subprocess.run(
            program, env={**os.environ, **password}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise StudioError(
            "pg_dump is not there to save the database: install PostgreSQL's client programs, or "
            "save it yourself and run `studio migrate --no-backup`."
        ) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise StudioError(f"The database was not saved, and not changed: {said}")


def _upgrade(database: Database, save: Save | None) -> None:
    _refuse_remote(database)
    with database.writer_engine.connect() as connection:
        current = _revision(connection)
    if current == HEAD:
        return
    if current is not None:
        _refuse_newer(current)
        _save(database, current, save)
    database.write(run)


def _revision(connection: Connection) -> str | None:
    """The schema that the database has; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _save(database: Database, current: str, save: Save | None) -> None:
    file = database.file
    if file is not None:
        snapshot.take(file, file.with_name(f"{file.name}.{current}.backup"))
    elif save is not None:
        save(current)
    else:
        raise StudioError(
            f"The database has schema {current}, this release needs {HEAD}. Stop whatever serves "
            "it, then run `studio migrate`, which saves it first."
        )


def _refuse_remote(database: Database) -> None:
    if database.file is not None and disk.is_remote(kind := disk.kind(database.file.parent)):
        raise StudioError(
            f"{database.file.parent} lies on {kind}: locks and syncs of the database are not safe "
            "there. Choose a folder on a local disk with --home."
        )


def _refuse_newer(current: str) -> None:
    from studio.db import revisions  # slow to import, and needed here only

    if current not in revisions.names():
        raise StudioError(
            f"The database has schema {current}, which a newer Studio wrote. "
            "Install that release (`pip install --upgrade jupyter-ml-studio`), or restore the "
            "backup that was made before the upgrade."
        )


def _check(connection: Connection) -> None:
    """Before the commit: what is not sound is not kept."""
    said = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
    if said != ["ok"]:
        raise StudioError(f"The database is damaged, and was not upgraded: {said[0]}.")
    orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if orphan is not None:
        raise StudioError(f"The database was not upgraded: table {orphan[0]} refers to nothing.")
