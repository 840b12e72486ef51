"""Endpoint configurations: which models, on how many instances, with what weights."""

from studio.api import async_inference, models, serverless, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ValidationException
from studio.s3.client import parse_uri

NOUN = store.Noun(
    kind="endpoint-config",
    missing=store.could_not_find("endpoint configuration"),
    taken=store.already_existing("endpoint configuration"),
)

_NOT_YET = ("ExplainerConfig", "VpcConfig")
_MOST_VARIANTS = 10


@operation("sagemaker", "CreateEndpointConfig")
def create_endpoint_config(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["EndpointConfigName"]) or _created(ctx, request)
    return {"EndpointConfigArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    for member in _NOT_YET:
        if request.get(member):
            raise ValidationException(f"{member} is not executed yet.")
    variants = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())]
    if len(variants) > _MOST_VARIANTS:
        raise ValidationException(
            f"An endpoint has at most {_MOST_VARIANTS} variants, shadows among them."
        )
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) != len(names):
        raise ValidationException("VariantName must be unique within an endpoint configuration.")
    for variant in variants:
        _check(ctx, variant)
    serverless.check(request, [_model(ctx, it) for it in variants])
    async_inference.check_config(request)
    if capture := request.get("DataCaptureConfig"):
        parse_uri(capture["DestinationS3Uri"])
    return store.create(ctx, NOUN, request["EndpointConfigName"], request, status="InService")


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(ctx: Context, request: Doc) -> Doc:
    config = store.require(ctx, NOUN, request["EndpointConfigName"])
    variants: Doc = {
        member: [{"InitialVariantWeight": 1.0, **variant} for variant in config.spec[member]]
        for member in ("ProductionVariants", "ShadowProductionVariants")
        if member in config.spec
    }
    return {
        "EnableNetworkIsolation": False,
        **config.spec,
        **variants,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created_at,
    }


@operation("sagemaker", "ListEndpointConfigs")
def list_endpoint_configs(ctx: Context, request: Doc) -> Doc:
    return store.listing(ctx, NOUN, request, _summary, "EndpointConfigs")


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(ctx: Context, request: Doc) -> Doc:
    """Endpoints made of it keep it: they hold a copy."""
    store.delete(ctx, NOUN, request["EndpointConfigName"])
    return {}


def _check(ctx: Context, variant: Doc) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise ValidationException(f"Variant {name}: inference components are not executed yet.")
    store.require(ctx, models.NOUN, variant["ModelName"])
    if "InstanceType" not in variant and "ServerlessConfig" not in variant:
        raise ValidationException(
            f"Variant {name}: InstanceType is required, or a ServerlessConfig."
        )


def _model(ctx: Context, variant: Doc) -> Doc:
    return models.definition(store.require(ctx, models.NOUN, variant["ModelName"]))


def _summary(config: Summary) -> Doc:
    return {
        "EndpointConfigName": config.name,
        "EndpointConfigArn": config.arn,
        "CreationTime": config.created_at,
    }
