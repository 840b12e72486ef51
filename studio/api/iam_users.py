"""Users and their access keys."""

from studio.api import iam_entities
from studio.api.iam_entities import described
from studio.api.iam_roles import refuse_with_policies
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity import entities, principals
from studio.identity.entities import USER
from studio.identity.keys import Key
from studio.identity.principals import unique_id

_KEYS = 2


@operation("iam", "CreateUser")
def create_user(ctx: Context, request: Doc) -> Doc:
    if "PermissionsBoundary" in request:
        raise ApiError("InvalidInput", "PermissionsBoundary is not executed yet.")
    spec, tags = {"Path": request.get("Path", "/")}, request.get("Tags", [])
    return {"User": described_user(iam_entities.create(ctx, USER, request["UserName"], spec, tags))}


@operation("iam", "GetUser")
def get_user(ctx: Context, request: Doc) -> Doc:
    return {"User": described_user(iam_entities.require(ctx, USER, _name(ctx, request)))}


@operation("iam", "ListUsers")
def list_users(ctx: Context, request: Doc) -> Doc:
    return iam_entities.listed(ctx, USER, request, described_user, "Users")


@operation("iam", "DeleteUser")
def delete_user(ctx: Context, request: Doc) -> Doc:
    """What the user made stays: a user of the same name finds it again."""
    name = request["UserName"]

    def check(user: Resource) -> None:
        if ctx.identity.keys.of_user(name):
            raise iam_entities.conflict("delete access keys")
        with ctx.db.read() as connection:
            if entities.groups(connection, user):
                raise iam_entities.conflict("remove users from group")
        refuse_with_policies(user)

    iam_entities.delete(ctx, USER, name, check)
    ctx.identity.keys.end_sessions("user", name, ctx.now())
    return {}


@operation("iam", "CreateAccessKey")
def create_access_key(ctx: Context, request: Doc) -> Doc:
    """The secret is told here and nowhere else."""
    name = _name(ctx, request)
    iam_entities.require(ctx, USER, name)
    if len(ctx.identity.keys.of_user(name)) >= _KEYS:
        raise iam_entities.over_limit(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS}")
    who = principals.user(ctx.settings.account, name)
    key = ctx.identity.keys.create(who, ctx.now())
    return {"AccessKey": {**_key(key), "SecretAccessKey": key.secret}}


@operation("iam", "ListAccessKeys")
def list_access_keys(ctx: Context, request: Doc) -> Doc:
    name = _name(ctx, request)
    iam_entities.require(ctx, USER, name)
    found = [_key(key) for key in ctx.identity.keys.of_user(name)]
    return {"AccessKeyMetadata": found, "IsTruncated": False}


@operation("iam", "UpdateAccessKey")
def update_access_key(ctx: Context, request: Doc) -> Doc:
    key = _required_key(ctx, request)
    ctx.identity.keys.set_active(key.id, request["Status"] == "Active", ctx.now())
    return {}


@operation("iam", "DeleteAccessKey")
def delete_access_key(ctx: Context, request: Doc) -> Doc:
    ctx.identity.keys.delete(_required_key(ctx, request).id)
    return {}


def _name(ctx: Context, request: Doc) -> str:
    """The user of a request, or the one who asks."""
    principal = ctx.caller.principal
    if "UserName" in request:
        return str(request["UserName"])
    if principal.kind != "user":
        raise ValidationException("Must specify userName when calling with non-User credentials")
    return principal.name


def _required_key(ctx: Context, request: Doc) -> Key:
    name, wanted = _name(ctx, request), request["AccessKeyId"]
    iam_entities.require(ctx, USER, name)
    for key in ctx.identity.keys.of_user(name):
        if key.id == wanted:
            return key
    raise iam_entities.no_such(f"The Access Key with id {wanted} cannot be found.")


def described_user(user: Resource) -> Doc:
    """As GetUser tells it."""
    return {
        **described(user),
        "UserName": user.name,
        "UserId": unique_id("AIDA", user.arn),
        "Tags": user.tags or None,
    }


def _key(key: Key) -> Doc:
    return {
        "UserName": key.principal.name,
        "AccessKeyId": key.id,
        "Status": "Active" if key.usable else "Inactive",
        "CreateDate": key.created_at,
    }
