"""What every noun does with its rows: create, find, list, change, delete.

Texts and codes of the errors are AWS's; SDKs and waiters test for fragments of them.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.exc import IntegrityError

from studio.api import access, access_tag, endpoint_limits, endpoint_sleep
from studio.api.registry import Context
from studio.db import calls, query, resources
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ApiError, ValidationException
from studio.reconcile import priorities


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


def made(ctx: Context, noun: Noun, name: str) -> Resource | None:
    """What an earlier attempt of this call made. To be asked before anything that a create refers
    to is looked at: it may be gone since."""
    with ctx.db.read() as connection:
        return _earlier(connection, _mark(ctx, "create", arn(ctx, noun.kind, name)))


Also = Callable[[Connection, Resource], None]
"""What else a change does in its transaction, with the resource as it is stored; it may raise."""


def nothing_else(_connection: Connection, _resource: Resource) -> None:
    """A change of one resource alone."""


def create(
    ctx: Context,
    noun: Noun,
    name: str,
    request: Doc,
    also: Also = nothing_else,
    **values: object,
) -> Resource:
    """Insert a resource whose spec is `request` without its Tags; for a repeated call the first
    answer. Raises `noun.taken` when another call made it."""
    resource = _new(ctx, noun, name, request, values)
    mark = _mark(ctx, "create", resource.arn)

    def insert(connection: Connection) -> Resource:
        made = _earlier(connection, mark)
        if made is None:
            resources.insert(connection, resource)
            also(connection, resource)
            _record(connection, mark, resource.id, resource.created_at)
        return made or resource

    try:
        made = ctx.db.write(insert)
    except IntegrityError as error:
        raise noun.taken(resource) from error
    if made.due_at is not None:
        ctx.hint(made.id)
    return made


def create_numbered(
    ctx: Context, noun: Noun, of: tuple[Noun, str], request: Doc, **values: object
) -> Resource:
    """Insert `NAME/1`, or whatever number is next, below the resource `of` (its noun, its NAME),
    which counts them: a number is given once. As `create` does; `made` asks for it by NAME.

    Raises the `missing` of what `of` names.
    """
    parent, below = of
    mark = _mark(ctx, "create", arn(ctx, noun.kind, below))

    def insert(connection: Connection) -> Resource | None:
        made = _earlier(connection, mark)
        if made is not None:
            return made
        counter = _require(connection, ctx, parent, below)
        number = counter.state.get("Last", 0) + 1
        resource = _new(ctx, noun, f"{below}/{number}", request, values)
        counted = replace(counter, state={**counter.state, "Last": number})
        if resources.update(connection, counted) is None:
            return None
        resources.insert(connection, resource)
        _record(connection, mark, resource.id, resource.created_at)
        return resource

    while True:
        made = ctx.db.write(insert)
        if made is not None:
            return made


def find(ctx: Context, noun: Noun, name: str) -> Resource | None:
    """The resource of that name, or None."""
    with ctx.db.read() as connection:
        return _find(connection, ctx, noun, name)


def require(ctx: Context, noun: Noun, name: str) -> Resource:
    """The resource of that name. Raises `noun.missing`."""
    with ctx.db.read() as connection:
        return _require(connection, ctx, noun, name)


def missing(ctx: Context, noun: Noun, name: str) -> ApiError:
    """The error for a name that does not exist."""
    return noun.missing(_unsaved(ctx, noun, name, 0))


def require_arn(connection: Connection, ctx: Context, arn: str) -> Resource:
    """The resource with that ARN, of any kind. Raises ValidationException."""
    found = resources.find_arn(connection, arn.lower()) or resources.find_arn(connection, arn)
    if found is None or not access.reaches(ctx, found):
        raise ValidationException(f"Could not find resource with ARN {arn}.")
    return found


def change(
    ctx: Context,
    noun: Noun,
    name: str,
    to: Callable[[Resource], Resource],
    also: Also = nothing_else,
) -> Resource:
    """Store `to(resource)`, computed anew while somebody else stores meanwhile.

    `to` may raise. A changed resource with something left to do is looked at soon. A repeated
    call changes nothing more. Raises `noun.missing`.
    """

    def touched(before: Resource) -> Resource:
        after = to(before)
        return before if after == before else replace(after, modified_at=ctx.now())

    found = partial(_require, ctx=ctx, noun=noun, name=name)
    return change_found(ctx, arn(ctx, noun.kind, name), found, touched, also)


def change_found(
    ctx: Context,
    arn: str,
    find: Callable[[Connection], Resource],
    to: Callable[[Resource], Resource],
    also: Also = nothing_else,
) -> Resource:
    """Store `to(find())`, as `change` does; `find` raises for want of the resource at `arn`."""
    mark = _mark(ctx, "change", arn)
    while True:
        with ctx.db.read() as connection:
            done = _earlier(connection, mark)
            before = done or find(connection)
        if done is not None:
            return done
        save = partial(_save, before=before, after=to(before), mark=mark, now=ctx.now())
        after = ctx.db.write(partial(save, also=also))
        if after is not None:
            ctx.hint(after.id)
            return after


def delete(ctx: Context, noun: Noun, name: str, also: Also = nothing_else) -> Resource:
    """Delete a resource without behaviour."""
    return change(ctx, noun, name, lambda it: replace(it, deleted_at=ctx.now(), due_at=None), also)


def once(
    ctx: Context, connection: Connection, of: Resource, what: str, act: Callable[[], None]
) -> None:
    """Inside a write: `act`, unless an earlier attempt of this call did. `what` tells it from other
    changes that the call makes of the resource."""
    mark = _mark(ctx, what, of.arn)
    if _earlier(connection, mark) is None:
        act()
        _record(connection, mark, of.id, ctx.now())


def listing(
    ctx: Context,
    noun: Noun,
    request: Doc,
    summary: Callable[[Summary], Doc],
    member: str,
    narrowed: Mapping[str, ColumnElement[bool]] = {},
) -> Doc:
    """The answer of a List operation: summaries under `member`, and NextToken. `narrowed` has the
    conditions of the operation's own filters, each under a text that says what it asks for."""
    order = "Ascending" if noun.kind.endswith("-job") else "Descending"
    with ctx.db.read() as connection:
        page = query.list_resources(connection, scope(ctx, noun.kind), request, order, narrowed)
    return {member: [summary(row) for row in page.rows], "NextToken": page.next_token}


