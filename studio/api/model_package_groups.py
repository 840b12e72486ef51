"""Groups of model packages: versions of one model, of which some have an alias.

An alias is a tag of the group, `studio:alias:champion` = `3`: every SDK can set, move and read it,
and policies decide who may. It names a version that exists; a version with an alias stays.
"""

import re
from dataclasses import replace

from sqlalchemy import Connection

from studio.api import experiments, store
from studio.api.model_package_names import GROUP, PACKAGE, group, plain
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.identity import documents

ALIAS = "studio:alias:"
_ALIAS = re.compile(r"[A-Za-z][\w.-]{0,62}", re.ASCII)
_STATUS = "Completed"


@operation("sagemaker", "CreateModelPackageGroup")
def create_model_package_group(ctx: Context, request: Doc) -> Doc:
    if request.get("ManagedConfiguration"):
        raise ValidationException("ManagedConfiguration is not executed yet.")
    state = {"CreatedBy": experiments.by(ctx)}
    name = request["ModelPackageGroupName"]
    made = store.create(ctx, GROUP, name, request, status=_STATUS, state=state)
    return {"ModelPackageGroupArn": made.arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_model_package_group(ctx: Context, request: Doc) -> Doc:
    return described(group(ctx, request["ModelPackageGroupName"]))


@operation("sagemaker", "ListModelPackageGroups")
def list_model_package_groups(ctx: Context, request: Doc) -> Doc:
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"ModelPackageGroupSummaryList": []}
    member = "ModelPackageGroupSummaryList"
    return experiments.listing(ctx, GROUP, _ascending(request), {}, _summary, member)


@operation("sagemaker", "DeleteModelPackageGroup")
def delete_model_package_group(ctx: Context, request: Doc) -> Doc:
    def empty(connection: Connection, it: Resource) -> None:
        if resources.named_below(connection, it, PACKAGE.kind):
            raise ApiError(
                "ConflictException",
                f"Model package group {it.arn} cannot be deleted while it has model packages. "
                "Delete its versions first.",
            )

    store.delete(ctx, GROUP, plain(ctx, GROUP, request["ModelPackageGroupName"]), empty)
    return {}


@operation("sagemaker", "PutModelPackageGroupPolicy", stored=True)
def put_model_package_group_policy(ctx: Context, request: Doc) -> Doc:
    """Kept as it is: there are no other accounts, which it is for."""
    text = request["ResourcePolicy"]
    try:
        documents.load(text)
    except documents.Malformed as error:
        raise ValidationException(f"Invalid resource policy: {error}") from error
    return {"ModelPackageGroupArn": _with_policy(ctx, request, text).arn}


@operation("sagemaker", "GetModelPackageGroupPolicy", stored=True)
def get_model_package_group_policy(ctx: Context, request: Doc) -> Doc:
    found = group(ctx, request["ModelPackageGroupName"])
    return {"ResourcePolicy": _policy(found)}


@operation("sagemaker", "DeleteModelPackageGroupPolicy", stored=True)
def delete_model_package_group_policy(ctx: Context, request: Doc) -> Doc:
    _with_policy(ctx, request, None)
    return {}


def described(it: Resource) -> Doc:
    """The group as Describe and Search tell it."""
    return {
        **it.spec,
        "ModelPackageGroupArn": it.arn,
        "CreationTime": it.created_at,
        "CreatedBy": it.state["CreatedBy"],
        "ModelPackageGroupStatus": it.status,
    }


def aliases(it: Resource) -> dict[str, str]:
    """Aliases of a group, each with the number of its version."""
    return {
        tag["Key"].removeprefix(ALIAS): tag["Value"]
        for tag in it.tags
        if tag["Key"].startswith(ALIAS)
    }


def _summary(it: Resource) -> Doc:
    return described(it)


def _ascending(request: Doc) -> Doc:
    """As AWS lists groups and packages when nothing is said of the order."""
    return {"SortOrder": "Ascending", **request}


def _with_policy(ctx: Context, request: Doc, text: str | None) -> Resource:
    def change(it: Resource) -> Resource:
        if text is None:
            _policy(it)
        return replace(it, state={**it.state, "Policy": text})

    return store.change(ctx, GROUP, request["ModelPackageGroupName"], change)


def _policy(it: Resource) -> str:
    text: str | None = it.state.get("Policy")
    if text is None:
        raise ValidationException(f"Cannot find resource policy for: {it.arn}")
    return text


def _check_aliases(connection: Connection, before: Resource | None, after: Resource) -> None:
    known = aliases(before) if before else {}
    if after.deleted_at is not None:
        return
    for alias, version in aliases(after).items():
        if not _ALIAS.fullmatch(alias):
            raise ValidationException(
                f"The alias {alias!r} is not valid: a letter first, then at most 62 letters, "
                "digits, dots, dashes and underscores."
            )
        if known.get(alias) != version and not _version(connection, after, version):
            raise ValidationException(
                f"The alias {alias} must name a version of {after.name} by its number, "
                f"not {version!r}."
            )


def _version(connection: Connection, of: Resource, number: str) -> Resource | None:
    name = f"{of.name}/{number}"
    return resources.find(connection, of.account, of.region, PACKAGE.kind, name)


resources.follow(GROUP.kind, _check_aliases)
