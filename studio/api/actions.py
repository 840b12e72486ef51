"""Actions: steps that make or change something, as lineage knows them: a deployment, say."""

from studio.api import experiments, lineage_entities, store
from studio.api.registry import Context, operation
from studio.api.trial_components import plain_name
from studio.db.resources import Doc, Resource

NOUN = lineage_entities.noun(lineage_entities.ACTION, "Action")


@operation("sagemaker", "CreateAction")
def create_action(ctx: Context, request: Doc) -> Doc:
    type_ = request["ActionType"]
    made = lineage_entities.created(ctx, NOUN, request["ActionName"], type_, request)
    return {"ActionArn": made.arn}


@operation("sagemaker", "DescribeAction")
def describe_action(ctx: Context, request: Doc) -> Doc:
    action = store.require(ctx, NOUN, plain_name(request["ActionName"]))
    return {**_described(action), "LineageGroupArn": lineage_entities.group_arn(ctx)}


@operation("sagemaker", "ListActions")
def list_actions(ctx: Context, request: Doc) -> Doc:
    asked = request.get("ActionType"), request.get("SourceUri")
    narrowed = lineage_entities.narrowed(NOUN.kind, *asked)
    return experiments.listing(ctx, NOUN, request, narrowed, _described, "ActionSummaries")


@operation("sagemaker", "UpdateAction")
def update_action(ctx: Context, request: Doc) -> Doc:
    return {"ActionArn": lineage_entities.updated(ctx, NOUN, request["ActionName"], request).arn}


@operation("sagemaker", "DeleteAction")
def delete_action(ctx: Context, request: Doc) -> Doc:
    return {"ActionArn": lineage_entities.deleted(ctx, NOUN, request["ActionName"]).arn}


def _described(action: Resource) -> Doc:
    return {**action.spec, "ActionArn": action.arn, **experiments.times(action)}
