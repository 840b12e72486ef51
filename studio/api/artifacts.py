"""Artifacts: data, models and whatever else has a URI, as lineage knows them."""

from studio.api import experiments, lineage_entities, store
from studio.api.registry import Context, operation
from studio.api.trial_components import plain_name
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException

NOUN = lineage_entities.noun(lineage_entities.ARTIFACT, "Artifact")


@operation("sagemaker", "CreateArtifact")
def create_artifact(ctx: Context, request: Doc) -> Doc:
    """There is one artifact of a source: a second with the same URI and types is refused."""
    name = lineage_entities.artifact_name(ctx.caller.principal.owner, request["Source"])
    made = lineage_entities.created(ctx, NOUN, name, request["ArtifactType"], request)
    return {"ArtifactArn": made.arn}


@operation("sagemaker", "DescribeArtifact")
def describe_artifact(ctx: Context, request: Doc) -> Doc:
    artifact = store.require(ctx, NOUN, plain_name(request["ArtifactArn"]))
    return {**_described(artifact), "LineageGroupArn": lineage_entities.group_arn(ctx)}


@operation("sagemaker", "ListArtifacts")
def list_artifacts(ctx: Context, request: Doc) -> Doc:
    asked = request.get("ArtifactType"), request.get("SourceUri")
    narrowed = lineage_entities.narrowed(NOUN.kind, *asked)
    return experiments.listing(ctx, NOUN, request, narrowed, _described, "ArtifactSummaries")


@operation("sagemaker", "UpdateArtifact")
def update_artifact(ctx: Context, request: Doc) -> Doc:
    name = plain_name(request["ArtifactArn"])
    return {"ArtifactArn": lineage_entities.updated(ctx, NOUN, name, request).arn}


@operation("sagemaker", "DeleteArtifact")
def delete_artifact(ctx: Context, request: Doc) -> Doc:
    if "ArtifactArn" in request:
        name = plain_name(request["ArtifactArn"])
    elif "Source" in request:
        name = lineage_entities.artifact_name(ctx.caller.principal.owner, request["Source"])
    else:
        raise ValidationException("Either ArtifactArn or Source must be specified.")
    return {"ArtifactArn": lineage_entities.deleted(ctx, NOUN, name).arn}


def _described(artifact: Resource) -> Doc:
    return {**artifact.spec, "ArtifactArn": artifact.arn, **experiments.times(artifact)}
