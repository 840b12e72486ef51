"""Groups of users: what a group's policies allow, its members may do."""

from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from studio.api import iam_entities
from studio.api.iam_entities import described, no_such, over_limit, paged
from studio.api.iam_roles import refuse_with_policies
from studio.api.iam_users import described_user
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.identity import entities
from studio.identity.entities import GROUP, USER

_GROUPS_OF_USER = 10


@operation("iam", "CreateGroup")
def create_group(ctx: Context, request: Doc) -> Doc:
    spec = {"Path": request.get("Path", "/")}
    return {"Group": _group(iam_entities.create(ctx, GROUP, request["GroupName"], spec, []))}


@operation("iam", "GetGroup")
def get_group(ctx: Context, request: Doc) -> Doc:
    group = iam_entities.require(ctx, GROUP, request["GroupName"])
    with ctx.db.read() as connection:
        members = {user.name: user for user in _members(connection, group)}
    page, rest = paged(sorted(members), request)
    users = [{**described_user(members[name]), "Tags": None} for name in page]
    return {"Group": _group(group), "Users": users, **rest}


@operation("iam", "ListGroups")
def list_groups(ctx: Context, request: Doc) -> Doc:
    return iam_entities.listed(ctx, GROUP, request, _group, "Groups")


@operation("iam", "ListGroupsForUser")
def list_groups_for_user(ctx: Context, request: Doc) -> Doc:
    user = iam_entities.require(ctx, USER, request["UserName"])
    with ctx.db.read() as connection:
        groups = {group.name: group for group in entities.groups(connection, user)}
    page, rest = paged(sorted(groups), request)
    return {"Groups": [_group(groups[name]) for name in page], **rest}


@operation("iam", "UpdateGroup")
def update_group(ctx: Context, request: Doc) -> Doc:
    """Another name or path. Members know the group by its id, so that they stay."""

    def moved(group: Resource) -> Resource:
        path = str(request.get("NewPath", group.spec["Path"]))
        name = str(request.get("NewGroupName", group.name))
        arn = entities.arn(group.account, GROUP, name, path)
        return replace(group, name=name, arn=arn, spec={**group.spec, "Path": path})

    try:
        iam_entities.change(ctx, GROUP, request["GroupName"], moved)
    except IntegrityError as error:
        raise iam_entities.taken(GROUP, request["NewGroupName"]) from error
    return {}


@operation("iam", "DeleteGroup")
def delete_group(ctx: Context, request: Doc) -> Doc:
    def check(group: Resource) -> None:
        with ctx.db.read() as connection:
            if _members(connection, group):
                raise iam_entities.conflict("remove users from group")
        refuse_with_policies(group)

    iam_entities.delete(ctx, GROUP, request["GroupName"], check)
    return {}


@operation("iam", "AddUserToGroup")
def add_user_to_group(ctx: Context, request: Doc) -> Doc:
    group = iam_entities.require(ctx, GROUP, request["GroupName"])

    def joined(user: Resource) -> Resource:
        with ctx.db.read() as connection:
            present = [each.id for each in entities.groups(connection, user)]
        if group.id in present:
            return user
        if len(present) >= _GROUPS_OF_USER:
            raise over_limit(f"Cannot exceed quota for GroupsPerUser: {_GROUPS_OF_USER}")
        return replace(user, state={**user.state, "Groups": [*present, group.id]})

    iam_entities.change(ctx, USER, request["UserName"], joined)
    return {}


@operation("iam", "RemoveUserFromGroup")
def remove_user_from_group(ctx: Context, request: Doc) -> Doc:
    group = iam_entities.require(ctx, GROUP, request["GroupName"])

    def left(user: Resource) -> Resource:
        present = user.state.get("Groups", [])
        if group.id not in present:
            raise no_such(f"User {user.name} not in group {group.name}")
        kept = [each for each in present if each != group.id]
        return replace(user, state={**user.state, "Groups": kept})

    iam_entities.change(ctx, USER, request["UserName"], left)
    return {}


def _members(connection: Connection, group: Resource) -> list[Resource]:
    users = resources.of_kind(connection, USER)
    return [user for user in users if group.id in user.state.get("Groups", [])]


def _group(group: Resource) -> Doc:
    return {**described(group), "GroupName": group.name, "GroupId": entities.unique(group)}
