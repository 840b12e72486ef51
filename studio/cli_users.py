"""`studio user` and `studio key`: people beside the owner, by the IAM of the running server."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from studio import credentials
from studio.cli_options import home_option
from studio.credentials import Credentials
from studio.errors import StudioError
from studio.settings import Settings, load_settings

_AWS = "arn:aws:iam::aws:policy/"
_USUAL = ("AmazonSageMakerFullAccess", "AmazonS3FullAccess")
_ADMIN = ("AdministratorAccess",)


@click.group()
def user() -> None:
    """People beside the owner: each has keys, policies, and things of their own."""


@user.command("add")
@home_option
@click.argument("name")
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a policy; without it everything on what the user makes.",
)
@click.option("--admin", is_flag=True, help="As the owner: everything, on everybody's things.")
def add(home: Path | None, name: str, policy: Path | None, admin: bool) -> None:
    """Add a user, and print a first access key. Its secret is shown once."""
    if policy is not None and admin:
        raise StudioError("Give either --policy or --admin.")
    with _iam(home) as iam:
        iam.create_user(UserName=name)
        try:
            if policy is not None:
                document = policy.read_text()
                iam.put_user_policy(UserName=name, PolicyName="given", PolicyDocument=document)
            else:
                for each in _ADMIN if admin else _USUAL:
                    iam.attach_user_policy(UserName=name, PolicyArn=_AWS + each)
        except Exception:
            _remove(iam, name)
            raise
        _show(_created(iam, name))


@user.command("list")
@home_option
def list_users(home: Path | None) -> None:
    """Print the names of the users, and how many keys each has."""
    with _iam(home) as iam:
        for page in iam.get_paginator("list_users").paginate():
            for each in page["Users"]:
                keys = iam.list_access_keys(UserName=each["UserName"])["AccessKeyMetadata"]
                active = sum(key["Status"] == "Active" for key in keys)
                click.echo(f"{each['UserName']}  active keys: {active}")


@user.command("remove")
@home_option
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(home: Path | None, name: str, yes: bool) -> None:
    """Remove a user with keys and policies. What the user made stays."""
    with _iam(home) as iam:
        iam.get_user(UserName=name)
        if not yes:
            click.confirm(f"Remove {name} and all keys of {name}?", abort=True)
        _remove(iam, name)
    click.echo(f"{name} is removed.")


@click.group()
def key() -> None:
    """Access keys of users."""


@key.command("create")
@home_option
@click.argument("name")
def create(home: Path | None, name: str) -> None:
    """Print a new access key of a user. Its secret is shown once."""
    with _iam(home) as iam:
        _show(_created(iam, name))


@key.command("list")
@home_option
@click.argument("name")
def list_keys(home: Path | None, name: str) -> None:
    """Print the access keys of a user, without their secrets."""
    with _iam(home) as iam:
        for each in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            made = f"{each['CreateDate']:%Y-%m-%d %H:%M}"
            click.echo(f"{each['AccessKeyId']}  {each['Status']}  made {made}")


@key.command("revoke")
@home_option
@click.argument("name")
@click.argument("key_id")
def revoke(home: Path | None, name: str, key_id: str) -> None:
    """Delete an access key: nothing is signed with it any more."""
    with _iam(home) as iam:
        iam.delete_access_key(UserName=name, AccessKeyId=key_id)
    click.echo(f"{key_id} is revoked.")


def new_key(settings: Settings, name: str) -> Credentials:
    """A new access key of a user. Raises StudioError."""
    with _iam(settings.home) as iam:
        made = _created(iam, name)
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


@contextmanager
def _iam(home: Path | None) -> Iterator[Any]:
    """A client of the server that runs; what it refuses is one sentence."""
    import boto3  # takes a quarter of a second: not for every command
    from botocore.exceptions import BotoCoreError, ClientError

    from studio import daemon

    settings = load_settings(home)
    known = daemon.status(settings.home)
    if not known.ready:
        raise StudioError(
            f"Studio does not run in {settings.home}: start it with "
            f"`studio serve --home {settings.home}`."
        )
    owner = credentials.load_or_create(settings.home)
    session = boto3.Session(
        owner.access_key_id, owner.secret_access_key, region_name=settings.region
    )
    try:
        with closing(session.client("iam", endpoint_url=known.url)) as client:
            yield client
    except ClientError as error:
        raise StudioError(str(error.response["Error"]["Message"])) from error
    except BotoCoreError as error:
        raise StudioError(str(error)) from error


def _created(iam: Any, name: str) -> dict[str, str]:
    made: dict[str, str] = iam.create_access_key(UserName=name)["AccessKey"]
    return made


def _show(made: dict[str, str]) -> None:
    click.echo(f"AWS_ACCESS_KEY_ID={made['AccessKeyId']}")
    click.echo(f"AWS_SECRET_ACCESS_KEY={made['SecretAccessKey']}")


def _remove(iam: Any, name: str) -> None:
    for each in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=each["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    for attached in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
        iam.detach_user_policy(UserName=name, PolicyArn=attached["PolicyArn"])
    iam.delete_user(UserName=name)
