"""Endpoints: the operations. How servers come and go is in endpoint_plan.py."""

from collections.abc import Mapping
from dataclasses import replace

from studio.api import (
    alarms,
    async_inference,
    deployment_config,
    endpoint_configs,
    endpoint_plan,
    endpoint_rollout,
    endpoint_sleep,
    models,
    serverless,
    store,
)
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ValidationException
from studio.serving import front_control

NOUN = store.Noun(
    kind="endpoint",
    missing=store.could_not_find("endpoint"),
    taken=store.already_existing("endpoint"),
)

UNDER_WAY = ("Updating", "RollingBack", "UpdateRollbackFailed")
"""States of an endpoint that has an update."""

_IN_TRANSITION = ("Creating", "Updating", "Deleting", "SystemUpdating", "RollingBack")


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["EndpointName"]) or _created(ctx, request)
    return {"EndpointArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    deployment = _deployment(ctx, request["EndpointConfigName"], 1)
    policy = _policy(ctx, request.get("DeploymentConfig"), deployment)
    return store.create(
        ctx,
        NOUN,
        request["EndpointName"],
        request,
        status="Creating",
        due_at=ctx.now(),
        state={
            "Deployments": [deployment],
            "Latest": 1,
            "Active": None,
            "Routes": [],
            "LastPolicy": policy,
        },
    )


@operation("sagemaker", "UpdateEndpoint")
def update_endpoint(ctx: Context, request: Doc) -> Doc:
    def updated(endpoint: Resource) -> Resource:
        _check_settled(endpoint)
        state, latest = endpoint_rollout.accepted(endpoint), endpoint.state["Latest"] + 1
        before = state["Deployments"][-1]
        deployment = _deployment(ctx, request["EndpointConfigName"], latest, before)
        if request.get("RetainAllVariantProperties"):
            deployment |= _retained(state["Deployments"][-1], deployment, request)
        given = request.get("DeploymentConfig")
        if given is None and request.get("RetainDeploymentConfig"):
            given = state.get("LastPolicy")
        deployment["Policy"] = _policy(ctx, given, deployment)
        state |= {"Latest": latest, "FailureReason": None}
        state |= {"LastPolicy": deployment["Policy"]} if given else {}
        state["Deployments"] = [*state["Deployments"], deployment]
        return replace(endpoint, status="Updating", state=state, due_at=ctx.now())

    endpoint = store.change(ctx, NOUN, request["EndpointName"], updated)
    return {"EndpointArn": endpoint.arn}


@operation("sagemaker", "UpdateEndpointWeightsAndCapacities")
def update_weights(ctx: Context, request: Doc) -> Doc:
    """The servers that go on serving are not started anew."""
    wanted = {it["VariantName"]: it for it in request["DesiredWeightsAndCapacities"]}

    def updated(endpoint: Resource) -> Resource:
        return reweighted(endpoint, wanted, ctx.now())

    endpoint = store.change(ctx, NOUN, request["EndpointName"], updated)
    return {"EndpointArn": endpoint.arn}


def reweighted(
    endpoint: Resource, wanted: Mapping[str, Doc], now: int, message: str = ""
) -> Resource:
    """The endpoint on its way to other weights and counts, given by the names of variants; its
    history will say `message`. Raises ValidationException."""
    _check_settled(endpoint)
    if endpoint.status == "UpdateRollbackFailed":
        raise ValidationException(
            f'The roll-back of endpoint "{endpoint.arn}" failed: update it, or delete it.'
        )
    variants = endpoint.state["Deployments"][-1]["Variants"]
    for name in wanted.keys() - {variant["VariantName"] for variant in variants}:
        raise ValidationException(f'The endpoint "{endpoint.name}" has no variant "{name}".')
    changed = [_rescaled(it, wanted.get(it["VariantName"], {})) for it in variants]
    state = endpoint_plan.rescaled(endpoint, changed, now, message)
    return replace(endpoint, status="Updating", state=state, due_at=now)


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

    endpoint = store.change(ctx, NOUN, request["EndpointName"], deleted)
    front_control.pins_path(ctx.settings.home, endpoint.id).unlink(missing_ok=True)
    return {}


def described(endpoint: Resource) -> Doc:
    """The endpoint as it serves; what an update brings is pending."""
    state = endpoint.state
    serving = shown(endpoint)
    youngest = state["Deployments"][-1]
    pending = youngest if endpoint.status in UNDER_WAY and youngest is not serving else None
    return {
        **summary(endpoint),
        "EndpointConfigName": serving["EndpointConfigName"],
        **(_variants(serving, state.get("Before")) if state["Active"] else {}),
        "DataCaptureConfig": captured(endpoint, serving),
        "AsyncInferenceConfig": serving.get("Async"),
        "PendingDeploymentSummary": pending and _pending(endpoint, pending),
        "FailureReason": state.get("FailureReason"),
        "LastDeploymentConfig": state.get("LastPolicy") or None,
    }


def shown(endpoint: Resource) -> Doc:
    """The deployment that serves, or the first while none does."""
    state = endpoint.state
    return next(
        (each for each in state["Deployments"] if each["Generation"] == state["Active"]),
        state["Deployments"][0],
    )


def _policy(ctx: Context, config: Doc | None, deployment: Doc) -> Doc:
    """The DeploymentConfig of a deployment, once it is known to be right."""
    policy = deployment_config.checked(config, deployment["Variants"])
    names = deployment_config.strategy(policy, deployment["Variants"]).alarms
    if lacking := sorted(set(names) - set(alarms.known(ctx, names))):
        raise ValidationException(f"Could not find the alarms {', '.join(lacking)}.")
    return policy


def _check_settled(endpoint: Resource) -> None:
    if endpoint.status in _IN_TRANSITION:
        raise ValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.status == "Failed":
        raise ValidationException(
            f'Cannot update failed endpoint "{endpoint.arn}": delete it and create it again.'
        )


def _rescaled(variant: Doc, wanted: Doc) -> Doc:
    """A variant with the weight and the number of instances that are wanted of it."""
    weight = wanted.get("DesiredWeight", _weight(variant))
    weighted = {**variant, "InitialVariantWeight": weight}
    if "ServerlessConfig" in variant or "ServerlessUpdateConfig" in wanted:
        return serverless.updated(weighted, wanted)
    return endpoint_sleep.with_count(weighted, wanted.get("DesiredInstanceCount", _count(variant)))


def _retained(before: Doc, deployment: Doc, request: Doc) -> Doc:
    """What an update leaves as it is, though the new configuration says otherwise."""
    excluded = request.get("ExcludeRetainedVariantProperties", ())
    changed = {each["VariantPropertyType"] for each in excluded}
    names = {
        "DesiredWeight": "InitialVariantWeight",
        "DesiredInstanceCount": "InitialInstanceCount",
    }
    kept = [member for name, member in names.items() if name not in changed]
    kept += ["Sleeps"] if "InitialInstanceCount" in kept else []
    known = {each["VariantName"]: each for each in before["Variants"]}
    variants = [
        each | {it: was[it] for it in kept if it in (was := known.get(each["VariantName"], {}))}
        if not serverless.either(each, known)
        else each
        for each in deployment["Variants"]
    ]
    capture = (deployment if "DataCaptureConfig" in changed else before).get("Capture")
    return {"Variants": variants, "Capture": capture}


def _deployment(ctx: Context, config_name: str, generation: int, before: Doc | None = None) -> Doc:
    """A copy of configuration and models: either may be deleted while the endpoint lives. `before`:
    what it is to take over from."""
    config = store.require(ctx, endpoint_configs.NOUN, config_name)
    shadows = config.spec.get("ShadowProductionVariants", ())
    variants = [
        *config.spec["ProductionVariants"],
        *({**shadow, "Shadow": True} for shadow in shadows),
    ]
    names = {variant["ModelName"] for variant in variants}
    definitions = {name: models.definition(store.require(ctx, models.NOUN, name)) for name in names}
    asynchronous = config.spec.get("AsyncInferenceConfig")
    async_inference.check_deployment(asynchronous, before, definitions)
    async_inference.check_topics(ctx, asynchronous)
    variants = [
        endpoint_sleep.begun(_with_containers(it, definitions[it["ModelName"]]), ctx.now())
        for it in variants
    ]
    return {
        "Generation": generation,
        "EndpointConfigName": config_name,
        "StartTime": ctx.now(),
        "Variants": variants,
        "Models": definitions,
        "Capture": config.spec.get("DataCaptureConfig"),
        "Async": asynchronous,
    }


def _with_containers(variant: Doc, definition: Doc) -> Doc:
    """The variant, with the number of its model's containers when there are several."""
    number = len(models.containers(definition))
    if number > 1 and "Shadow" in variant:
        raise ValidationException(
            f"Variant {variant['VariantName']}: a shadow of several containers is not executed yet."
        )
    return {**variant, "Containers": number} if number > 1 else variant


def summary(endpoint: Resource | Summary) -> Doc:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": endpoint.created_at,
        "LastModifiedTime": endpoint.modified_at,
        "EndpointStatus": endpoint.status,
    }


