"""The migrations, as Alembic knows and runs them. Slow to import: for a database that changes."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def names() -> list[str]:
    """The schemas that this release knows, the newest one first."""
    script = ScriptDirectory.from_config(_config())
    return [each.revision for each in script.walk_revisions()]


def run(connection: Connection, revision: str) -> None:
    """Bring a database to the schema of that name, inside a transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
