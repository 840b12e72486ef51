"""Managed policies, their versions, and what they are attached to.

A policy made here has up to five versions, of which one is in force. AWS's own are read-only.
"""

from collections import Counter
from dataclasses import replace

from sqlalchemy import Connection

from studio.api import iam_entities
from studio.api.iam_entities import checked, encoded, no_such, over_limit, paged
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity import entities, managed
from studio.identity.entities import GROUP, POLICY, ROLE, USER
from studio.identity.principals import unique_id

_SIZE = 6_144
_VERSIONS = 5
_FIRST = "v1"
_LISTED = {"Role": ROLE, "User": USER, "Group": GROUP}


@operation("iam", "CreatePolicy")
def create_policy(ctx: Context, request: Doc) -> Doc:
    spec = {
        "Path": request.get("Path", "/"),
        "PolicyDocument": _document(request),
        "Description": request.get("Description"),
    }
    tags = request.get("Tags", [])
    made = iam_entities.create(ctx, POLICY, request["PolicyName"], spec, tags)
    told = _policy(made, 0)
    del told["Description"]  # AWS says it only in the answer of GetPolicy
    return {"Policy": told | {"Tags": made.tags or None}}


@operation("iam", "GetPolicy")
def get_policy(ctx: Context, request: Doc) -> Doc:
    arn = request["PolicyArn"]
    with ctx.db.read() as connection:
        attached = _attachments(connection)[arn]
    if arn in managed.POLICIES:
        return {"Policy": _aws_policy(arn, attached)}
    policy = own(ctx, arn)
    return {"Policy": _policy(policy, attached) | {"Tags": policy.tags}}


@operation("iam", "ListPolicies")
def list_policies(ctx: Context, request: Doc) -> Doc:
    scope, prefix = request.get("Scope", "All"), request.get("PathPrefix", "/")
    with ctx.db.read() as connection:
        mine = resources.of_kind(connection, POLICY)
        attached = _attachments(connection)
    found = {row.arn: _policy(row, attached[row.arn]) for row in mine} if scope != "AWS" else {}
    if scope != "Local":
        found |= {arn: _aws_policy(arn, attached[arn]) for arn in managed.POLICIES}
    names = [
        arn
        for arn, policy in found.items()
        if policy["Path"].startswith(prefix)
        and (policy["AttachmentCount"] or not request.get("OnlyAttached"))
    ]
    page, rest = paged(sorted(names), request)
    shown = [{**found[arn], "Description": None} for arn in page]
    return {"Policies": shown, **rest}


@operation("iam", "DeletePolicy")
def delete_policy(ctx: Context, request: Doc) -> Doc:
    arn = request["PolicyArn"]
    policy = _changeable(ctx, arn)
    with ctx.db.read() as connection:
        attached = _attachments(connection)[arn]
    if attached:
        raise ApiError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(entities.versions(policy)) > 1:
        text = "This policy has more than one version. Before you delete a policy, you must delete "
        raise ApiError("DeleteConflict", text + "the policy's versions.", 409)
    iam_entities.delete(ctx, POLICY, policy.name, lambda _it: None)
    return {}


@operation("iam", "CreatePolicyVersion")
def create_policy_version(ctx: Context, request: Doc) -> Doc:
    arn, document = request["PolicyArn"], _document(request)
    now = ctx.now()

    def grown(policy: Resource) -> Resource:
        present = entities.versions(policy)
        if len(present) >= _VERSIONS:
            text = "A managed policy can have up to 5 versions. Before you create a new version, "
            raise over_limit(text + "you must delete an existing version.")
        number = policy.state.get("Latest", 1) + 1
        made = {"VersionId": f"v{number}", "Document": document, "CreateDate": now}
        state = {**policy.state, "Versions": [*present, made], "Latest": number}
        if request.get("SetAsDefault"):
            state["Default"] = made["VersionId"]
        return replace(policy, state=state, modified_at=now)

    policy = iam_entities.change(ctx, POLICY, _changeable(ctx, arn).name, grown)
    told = _version(policy, entities.versions(policy)[-1])
    return {"PolicyVersion": told}


@operation("iam", "GetPolicyVersion")
def get_policy_version(ctx: Context, request: Doc) -> Doc:
    arn, wanted = request["PolicyArn"], request["VersionId"]
    if arn in managed.POLICIES and wanted == _FIRST:
        told: Doc = {"VersionId": _FIRST, "IsDefaultVersion": True}
        return {"PolicyVersion": {**told, "Document": encoded(managed.POLICIES[arn])}}
    policy = own(ctx, arn)
    version = _required(policy, wanted)
    document = encoded(version["Document"])
    return {"PolicyVersion": {**_version(policy, version), "Document": document}}


