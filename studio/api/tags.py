"""Tags of any resource that has an ARN."""

from dataclasses import replace
from functools import partial

from studio.api import store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException


@operation("sagemaker", "AddTags")
def add_tags(ctx: Context, request: Doc) -> Doc:
    changed = _change(ctx, request["ResourceArn"], add=request["Tags"], remove=[])
    return {"Tags": changed.tags}


@operation("sagemaker", "ListTags")
def list_tags(ctx: Context, request: Doc) -> Doc:
    """One page: a resource has at most 50 tags, and AWS's smallest page here is 50."""
    return {"Tags": _require(ctx, request["ResourceArn"]).tags}


@operation("sagemaker", "DeleteTags")
def delete_tags(ctx: Context, request: Doc) -> Doc:
    _change(ctx, request["ResourceArn"], add=[], remove=request["TagKeys"])
    return {}


def _change(ctx: Context, arn: str, add: list[Doc], remove: list[str]) -> Resource:
    while True:
        before = _require(ctx, arn)
        kept = [tag for tag in before.tags if tag["Key"] not in remove]
        target = replace(before, tags=store.merged(kept, add))
        after = ctx.db.write(partial(resources.update, resource=target))
        if after is not None:
            return after


def _require(ctx: Context, arn: str) -> Resource:
    with ctx.db.read() as connection:
        found = resources.find_arn(connection, arn.lower()) or resources.find_arn(connection, arn)
    if found is None:
        raise ValidationException(f"Could not find resource with ARN {arn}.")
    return found
