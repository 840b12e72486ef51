"""Brings a database to this release's schema: backup, one transaction, check.

A database of a newer release is refused; a failed upgrade leaves the old schema in place.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from studio import disk
from studio.db import failures, snapshot
from studio.db.session import Database
from studio.errors import ApiError, StudioError


def upgrade(database: Database) -> None:
    """Raises StudioError when the database cannot be used: it does not answer, lies where SQLite
    must not, is damaged, or was written by a newer release."""
    try:
        with failures.told():
            _upgrade(database)
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


def _upgrade(database: Database) -> None:
    _refuse_remote(database)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    with database.writer_engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    _refuse_newer(script, current)
    file = database.file
    if current is not None and file is not None:
        snapshot.take(file, file.with_name(f"{file.name}.{current}.backup"))
    database.write(lambda connection: _run(config, connection))


def _refuse_remote(database: Database) -> None:
    if database.file is not None and disk.is_remote(kind := disk.kind(database.file.parent)):
        raise StudioError(
            f"{database.file.parent} lies on {kind}: locks and syncs of the database are not safe "
            "there. Choose a folder on a local disk with --home."
        )


def _refuse_newer(script: ScriptDirectory, current: str | None) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StudioError(
            f"The database has schema {current}, which a newer Studio wrote. "
            "Install that release, or restore the backup that it made before it upgraded."
        )


def _run(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        _check(connection)


def _check(connection: Connection) -> None:
    """Before the commit: what is not sound is not kept."""
    said = list(connection.exec_driver_sql("PRAGMA integrity_check").scalars())
    if said != ["ok"]:
        raise StudioError(f"The database is damaged, and was not upgraded: {said[0]}.")
    orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if orphan is not None:
        raise StudioError(f"The database was not upgraded: table {orphan[0]} refers to nothing.")
