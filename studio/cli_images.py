"""`studio images`: what image URIs run as, and the images that are built here."""

import json
from pathlib import Path

import click

from studio.cli_options import home_option
from studio.runners.docker.building import EXTRAS
from studio.settings import load_settings


@click.group()
def images() -> None:
    """What image URIs run as, and containers of our own programs."""


@images.command("list")
@home_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def listing(home: Path | None, as_json: bool) -> None:
    """The table of image URIs, first match first, and the images that the engine has."""
    from studio.api import image_table
    from studio.api.images import algorithms
    from studio.runners.docker import building, engines

    settings = load_settings(home)
    rows = list(image_table.rows(settings, algorithms()))
    obstacle = engines.obstacle(settings)
    built = [] if obstacle else list(building.listed(engines.engine(settings)))
    if as_json:
        table = [{"Pattern": row.pattern, "Target": row.target, "Own": row.own} for row in rows]
        click.echo(json.dumps({"Rows": table, "Images": built}))
        return
    for row in rows:
        also = f", or {row.script_target} when the request names a script"
        click.echo(f"{row.pattern:<32} {row.target}{also if row.script_target else ''}")
    click.echo(f"{'anything else':<32} a container of that image")
    click.echo()
    for image in built:
        size = f"{image['Size'] / 1e6:.0f} MB" if image["Id"] else "not built"
        click.echo(f"{image['Image']:<32} {size}")
    if obstacle:
        click.echo(obstacle)


@images.command()
@home_option
@click.argument("names", nargs=-1, type=click.Choice(sorted(EXTRAS)))
@click.option("--base", default="python:3.11-slim", show_default=True, help="Image to begin with.")
@click.option("--offline", is_flag=True, help="The base has all packages: install none.")
@click.option("--network", default="", help="Network of the build, e.g. `host`.")
def build(
    home: Path | None, names: tuple[str, ...], base: str, offline: bool, network: str
) -> None:
    """Build our images, all of them or those that are named."""
    from studio.runners.docker import building, engines

    engine = engines.engine(load_settings(home))
    for name in names or sorted(EXTRAS):
        for line in building.build(engine, name, base, offline, network):
            click.echo(line)
        click.echo(f"{building.reference(name)} is ready")
