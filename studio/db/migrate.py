"""Brings a database to this release's schema: backup, one transaction, check.

A database of a newer release is refused; a failed upgrade leaves the old schema in place.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from studio.db.session import Database
from studio.errors import StudioError


def upgrade(database: Database) -> None:
    """Raises StudioError when the database was written by a newer release."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    with database.writer_engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    _refuse_newer(script, current)
    if current is not None:
        _backup(database, current)
    database.write(lambda connection: _run(config, connection))


def _refuse_newer(script: ScriptDirectory, current: str | None) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise StudioError(
            f"The database has schema {current}, which a newer Studio wrote. "
            "Install that release, or restore the backup that it made before it upgraded."
        )


def _backup(database: Database, revision: str) -> None:
    path = database.writer_engine.url.database
    if not path or not database.url.startswith("sqlite"):
        return
    target = Path(path).with_name(f"{Path(path).name}.{revision}.backup")
    target.unlink(missing_ok=True)
    with database.writer_engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("VACUUM INTO ?", (str(target),))


def _run(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
