"""What roles, users and policies of IAM have in common: rows, lists, errors, limits."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from studio.api import store
from studio.api.registry import Context
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity import entities
from studio.identity.documents import Form, Malformed, parse
from studio.identity.review import review

_PAGE = 100


def word(kind: str) -> str:
    """`Role`, `User`, `Group` or `Policy`."""
    return kind.removeprefix("iam-").capitalize()


def no_such(text: str) -> ApiError:
    return ApiError("NoSuchEntity", text, 404)


def conflict(text: str) -> ApiError:
    return ApiError("DeleteConflict", f"Cannot delete entity, must {text} first.", 409)


def over_limit(text: str) -> ApiError:
    return ApiError("LimitExceeded", text, 409)


def create(ctx: Context, kind: str, name: str, spec: Doc, tags: list[Doc]) -> Resource:
    """Raises ApiError EntityAlreadyExists."""
    account, now = ctx.settings.account, ctx.now()
    resource = Resource(
        account=account,
        region="",
        kind=kind,
        name=name,
        arn=entities.arn(account, kind, name, spec.get("Path", "/")),
        status="",
        spec={"Path": "/", **spec},
        created_at=now,
        modified_at=now,
        state={"Inline": {}, "Attached": []},
        tags=tagged([], tags),
        owner=ctx.caller.principal.owner,
    )
    try:
        ctx.db.write(lambda connection: resources.insert(connection, resource))
    except IntegrityError as error:
        raise taken(kind, name) from error
    return resource


def taken(kind: str, name: str) -> ApiError:
    """AWS's two ways to say that a name is in use."""
    text = f"{word(kind)} with name {name} already exists."
    if kind == entities.POLICY:
        text = f"A policy called {name} already exists. Duplicate names are not allowed."
    return ApiError("EntityAlreadyExists", text, 409)


def tagged(tags: list[Doc], more: list[Doc]) -> list[Doc]:
    """`tags` with `more` over them. IAM keeps the case of keys, and tells none apart by it."""
    given = {tag["Key"].lower(): tag["Key"] for tag in more}
    if len(given) != len(more):
        text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise ApiError("InvalidInput", text)
    kept = [{**tag, "Key": given.get(tag["Key"].lower(), tag["Key"])} for tag in tags]
    return store.merged(kept, more)


def require(ctx: Context, kind: str, name: str) -> Resource:
    """Raises ApiError NoSuchEntity."""
    with ctx.db.read() as connection:
        return _require(connection, ctx, kind, name)


def change(ctx: Context, kind: str, name: str, to: Callable[[Resource], Resource]) -> Resource:
    """Store `to(entity)`; in force when this returns."""

    def found(connection: Connection) -> Resource:
        return _require(connection, ctx, kind, name)

    account = ctx.settings.account
    changed = store.change_found(ctx, entities.arn(account, kind, name), found, to)
    ctx.identity.authority.forget()
    ctx.identity.keys.changed()
    return changed


def delete(ctx: Context, kind: str, name: str, check: Callable[[Resource], None]) -> None:
    """Delete unless `check` raises."""

    def deleted(entity: Resource) -> Resource:
        check(entity)
        return replace(entity, deleted_at=ctx.now())

    change(ctx, kind, name, deleted)


def listed(
    ctx: Context, kind: str, request: Doc, describe: Callable[[Resource], Doc], member: str
) -> Doc:
    """A page of a List operation, ordered by name."""
    with ctx.db.read() as connection:
        rows = resources.of_kind(connection, kind)
    prefix = request.get("PathPrefix", "/")
    mine = [row for row in rows if row.spec["Path"].startswith(prefix)]
    page, rest = paged(sorted(row.name for row in mine), request)
    by_name = {row.name: row for row in mine}
    return {member: [_listed(describe(by_name[name])) for name in page], **rest}


def _listed(described: Doc) -> Doc:
    """Lists leave out what only the Get operations tell."""
    return {name: value for name, value in described.items() if name != "Tags"}


def paged(names: list[str], request: Doc) -> tuple[list[str], Doc]:
    """The names of a page, and the rest of the answer: IsTruncated and Marker."""
    if marker := request.get("Marker"):
        last = _opened(marker)
        names = [name for name in names if name > last]
    limit = request.get("MaxItems", _PAGE)
    page = names[:limit]
    if len(names) <= limit:
        return page, {"IsTruncated": False}
    return page, {
        "IsTruncated": True,
        "Marker": base64.urlsafe_b64encode(page[-1].encode()).decode(),
    }


def checked(document: str, form: Form = "identity", *, managed: bool = False) -> str:
    """`document` if it is a policy; `managed`: one that stands by itself, which must be of today's
    version. Raises ApiError MalformedPolicyDocument."""
    try:
        review(document, form, managed)
        parse(document, form)
    except Malformed as error:
        raise ApiError("MalformedPolicyDocument", str(error)) from None
    return document


def size(document: str) -> int:
    """What counts against a quota: AWS leaves white space out."""
    return len("".join(document.split()))


def encoded(document: str) -> str:
    """A document as IAM answers it."""
    return quote(document, safe="")


def described(entity: Resource) -> Doc:
    """What answers of roles, users and policies have in common, but for the names of members."""
    return {"Path": entity.spec["Path"], "Arn": entity.arn, "CreateDate": entity.created_at}


def _require(connection: Connection, ctx: Context, kind: str, name: str) -> Resource:
    found = entities.find(connection, ctx.settings.account, kind, name)
    if found is None:
        raise no_such(f"The {word(kind).lower()} with name {name} cannot be found.")
    return found


def _opened(marker: str) -> str:
    try:
        return base64.b64decode(marker.encode("ascii"), b"-_", validate=True).decode()
    except (ValueError, binascii.Error, UnicodeError):
        raise ValidationException("Invalid Marker.") from None
