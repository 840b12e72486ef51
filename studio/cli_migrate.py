"""`studio migrate`."""

from pathlib import Path

import click

from studio.cli_options import home_option
from studio.settings import load_settings


@click.command()
@home_option
@click.option("--no-backup", is_flag=True, help="You have saved a PostgreSQL database yourself.")
def migrate(home: Path | None, no_backup: bool) -> None:
    """Bring the database to this release's schema, after saving it. Studio must not run."""
    from studio.db import migrate as migration
    from studio.db.session import Database

    settings = load_settings(home)
    saved: list[Path] = []

    def save(revision: str) -> None:
        if not no_backup:
            file = settings.home / f"studio-{revision}.dump"
            migration.dump(settings.database, file)
            saved.append(file)

    database = Database(settings.database)
    try:
        migration.upgrade(database, save)
    finally:
        database.close()
    click.echo("The database has the schema of this release.")
    for file in saved:
        click.echo(f"As it was before: {file}; pg_restore makes a database of it.")
