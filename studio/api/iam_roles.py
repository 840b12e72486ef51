"""Roles: what jobs and models run as."""

from collections.abc import Callable
from dataclasses import replace

from studio.api import iam_entities
from studio.api.iam_entities import checked, described, encoded
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.identity.entities import ROLE
from studio.identity.principals import unique_id

_TRUST_SIZE = 2048


@operation("iam", "CreateRole")
def create_role(ctx: Context, request: Doc) -> Doc:
    spec = {
        "Path": request.get("Path", "/"),
        "Description": request.get("Description"),
        "MaxSessionDuration": request.get("MaxSessionDuration", 3600),
        "AssumeRolePolicyDocument": _trust(request["AssumeRolePolicyDocument"]),
    }
    if "PermissionsBoundary" in request:
        raise ApiError("InvalidInput", "PermissionsBoundary is not executed yet.")
    tags = request.get("Tags", [])
    return {"Role": _role(iam_entities.create(ctx, ROLE, request["RoleName"], spec, tags))}


@operation("iam", "GetRole")
def get_role(ctx: Context, request: Doc) -> Doc:
    return {"Role": _role(iam_entities.require(ctx, ROLE, request["RoleName"]))}


@operation("iam", "ListRoles")
def list_roles(ctx: Context, request: Doc) -> Doc:
    return iam_entities.listed(ctx, ROLE, request, _role, "Roles")


@operation("iam", "UpdateRole")
def update_role(ctx: Context, request: Doc) -> Doc:
    wanted: Doc = {
        name: request[name] for name in ("Description", "MaxSessionDuration") if name in request
    }
    _change(ctx, request, lambda role: replace(role, spec={**role.spec, **wanted}))
    return {}


@operation("iam", "UpdateRoleDescription")
def update_role_description(ctx: Context, request: Doc) -> Doc:
    wanted = {"Description": request["Description"]}
    return {"Role": _role(_change(ctx, request, lambda it: replace(it, spec=it.spec | wanted)))}


@operation("iam", "UpdateAssumeRolePolicy")
def update_assume_role_policy(ctx: Context, request: Doc) -> Doc:
    wanted = {"AssumeRolePolicyDocument": _trust(request["PolicyDocument"])}
    _change(ctx, request, lambda role: replace(role, spec={**role.spec, **wanted}))
    return {}


@operation("iam", "DeleteRole")
def delete_role(ctx: Context, request: Doc) -> Doc:
    name = request["RoleName"]
    if name == ctx.settings.role_name:
        text = f"The role {name} belongs to this home and cannot be deleted."
        raise ApiError("UnmodifiableEntity", text)
    iam_entities.delete(ctx, ROLE, name, refuse_with_policies)
    ctx.identity.keys.end_sessions("role", name, ctx.now())
    return {}


def refuse_with_policies(entity: Resource) -> None:
    """Raises ApiError DeleteConflict."""
    if entity.state["Attached"]:
        raise iam_entities.conflict("detach all policies")
    if entity.state["Inline"]:
        raise iam_entities.conflict("delete policies")


def _change(ctx: Context, request: Doc, to: Callable[[Resource], Resource]) -> Resource:
    return iam_entities.change(ctx, ROLE, request["RoleName"], to)


def _trust(document: str) -> str:
    if iam_entities.size(document) > _TRUST_SIZE:
        raise iam_entities.over_limit(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_SIZE}")
    return checked(document, "trust")


def _role(role: Resource) -> Doc:
    return {
        **described(role),
        "RoleName": role.name,
        "RoleId": unique_id("AROA", role.arn),
        "Description": role.spec.get("Description"),
        "MaxSessionDuration": role.spec["MaxSessionDuration"],
        "AssumeRolePolicyDocument": encoded(role.spec["AssumeRolePolicyDocument"]),
        "Tags": role.tags or None,
    }
