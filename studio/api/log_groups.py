"""Log groups of one's own: made, listed, tagged, kept for a time. Those of runs are read only."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import merge
from itertools import islice

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from studio.api import access, log_names, log_runs
from studio.api.log_names import existing, invalid, missing
from studio.api.registry import Context, operation
from studio.db import calls
from studio.db.resources import Doc
from studio.errors import ApiError
from studio.logs import store
from studio.logs.store import Group

_MOST = 50
_MOST_TAGS = 50
_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
_TAG = re.compile(r"[\w\s+=/:,.@-]{1,128}")


@operation("logs", "CreateLogGroup")
def create_log_group(ctx: Context, request: Doc) -> Doc:
    name = request["logGroupName"]
    refuse_managed(name)
    if "kmsKeyId" in request or request.get("deletionProtectionEnabled"):
        raise invalid("Studio executes neither kmsKeyId nor deletionProtectionEnabled.")
    settings = {"logGroupClass": request.get("logGroupClass", "STANDARD")}
    place = (ctx.settings.account, ctx.settings.region)
    tags = _tagged({}, request.get("tags", {}))
    whose = ctx.caller.principal.owner
    group = Group(*place, name, whose, ctx.now(), settings, tags)
    try:
        once(ctx, group.id, lambda connection: store.insert_group(connection, group))
    except IntegrityError as error:
        raise existing("log group") from error
    return {}


@operation("logs", "DeleteLogGroup")
def delete_log_group(ctx: Context, request: Doc) -> Doc:
    """What it holds goes in small steps; whatever a crash leaves goes with what expires."""
    change(ctx, request, lambda connection, group: store.remove_group(connection, group.id))
    swept(ctx)
    return {}


@operation("logs", "PutRetentionPolicy")
def put_retention_policy(ctx: Context, request: Doc) -> Doc:
    days = request["retentionInDays"]
    if days not in _DAYS:
        raise invalid(f"The retention of {days} days is none of {', '.join(map(str, _DAYS))}.")
    _save(ctx, request, lambda group: replace(group, retention_days=days))
    return {}


@operation("logs", "DeleteRetentionPolicy")
def delete_retention_policy(ctx: Context, request: Doc) -> Doc:
    _save(ctx, request, lambda group: replace(group, retention_days=None))
    return {}


@operation("logs", "DescribeLogGroups")
def describe_log_groups(ctx: Context, request: Doc) -> Doc:
    if "logGroupNamePrefix" in request and "logGroupNamePattern" in request:
        raise invalid("logGroupNamePrefix and logGroupNamePattern are mutually exclusive.")
    limit = request.get("limit", _MOST)
    with ctx.db.read() as connection:
        every = (it for it in _visible(ctx, connection, request) if _meets(it, request))
        found = list(islice(every, limit + 1))
        sizes = store.stored_bytes(connection, [group.id for group in found])
    shown = found[:limit]
    return {
        "logGroups": [_described(ctx, group, sizes.get(group.id, 0)) for group in shown],
        "nextToken": shown[-1].name if len(found) > limit else None,
    }


@operation("logs", "TagLogGroup")
@operation("logs", "TagResource")
def tag_log_group(ctx: Context, request: Doc) -> Doc:
    _save(ctx, request, lambda group: replace(group, tags=_tagged(group.tags, request["tags"])))
    return {}


@operation("logs", "UntagLogGroup")
@operation("logs", "UntagResource")
def untag_log_group(ctx: Context, request: Doc) -> Doc:
    keys = request["tags"] if "tags" in request else request["tagKeys"]

    def without(group: Group) -> Group:
        kept = {key: value for key, value in group.tags.items() if key not in keys}
        return replace(group, tags=kept)

    _save(ctx, request, without)
    return {}


@operation("logs", "ListTagsLogGroup")
@operation("logs", "ListTagsForResource")
def list_tags_log_group(ctx: Context, request: Doc) -> Doc:
    name = log_names.required(request)
    if log_runs.managed(name):
        return {"tags": {}}
    with ctx.db.read() as connection:
        return {"tags": require(ctx, connection, name).tags}


def require(ctx: Context, connection: Connection, name: str, stream: str = "*") -> Group:
    """A group that the caller's action may touch. Raises ResourceNotFoundException."""
    group = store.find_group(connection, ctx.settings.account, ctx.settings.region, name)
    place = f"{log_names.arn(ctx.settings, name)}:"
    place += "*" if stream == "*" else f"log-stream:{stream}"
    if group is None or not access.may(ctx, place, group.owner):
        raise missing("log group")
    return group