@operation("iam", "ListPolicyVersions")
def list_policy_versions(ctx: Context, request: Doc) -> Doc:
    """The newest first."""
    arn = request["PolicyArn"]
    if arn in managed.POLICIES:
        only = {"VersionId": _FIRST, "IsDefaultVersion": True}
        return {"Versions": [only], "IsTruncated": False}
    policy = own(ctx, arn)
    newest = list(reversed(entities.versions(policy)))
    numbers, rest = paged([f"{number:06d}" for number in range(len(newest))], request)
    return {"Versions": [_version(policy, newest[int(it)]) for it in numbers], **rest}


@operation("iam", "SetDefaultPolicyVersion")
def set_default_policy_version(ctx: Context, request: Doc) -> Doc:
    wanted = request["VersionId"]

    def changed(policy: Resource) -> Resource:
        _required(policy, wanted)
        return replace(policy, state={**policy.state, "Default": wanted}, modified_at=ctx.now())

    iam_entities.change(ctx, POLICY, _changeable(ctx, request["PolicyArn"]).name, changed)
    return {}


@operation("iam", "DeletePolicyVersion")
def delete_policy_version(ctx: Context, request: Doc) -> Doc:
    wanted = request["VersionId"]

    def shrunk(policy: Resource) -> Resource:
        _required(policy, wanted)
        if wanted == entities.default_version(policy)["VersionId"]:
            raise ApiError("DeleteConflict", "Cannot delete the default version of a policy.", 409)
        kept = [it for it in entities.versions(policy) if it["VersionId"] != wanted]
        return replace(policy, state={**policy.state, "Versions": kept})

    iam_entities.change(ctx, POLICY, _changeable(ctx, request["PolicyArn"]).name, shrunk)
    return {}


@operation("iam", "ListEntitiesForPolicy")
def list_entities_for_policy(ctx: Context, request: Doc) -> Doc:
    """Everything that has the policy, in one list that pages cut."""
    arn, wanted = request["PolicyArn"], request.get("EntityFilter")
    if document(ctx, arn) is None:
        raise no_such(f"Policy {arn} was not found.")
    if request.get("PolicyUsageFilter") == "PermissionsBoundary":
        raise ValidationException("PolicyUsageFilter: boundaries are not executed yet.")
    words = [wanted] if wanted in _LISTED else list(_LISTED)
    with ctx.db.read() as connection:
        found = {
            f"{word}/{row.name}": row
            for word in words
            for row in resources.of_kind(connection, _LISTED[word])
            if arn in row.state["Attached"]
        }
    page, rest = paged(sorted(found), request)
    told: Doc = {f"Policy{word}s": [] for word in _LISTED}
    for name in page:
        word = name.partition("/")[0]
        told[f"Policy{word}s"].append(
            {f"{word}Name": found[name].name, f"{word}Id": entities.unique(found[name])}
        )
    return told | rest


def document(ctx: Context, arn: str) -> str | None:
    """What the policy at `arn` says now; None when there is none."""
    with ctx.db.read() as connection:
        return entities.managed_document(connection, ctx.settings.account, arn)


def own(ctx: Context, arn: str) -> Resource:
    """A policy that was made here. Raises ApiError NoSuchEntity."""
    with ctx.db.read() as connection:
        found = resources.find_arn(connection, arn)
    if found is None or found.kind != POLICY:
        raise no_such(f"Policy {arn} was not found.")
    return found


def _changeable(ctx: Context, arn: str) -> Resource:
    if arn in managed.POLICIES:
        raise ApiError("AccessDenied", f"{arn} is a policy of AWS.", 403)
    return own(ctx, arn)


def _document(request: Doc) -> str:
    text = checked(request["PolicyDocument"], managed=True)
    if iam_entities.size(text) > _SIZE:
        raise over_limit(f"Cannot exceed quota for PolicySize: {_SIZE}")
    return text


def _required(policy: Resource, wanted: str) -> Doc:
    for version in entities.versions(policy):
        if version["VersionId"] == wanted:
            return version
    text = f"Policy {policy.arn} version {wanted} does not exist or is not attachable."
    raise no_such(text)


def _attachments(connection: Connection) -> Counter[str]:
    """How many users, roles and groups each policy is attached to."""
    return Counter(
        arn
        for kind in _LISTED.values()
        for entity in resources.of_kind(connection, kind)
        for arn in entity.state["Attached"]
    )


def _version(policy: Resource, version: Doc) -> Doc:
    return {
        "VersionId": version["VersionId"],
        "IsDefaultVersion": version == entities.default_version(policy),
        "CreateDate": version["CreateDate"],
    }


def _policy(policy: Resource, attached: int) -> Doc:
    return {
        **iam_entities.described(policy),
        "PolicyName": policy.name,
        "PolicyId": entities.unique(policy),
        "DefaultVersionId": entities.default_version(policy)["VersionId"],
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "Description": policy.spec.get("Description"),
        "UpdateDate": policy.modified_at,
    }


def _aws_policy(arn: str, attached: int) -> Doc:
    return {
        "PolicyName": arn.rpartition("/")[2],
        "PolicyId": unique_id("ANPA", arn),
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": _FIRST,
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
    }