def captured(endpoint: Resource, deployment: Doc) -> Doc | None:
    """What is captured of a deployment; None when nothing ever was to be."""
    config = deployment.get("Capture")
    if not config:
        return None
    enabled = config.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled and endpoint.state["Routes"] else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _variants(deployment: Doc, before: Doc | None = None) -> Doc:
    """Members with the variants; `before`: as they were when a change of weights and counts began
    that is not done."""
    variants = deployment["Variants"]
    both = list(zip(variants, before["Variants"] if before else variants, strict=True))
    production = [_variant(deployment, *it) for it in both if "Shadow" not in it[0]]
    shadows = [_variant(deployment, *it) for it in both if "Shadow" in it[0]]
    return {"ProductionVariants": production, "ShadowProductionVariants": shadows or None}


def _variant(deployment: Doc, variant: Doc, current: Doc) -> Doc:
    containers = models.containers(deployment["Models"][variant["ModelName"]])
    # Of a single container its digest is known.
    known = deployment.get("Images", {}).get(variant["VariantName"]) if len(containers) == 1 else ""
    images = [
        {
            "SpecifiedImage": container["Image"],
            "ResolvedImage": known or container["Image"],
            "ResolutionTime": deployment["StartTime"],
        }
        for container in containers
    ]
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": images,
        "CurrentWeight": _weight(current),
        "DesiredWeight": _weight(variant),
        **(serverless.described(variant, current) or _counts(variant, current)),
    }