def change(ctx: Context, request: Doc, work: Callable[[Connection, Group], None]) -> None:
    """Do `work` on the group that a request names, once for all attempts of a call."""
    name = log_names.required(request)
    refuse_managed(name)
    with ctx.db.read() as connection:
        if _done(ctx, connection):
            return
        found = require(ctx, connection, name, request.get("logStreamName", "*"))

    def changed(connection: Connection) -> None:
        group = store.find_group(connection, found.account, found.region, name)
        if group is None or group.id != found.id:
            raise missing("log group")
        work(connection, group)

    once(ctx, "", changed)


def once(ctx: Context, made: str, work: Callable[[Connection], None]) -> None:
    """Write, unless an earlier attempt of the same call did; `made` is the id of what it makes."""

    def written(connection: Connection) -> None:
        if _done(ctx, connection):
            return
        work(connection)
        if ctx.call:
            calls.record(connection, ctx.call, made, ctx.now())

    ctx.db.write(written)


def refuse_managed(name: str) -> None:
    """Raises InvalidParameterException for the name of a group of runs."""
    if log_runs.managed(name):
        raise invalid("Log groups below /aws/sagemaker/ are written by SageMaker alone.")


def _done(ctx: Context, connection: Connection) -> bool:
    return bool(ctx.call) and calls.earlier(connection, ctx.call) is not None


def swept(ctx: Context) -> None:
    """Free the disk from what was deleted, others' writes in between."""
    while ctx.db.write(store.sweep):
        pass


def _save(ctx: Context, request: Doc, to: Callable[[Group], Group]) -> None:
    change(ctx, request, lambda connection, group: store.save_group(connection, to(group)))


def _visible(ctx: Context, connection: Connection, request: Doc) -> Iterator[Group]:
    """The caller's groups and those of runs, by name, behind the token."""
    place, after = (ctx.settings.account, ctx.settings.region), request.get("nextToken", "")
    own = store.groups(connection, place, access.only_owner(ctx), after)
    of_runs = (Group(*place, name, "", at) for name, at in log_runs.groups(ctx) if name > after)
    return merge(own, of_runs, key=lambda group: group.name)


def _meets(group: Group, request: Doc) -> bool:
    named = [log_names.named({"resourceArn": it}) for it in request.get("logGroupIdentifiers", [])]
    kind = group.settings.get("logGroupClass", "STANDARD")
    return (
        group.name.startswith(request.get("logGroupNamePrefix", ""))
        and request.get("logGroupNamePattern", "") in group.name
        and request.get("logGroupClass", kind) == kind
        and (not named or group.name in named)
    )


def _described(ctx: Context, group: Group, size: int) -> Doc:
    arn = log_names.arn(ctx.settings, group.name)
    return {
        "logGroupName": group.name,
        "creationTime": group.created_at,
        "retentionInDays": group.retention_days,
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "storedBytes": size,
        "logGroupClass": group.settings.get("logGroupClass", "STANDARD"),
        "logGroupArn": arn,
        "deletionProtectionEnabled": False,
    }


def _tagged(tags: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    for key in more:
        if not _TAG.fullmatch(key) or key.lower().startswith("aws:"):
            raise invalid(f"The tag key {key[:128]!r} is not valid.")
    tags = {**tags, **more}
    if len(tags) > _MOST_TAGS:
        raise ApiError("TooManyTagsException", "A resource can have no more than 50 tags.")
    return tags
