"""Endpoints: the operations. How servers come and go is in endpoint_plan.py."""

from dataclasses import replace

from studio.api import endpoint_configs, models, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ValidationException

NOUN = store.Noun(
    kind="endpoint",
    missing=store.could_not_find("endpoint"),
    taken=store.already_existing("endpoint"),
)

_IN_TRANSITION = ("Creating", "Updating", "Deleting", "SystemUpdating", "RollingBack")


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["EndpointName"]) or _created(ctx, request)
    return {"EndpointArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    _check(request)
    deployment = _deployment(ctx, request["EndpointConfigName"], 1)
    return store.create(
        ctx,
        NOUN,
        request["EndpointName"],
        request,
        status="Creating",
        due_at=ctx.now(),
        state={"Deployments": [deployment], "Latest": 1, "Active": None, "Routes": []},
    )


@operation("sagemaker", "UpdateEndpoint")
def update_endpoint(ctx: Context, request: Doc) -> Doc:
    _check(request)
    if request.get("RetainAllVariantProperties"):
        raise ValidationException("RetainAllVariantProperties is not executed yet.")

    def updated(endpoint: Resource) -> Resource:
        if endpoint.status in _IN_TRANSITION:
            raise ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if endpoint.status == "Failed":
            raise ValidationException(
                f'Cannot update failed endpoint "{endpoint.arn}": delete it and create it again.'
            )
        latest = endpoint.state["Latest"] + 1
        deployment = _deployment(ctx, request["EndpointConfigName"], latest)
        state = {**endpoint.state, "Latest": latest, "FailureReason": None}
        state["Deployments"] = [*endpoint.state["Deployments"], deployment]
        return replace(endpoint, status="Updating", state=state, due_at=ctx.now())

    endpoint = store.change(ctx, NOUN, request["EndpointName"], updated)
    return {"EndpointArn": endpoint.arn}


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["EndpointName"]))


@operation("sagemaker", "ListEndpoints")
def list_endpoints(ctx: Context, request: Doc) -> Doc:
    return store.listing(ctx, NOUN, request, summary, "Endpoints")


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(ctx: Context, request: Doc) -> Doc:
    def deleted(endpoint: Resource) -> Resource:
        if endpoint.status == "Deleting":
            return endpoint
        if endpoint.status in _IN_TRANSITION:
            raise ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        return replace(endpoint, desired="absent", status="Deleting", due_at=ctx.now())

    store.change(ctx, NOUN, request["EndpointName"], deleted)
    return {}


def described(endpoint: Resource) -> Doc:
    """The endpoint as it serves; what an update brings is pending."""
    state = endpoint.state
    shown = next(
        (each for each in state["Deployments"] if each["Generation"] == state["Active"]),
        state["Deployments"][0],
    )
    pending = state["Deployments"][-1] if endpoint.status == "Updating" else None
    return {
        **summary(endpoint),
        "EndpointConfigName": shown["EndpointConfigName"],
        "ProductionVariants": _variants(shown) if state["Active"] else None,
        "PendingDeploymentSummary": pending and _pending(pending),
        "FailureReason": state.get("FailureReason"),
        "LastDeploymentConfig": endpoint.spec.get("DeploymentConfig"),
    }


def _check(request: Doc) -> None:
    policy = request.get("DeploymentConfig", {})
    blue_green = policy.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    if "RollingUpdatePolicy" in policy or blue_green.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        raise ValidationException(
            "DeploymentConfig: only traffic routing ALL_AT_ONCE is executed yet."
        )
    if "AutoRollbackConfiguration" in policy:
        raise ValidationException("DeploymentConfig: roll-back by alarms is not executed yet.")


def _deployment(ctx: Context, config_name: str, generation: int) -> Doc:
    """A copy of configuration and models: either may be deleted while the endpoint lives."""
    config = store.require(ctx, endpoint_configs.NOUN, config_name)
    variants = config.spec["ProductionVariants"]
    definitions = {}
    for name in {variant["ModelName"] for variant in variants}:
        definition = store.require(ctx, models.NOUN, name).spec
        if len(models.containers(definition)) != 1:
            raise ValidationException(
                f"Model {name}: inference pipelines (several containers) are not executed yet."
            )
        definitions[name] = definition
    return {
        "Generation": generation,
        "EndpointConfigName": config_name,
        "StartTime": ctx.now(),
        "Variants": variants,
        "Models": definitions,
    }


def summary(endpoint: Resource | Summary) -> Doc:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
        "EndpointStatus": endpoint.status,
    }


def _variants(deployment: Doc) -> list[Doc]:
    return [_variant(deployment, variant) for variant in deployment["Variants"]]


def _variant(deployment: Doc, variant: Doc) -> Doc:
    container = models.containers(deployment["Models"][variant["ModelName"]])[0]
    weight = variant.get("InitialVariantWeight", 1.0)
    count = variant.get("InitialInstanceCount", 1)
    image = {
        "SpecifiedImage": container["Image"],
        "ResolvedImage": container["Image"],
        "ResolutionTime": deployment["StartTime"],
    }
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [image],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }


def _pending(deployment: Doc) -> Doc:
    return {
        "EndpointConfigName": deployment["EndpointConfigName"],
        "ProductionVariants": _variants(deployment),
        "StartTime": deployment["StartTime"],
    }
