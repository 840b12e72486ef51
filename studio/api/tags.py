"""Tags of any resource that has an ARN."""

from dataclasses import replace
from functools import partial

from studio.api import access_tag, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException


@operation("sagemaker", "AddTags")
def add_tags(ctx: Context, request: Doc) -> Doc:
    changed = _change(ctx, request["ResourceArn"], add=request["Tags"], remove=[])
    return {"Tags": changed.tags}


@operation("sagemaker", "ListTags")
def list_tags(ctx: Context, request: Doc) -> Doc:
    """One page: a resource has at most 50 tags, and AWS's smallest page here is 50."""
    if "NextToken" in request:
        raise ValidationException("The specified NextToken is not valid for this request.")
    with ctx.db.read() as connection:
        return {"Tags": store.require_arn(connection, ctx, request["ResourceArn"]).tags}


@operation("sagemaker", "DeleteTags")
def delete_tags(ctx: Context, request: Doc) -> Doc:
    store.refuse_reserved(request["TagKeys"])
    _change(ctx, request["ResourceArn"], add=[], remove=request["TagKeys"])
    return {}


def _change(ctx: Context, arn: str, add: list[Doc], remove: list[str]) -> Resource:
    def changed(resource: Resource) -> Resource:
        kept = [tag for tag in resource.tags if tag["Key"] not in remove]
        return replace(resource, tags=store.merged(kept, add))

    after = store.change_found(ctx, arn, partial(store.require_arn, ctx=ctx, arn=arn), changed)
    if access_tag.KEY in (*remove, *(tag["Key"] for tag in add)):
        ctx.identity.keys.changed()  # the router has to know
    return after
