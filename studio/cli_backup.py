"""`studio backup` and `studio restore`."""

import json
from pathlib import Path

import click

from studio.cli_options import home_option
from studio.settings import load_settings

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_FILE)
@home_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def backup(file: Path, home: Path | None, as_json: bool) -> None:
    """Save the home to FILE. Studio may run meanwhile; what it acknowledged before is saved."""
    from studio import backup as keeping

    saved = keeping.save(load_settings(home), file)
    if as_json:
        click.echo(json.dumps(saved.document()))
        return
    click.echo(
        f"{saved.files} files, {saved.objects} contents of objects, {saved.size} bytes: {file}"
    )
    if saved.database == "postgresql":
        click.echo("The records are in PostgreSQL: save them with pg_dump, and before the home.")


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--home",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The new home: a folder that is absent or empty.",
)
def restore(file: Path, home: Path) -> None:
    """Make a new home of the backup in FILE, after comparing all of it with its digests."""
    from studio import backup as keeping

    saved = keeping.restore(file, home.expanduser().absolute())
    click.echo(
        f"{home} holds the {saved.files} files of the backup; now: studio serve --home {home}"
    )