def scope(ctx: Context, kind: str) -> dict[str, str]:
    """Values of columns: which resources of `kind` lists and searches show to the caller."""
    columns = {"account": ctx.settings.account, "region": ctx.settings.region, "kind": kind}
    owner = access.only_owner(ctx)
    return columns if owner is None else {**columns, "owner": owner}


def merged(tags: list[Doc], more: list[Doc]) -> list[Doc]:
    """`tags` with `more` over them: the last value of a key counts."""
    refuse_reserved([tag["Key"] for tag in more])
    priorities.check(more)
    endpoint_sleep.check(more)
    endpoint_limits.check(more)
    access_tag.check(more)
    values = {tag["Key"]: tag["Value"] for tag in (*tags, *more)}
    if len(values) > 50:
        raise ValidationException("The maximum number of tags per resource is 50.")
    return [{"Key": key, "Value": value} for key, value in values.items()]


def refuse_reserved(keys: list[str]) -> None:
    """Raises ValidationException for a key that only AWS itself may set or remove."""
    for key in keys:
        if key.lower().startswith("aws:"):
            raise ValidationException(
                f"The tag key '{key}' is not valid: tag keys that start with 'aws:' are reserved."
            )


def _find(connection: Connection, ctx: Context, noun: Noun, name: str) -> Resource | None:
    settings = ctx.settings
    found = resources.find(connection, settings.account, settings.region, noun.kind, name)
    return found if found is None or access.reaches(ctx, found) else None


def _require(connection: Connection, ctx: Context, noun: Noun, name: str) -> Resource:
    resource = _find(connection, ctx, noun, name)
    if resource is None:
        raise missing(ctx, noun, name)
    return resource


def _save(
    connection: Connection, before: Resource, after: Resource, mark: str, now: int, also: Also
) -> Resource | None:
    """None when somebody else stored meanwhile."""
    stored = before if after == before else resources.update(connection, after)
    if stored is not None:
        also(connection, stored)
        _record(connection, mark, stored.id, now)
    return stored


def _mark(ctx: Context, verb: str, arn: str) -> str:
    """Of one change of a call: an operation may change several things."""
    return hashlib.sha256(f"{ctx.call} {verb} {arn}".encode()).hexdigest() if ctx.call else ""


def _earlier(connection: Connection, mark: str) -> Resource | None:
    """What an earlier attempt of the same call made or changed, deleted since or not."""
    done = calls.earlier(connection, mark) if mark else None
    return resources.get(connection, done) if done else None


def _record(connection: Connection, mark: str, resource_id: str, now: int) -> None:
    if mark:
        calls.record(connection, mark, resource_id, now)


def _new(
    ctx: Context, noun: Noun, name: str, request: Doc, values: Mapping[str, object]
) -> Resource:
    spec = {key: value for key, value in request.items() if key != "Tags"}
    tags = merged([], request.get("Tags", []))
    unsaved = replace(_unsaved(ctx, noun, name, ctx.now()), spec=spec, tags=tags)
    return replace(unsaved, **values)  # type: ignore[arg-type]


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
        owner=ctx.caller.principal.owner,
    )