def _counts(variant: Doc, current: Doc) -> Doc:
    return {
        "CurrentInstanceCount": _count(current),
        "DesiredInstanceCount": _count(variant),
    }


def _weight(variant: Doc) -> float:
    return float(variant.get("InitialVariantWeight", 1.0))


def _count(variant: Doc) -> int:
    return int(variant.get("InitialInstanceCount", 1))


def _pending(endpoint: Resource, deployment: Doc) -> Doc:
    """What an update brings, with what of it is there."""
    variants = _variants(deployment)
    routes = {
        it["name"]: it
        for it in endpoint.state["Routes"]
        if it.get("fleet") == str(deployment["Generation"])
    }
    shifts = deployment.get("Shifts", [])
    status = "Baking" if shifts else "Creating"
    if endpoint.status != "Updating":
        status = "Deleting"
    since = shifts[-1]["At"] if shifts else deployment["StartTime"]
    for variant in (*variants["ProductionVariants"], *(variants["ShadowProductionVariants"] or ())):
        route = routes.get(variant["VariantName"], {"servers": [], "weight": 0.0, "share": 0.0})
        variant["CurrentInstanceCount"] = len(route["servers"])
        variant["CurrentWeight"] = route["weight"] * route["share"]
        variant["VariantStatus"] = [{"Status": status, "StartTime": since}]
    return {
        "EndpointConfigName": deployment["EndpointConfigName"],
        **variants,
        "StartTime": deployment["StartTime"],
    }
