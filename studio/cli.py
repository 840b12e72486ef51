"""The command line. Every answer is short, every error of ours one sentence.

What a command does not need is not imported: `env` and `status` run in scripts and prompts.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from studio import __version__, cli_backup, cli_images, cli_migrate, cli_users
from studio.cli_options import home_option
from studio.errors import StudioError
from studio.settings import load_settings


class _Group(click.Group):
    """Shows a StudioError as a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StudioError as error:
            click.echo(f"studio: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="studio")
def main() -> None:
    """Amazon SageMaker that you own: its API, executed on this machine."""


@main.command()
@home_option
@click.option("--port", type=click.IntRange(0, 65535), help="0: pick one once and keep it.")
@click.option("--host", help="Address to listen on; loopback unless you know why not.")
@click.option("--detach", is_flag=True, help="Start in the background; return when ready.")
def serve(home: Path | None, port: int | None, host: str | None, detach: bool) -> None:
    """Run the control plane (and the router beside it) until Ctrl-C or `studio stop`."""
    from studio import daemon

    settings = load_settings(home, port=port, host=host)
    if detach:
        click.echo(f"Studio is ready at {daemon.serve_detached(settings).url}")
    else:
        daemon.serve(settings)


@main.command()
@home_option
@click.option("--all", "everything", is_flag=True, help="End jobs and model servers as well.")
def stop(home: Path | None, everything: bool) -> None:
    """Stop the control plane and the router. Jobs go on; the next start finds them again."""
    from studio import daemon

    settings = load_settings(home)
    if daemon.stop(settings.home):
        goes_on = "" if everything else " Jobs that run go on; `studio serve` finds them again."
        click.echo(f"Studio has stopped.{goes_on}")
    else:
        click.echo(f"Studio was not running in {settings.home}.")
    if everything:
        click.echo(f"Jobs and model servers that were ended: {daemon.end_runs(settings)}.")


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(home: Path | None, as_json: bool) -> None:
    """Say what runs. Exit status 0 only when Studio is ready."""
    from studio import daemon

    known = daemon.status(load_settings(home).home)
    if as_json:
        click.echo(json.dumps(known.document()))
    else:
        state = "ready" if known.ready else "not ready" if known.pid else "not running"
        click.echo(f"Studio {known.version} is {state}")
        click.echo(f"  home    {known.home}")
        click.echo(f"  url     {known.url or 'none yet'}")
        click.echo(f"  router  {known.router_url or 'none yet'}")
        click.echo(f"  pid     {known.pid or 'none'}")
        for each in known.standbys:
            ports = "".join(f", port {port}" for port in each["ports"])
            click.echo(f"  standby process {each['pid']} on {each['host']}{ports}")
    sys.exit(0 if known.ready else 1)


@main.command()
@home_option
@click.option(
    "--format", "form", type=click.Choice(["sh", "json"]), default="sh", show_default=True
)
@click.option("--user", "name", help="For this user, with a new access key that is shown once.")
@click.option("--tls", is_flag=True, help="Over https, with the authority to trust.")
@click.option(
    "--endpoints-json",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write botocore's list of endpoints there, with STS at the TLS listener.",
)
def env(
    home: Path | None, form: str, name: str | None, tls: bool, endpoints_json: Path | None
) -> None:
    """Print the variables that point AWS clients here: `eval "$(studio env)"`.

    JSON holds null for a variable that must not be set.
    """
    from studio import daemon, environment

    settings = load_settings(home)
    addresses = daemon.addresses(settings.home)
    if name is None:
        values = environment.client_environment(settings, *addresses)
    else:
        key = cli_users.new_key(settings, name)
        values = environment.user_environment(settings, *addresses, key)
    if tls or endpoints_json:
        from studio import tls_clients

        values = tls_clients.environment(values, settings)
        if endpoints_json:
            tls_clients.write_endpoints_json(settings, endpoints_json)
    removed = [name for name in environment.REMOVED if name not in values]
    if form == "json":
        click.echo(json.dumps(values | dict.fromkeys(removed), indent=2))
        return
    click.echo(f"unset {' '.join(removed)}")
    for name, value in values.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="A list of JSON objects.")
def doctor(home: Path | None, as_json: bool) -> None:
    """Look for what would stop or hamper Studio here, and say how to mend it."""
    from studio import doctor as examination

    findings = examination.examine(load_settings(home))
    if as_json:
        click.echo(json.dumps([finding.document() for finding in findings]))
    else:
        for finding in findings:
            click.echo(finding.line())
    sys.exit(1 if any(finding.level == "problem" for finding in findings) else 0)


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="A list of JSON objects.")
def scrub(home: Path | None, as_json: bool) -> None:
    """Read every object of the store and name those that the disk has damaged.

    Studio may run meanwhile.
    """
    from studio.s3.scrub import check_home

    found = list(check_home(load_settings(home).home))
    if as_json:
        click.echo(json.dumps([vars(damage) for damage in found]))
    else:
        for damage in found:
            click.echo(f"{damage.name()}: {damage.what}")
    sys.exit(1 if found else 0)


main.add_command(cli_images.images)
main.add_command(cli_backup.backup)
main.add_command(cli_backup.restore)
main.add_command(cli_migrate.migrate)
main.add_command(cli_users.user)
main.add_command(cli_users.key)

if __name__ == "__main__":
    main()
