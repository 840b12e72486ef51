"""Policies: those written into a role or user, those attached to it, and managed ones."""

from dataclasses import replace

from studio.api import iam_entities
from studio.api.iam_entities import checked, encoded, no_such, over_limit, paged
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.identity import entities, managed
from studio.identity.entities import POLICY, ROLE, USER
from studio.identity.principals import unique_id

_INLINE_SIZE = {ROLE: 10_240, USER: 2_048}
_MANAGED_SIZE = 6_144
_ATTACHED = 10
_VERSION = "v1"


def _register_inline(kind: str) -> None:
    """The policies written into a role or user, whose operations differ in a word."""
    word = iam_entities.word(kind)
    member = f"{word}Name"

    def put(ctx: Context, request: Doc) -> Doc:
        name, document = request["PolicyName"], checked(request["PolicyDocument"])
        iam_entities.change(
            ctx, kind, request[member], lambda it: _written(it, kind, name, document)
        )
        return {}

    def get(ctx: Context, request: Doc) -> Doc:
        entity, name = iam_entities.require(ctx, kind, request[member]), request["PolicyName"]
        if name not in entity.state["Inline"]:
            raise _no_policy(word, name)
        document = encoded(entity.state["Inline"][name])
        return {member: entity.name, "PolicyName": name, "PolicyDocument": document}

    def names(ctx: Context, request: Doc) -> Doc:
        entity = iam_entities.require(ctx, kind, request[member])
        page, rest = paged(sorted(entity.state["Inline"]), request)
        return {"PolicyNames": page, **rest}

    def remove(ctx: Context, request: Doc) -> Doc:
        name = request["PolicyName"]
        iam_entities.change(ctx, kind, request[member], lambda it: _without(it, word, name))
        return {}

    operation("iam", f"Put{word}Policy")(put)
    operation("iam", f"Get{word}Policy")(get)
    operation("iam", f"List{word}Policies")(names)
    operation("iam", f"Delete{word}Policy")(remove)


def _register_attached(kind: str) -> None:
    """The managed policies of a role or user."""
    word = iam_entities.word(kind)
    member = f"{word}Name"

    def attach(ctx: Context, request: Doc) -> Doc:
        arn = request["PolicyArn"]
        _document(ctx, arn)
        iam_entities.change(ctx, kind, request[member], lambda it: _attached(it, word, arn))
        return {}

    def detach(ctx: Context, request: Doc) -> Doc:
        arn = request["PolicyArn"]
        iam_entities.change(ctx, kind, request[member], lambda it: _detached(it, arn))
        return {}

    def attached(ctx: Context, request: Doc) -> Doc:
        entity = iam_entities.require(ctx, kind, request[member])
        page, rest = paged(sorted(entity.state["Attached"]), request)
        found = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in page]
        return {"AttachedPolicies": found, **rest}

    operation("iam", f"Attach{word}Policy")(attach)
    operation("iam", f"Detach{word}Policy")(detach)
    operation("iam", f"ListAttached{word}Policies")(attached)


for _kind in (ROLE, USER):
    _register_inline(_kind)
    _register_attached(_kind)


@operation("iam", "CreatePolicy")
def create_policy(ctx: Context, request: Doc) -> Doc:
    document = checked(request["PolicyDocument"])
    if iam_entities.size(document) > _MANAGED_SIZE:
        raise over_limit(f"Cannot exceed quota for PolicySize: {_MANAGED_SIZE}")
    spec = {
        "Path": request.get("Path", "/"),
        "PolicyDocument": document,
        "Description": request.get("Description"),
    }
    tags = request.get("Tags", [])
    return {"Policy": _policy(iam_entities.create(ctx, POLICY, request["PolicyName"], spec, tags))}


@operation("iam", "GetPolicy")
def get_policy(ctx: Context, request: Doc) -> Doc:
    arn = request["PolicyArn"]
    if arn in managed.POLICIES:
        return {"Policy": _aws_policy(arn)}
    return {"Policy": _policy(_own_policy(ctx, arn))}


