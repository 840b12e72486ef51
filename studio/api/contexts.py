"""Contexts: what groups other entities of lineage: an endpoint, say."""

from studio.api import experiments, lineage_entities, store
from studio.api.registry import Context, operation
from studio.api.trial_components import plain_name
from studio.db.resources import Doc, Resource

NOUN = lineage_entities.noun(lineage_entities.CONTEXT, "Context")


@operation("sagemaker", "CreateContext")
def create_context(ctx: Context, request: Doc) -> Doc:
    type_ = request["ContextType"]
    made = lineage_entities.created(ctx, NOUN, request["ContextName"], type_, request)
    return {"ContextArn": made.arn}


@operation("sagemaker", "DescribeContext")
def describe_context(ctx: Context, request: Doc) -> Doc:
    context = store.require(ctx, NOUN, plain_name(request["ContextName"]))
    return {**_described(context), "LineageGroupArn": lineage_entities.group_arn(ctx)}


@operation("sagemaker", "ListContexts")
def list_contexts(ctx: Context, request: Doc) -> Doc:
    asked = request.get("ContextType"), request.get("SourceUri")
    narrowed = lineage_entities.narrowed(NOUN.kind, *asked)
    return experiments.listing(ctx, NOUN, request, narrowed, _described, "ContextSummaries")


@operation("sagemaker", "UpdateContext")
def update_context(ctx: Context, request: Doc) -> Doc:
    return {"ContextArn": lineage_entities.updated(ctx, NOUN, request["ContextName"], request).arn}


@operation("sagemaker", "DeleteContext")
def delete_context(ctx: Context, request: Doc) -> Doc:
    return {"ContextArn": lineage_entities.deleted(ctx, NOUN, request["ContextName"]).arn}


def _described(context: Resource) -> Doc:
    return {**context.spec, "ContextArn": context.arn, **experiments.times(context)}
