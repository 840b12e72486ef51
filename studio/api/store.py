"""What every noun does with its rows: create, find, list, change, delete.

Texts and codes of the errors are AWS's; SDKs and waiters test for fragments of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy.exc import IntegrityError

from studio.api.registry import Context
from studio.db import query, resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException


@dataclass(frozen=True)
class Noun:
    """A kind of resource as AWS speaks of it."""

    kind: str
    """As in an ARN: `training-job`."""
    missing: Callable[[Resource], ApiError]
    """The error for a name that does not exist; the argument carries name and ARN."""
    taken: Callable[[Resource], ApiError]
    """The error for a name that exists already."""


def could_not_find(text: str) -> Callable[[Resource], ApiError]:
    """AWS's answer for endpoints, their configurations and models."""
    return lambda it: ValidationException(f'Could not find {text} "{it.arn}".')


def already_existing(text: str) -> Callable[[Resource], ApiError]:
    """AWS's answer for endpoints, their configurations and models."""
    return lambda it: ValidationException(f'Cannot create already existing {text} "{it.arn}".')


def arn(ctx: Context, kind: str, name: str) -> str:
    """The ARN that a resource of this account and region has."""
    return f"arn:aws:sagemaker:{ctx.settings.region}:{ctx.settings.account}:{kind}/{name}"


def create(ctx: Context, noun: Noun, name: str, request: Doc, **values: object) -> Resource:
    """Insert a resource whose spec is `request` without its Tags."""
    now = ctx.now()
    resource = replace(_unsaved(ctx, noun, name, now), **values)  # type: ignore[arg-type]
    spec = {key: value for key, value in request.items() if key != "Tags"}
    resource = replace(resource, spec=spec, tags=merged([], request.get("Tags", [])))
    try:
        ctx.db.write(lambda connection: resources.insert(connection, resource))
    except IntegrityError as error:
        raise noun.taken(resource) from error
    if resource.due_at is not None:
        ctx.hint(resource.id)
    return resource


def find(ctx: Context, noun: Noun, name: str) -> Resource | None:
    """The resource of that name, or None."""
    settings = ctx.settings
    with ctx.db.read() as connection:
        return resources.find(connection, settings.account, settings.region, noun.kind, name)


def require(ctx: Context, noun: Noun, name: str) -> Resource:
    """The resource of that name. Raises `noun.missing`."""
    resource = find(ctx, noun, name)
    if resource is None:
        raise noun.missing(_unsaved(ctx, noun, name, 0))
    return resource


def change(ctx: Context, noun: Noun, name: str, to: Callable[[Resource], Resource]) -> Resource:
    """Store `to(resource)`, computed anew while somebody else stores meanwhile.

    `to` may raise. A changed resource with something left to do is looked at soon.
    """
    while True:
        before = require(ctx, noun, name)
        wanted = to(before)
        if wanted == before:
            return before
        target = replace(wanted, modified_at=ctx.now())
        after = ctx.db.write(partial(resources.update, resource=target))
        if after is not None:
            ctx.hint(after.id)
            return after


def delete(ctx: Context, noun: Noun, name: str) -> None:
    """Delete a resource without behaviour."""
    change(ctx, noun, name, lambda it: replace(it, deleted_at=ctx.now(), due_at=None))


def listing(
    ctx: Context, noun: Noun, request: Doc, summary: Callable[[Resource], Doc], member: str
) -> Doc:
    """The answer of a List operation: summaries under `member`, and NextToken."""
    scope = {"account": ctx.settings.account, "region": ctx.settings.region, "kind": noun.kind}
    order = "Ascending" if noun.kind.endswith("-job") else "Descending"
    with ctx.db.read() as connection:
        page = query.list_resources(connection, scope, request, order)
    return {member: [summary(row) for row in page.rows], "NextToken": page.next_token}


def merged(tags: list[Doc], more: list[Doc]) -> list[Doc]:
    """`tags` with `more` over them: the last value of a key counts."""
    values = {tag["Key"]: tag["Value"] for tag in (*tags, *more)}
    if len(values) > 50:
        raise ValidationException("The maximum number of tags per resource is 50.")
    return [{"Key": key, "Value": value} for key, value in values.items()]


def _unsaved(ctx: Context, noun: Noun, name: str, now: int) -> Resource:
    settings = ctx.settings
    return Resource(
        account=settings.account,
        region=settings.region,
        kind=noun.kind,
        name=name,
        arn=arn(ctx, noun.kind, name),
        status="",
        spec={},
        created_at=now,
        modified_at=now,
    )