@operation("iam", "GetPolicyVersion")
def get_policy_version(ctx: Context, request: Doc) -> Doc:
    arn, version = request["PolicyArn"], request["VersionId"]
    document = _document(ctx, arn)
    if version != _VERSION:
        raise no_such(f"Policy {arn} version {version} does not exist or is not attachable.")
    made = {"VersionId": _VERSION, "IsDefaultVersion": True, "Document": encoded(document)}
    return {"PolicyVersion": made}


@operation("iam", "ListPolicies")
def list_policies(ctx: Context, request: Doc) -> Doc:
    scope = request.get("Scope", "All")
    with ctx.db.read() as connection:
        own = resources.of_kind(connection, POLICY)
    found = {row.arn: _policy(row) for row in own} if scope in ("All", "Local") else {}
    if scope in ("All", "AWS"):
        found |= {arn: _aws_policy(arn) for arn in managed.POLICIES}
    page, rest = paged(sorted(found), request)
    return {"Policies": [found[arn] for arn in page], **rest}


@operation("iam", "DeletePolicy")
def delete_policy(ctx: Context, request: Doc) -> Doc:
    arn = request["PolicyArn"]
    if arn in managed.POLICIES:
        raise ApiError("AccessDenied", f"{arn} is a policy of AWS.", 403)
    policy = _own_policy(ctx, arn)
    with ctx.db.read() as connection:
        users = [*resources.of_kind(connection, USER), *resources.of_kind(connection, ROLE)]
    if any(arn in entity.state["Attached"] for entity in users):
        raise ApiError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    iam_entities.delete(ctx, POLICY, policy.name, lambda _it: None)
    return {}


def _written(entity: Resource, kind: str, name: str, document: str) -> Resource:
    inline = {**entity.state["Inline"], name: document}
    most = _INLINE_SIZE[kind]
    if sum(map(iam_entities.size, inline.values())) > most:
        word = iam_entities.word(kind).lower()
        raise over_limit(f"Maximum policy size of {most} bytes exceeded for {word} {entity.name}")
    return replace(entity, state={**entity.state, "Inline": inline})


def _without(entity: Resource, word: str, name: str) -> Resource:
    inline = dict(entity.state["Inline"])
    if inline.pop(name, None) is None:
        raise _no_policy(word, name)
    return replace(entity, state={**entity.state, "Inline": inline})


def _attached(entity: Resource, word: str, arn: str) -> Resource:
    present = entity.state["Attached"]
    if arn in present:
        return entity
    if len(present) >= _ATTACHED:
        raise over_limit(f"Cannot exceed quota for PoliciesPer{word}: {_ATTACHED}")
    return replace(entity, state={**entity.state, "Attached": [*present, arn]})


def _detached(entity: Resource, arn: str) -> Resource:
    if arn not in entity.state["Attached"]:
        raise no_such(f"Policy {arn} was not found.")
    kept = [each for each in entity.state["Attached"] if each != arn]
    return replace(entity, state={**entity.state, "Attached": kept})


def _no_policy(word: str, name: str) -> ApiError:
    return no_such(f"The {word.lower()} policy with name {name} cannot be found.")


def _document(ctx: Context, arn: str) -> str:
    with ctx.db.read() as connection:
        found = entities.managed_document(connection, ctx.settings.account, arn)
    if found is None:
        raise no_such(f"Policy {arn} does not exist or is not attachable.")
    return found


def _own_policy(ctx: Context, arn: str) -> Resource:
    with ctx.db.read() as connection:
        found = resources.find_arn(connection, arn)
    if found is None or found.kind != POLICY:
        raise no_such(f"Policy {arn} was not found.")
    return found


def _policy(policy: Resource) -> Doc:
    return {
        **iam_entities.described(policy),
        "PolicyName": policy.name,
        "PolicyId": unique_id("ANPA", policy.arn),
        "DefaultVersionId": _VERSION,
        "IsAttachable": True,
        "Description": policy.spec.get("Description"),
        "UpdateDate": policy.modified_at,
        "Tags": policy.tags or None,
    }


def _aws_policy(arn: str) -> Doc:
    return {
        "PolicyName": arn.rpartition("/")[2],
        "PolicyId": unique_id("ANPA", arn),
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": _VERSION,
        "IsAttachable": True,
    }
