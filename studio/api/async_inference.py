"""AsyncInferenceConfig: what of it is executed."""

from dataclasses import replace
from pathlib import Path

from studio.api import models, multi_models, sns_topics
from studio.api.registry import Context
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.s3.client import parse_uri
from studio.serving import backlog


def check_config(request: Doc) -> None:
    """Raises ValidationException for a configuration that can't be executed."""
    config = request.get("AsyncInferenceConfig")
    if config is None:
        return
    for member in ("ShadowProductionVariants", "DataCaptureConfig"):
        if request.get(member):
            raise ValidationException(
                f"{member} is not executed yet for an endpoint with AsyncInferenceConfig."
            )
    if any("ServerlessConfig" in variant for variant in request["ProductionVariants"]):
        raise ValidationException(
            "One or more endpoint features are not supported using this configuration: "
            "AsyncInferenceConfig needs variants with instances, not with ServerlessConfig."
        )
    output = config["OutputConfig"]
    if "S3OutputPath" not in output:
        raise ValidationException("AsyncInferenceConfig.OutputConfig.S3OutputPath is required.")
    for member in ("S3OutputPath", "S3FailurePath"):
        if member in output:
            _check_place(output[member])


def check_topics(ctx: Context, config: Doc | None) -> None:
    """Raises ValidationException for a topic that there is not, to the caller."""
    told = (config or {}).get("OutputConfig", {}).get("NotificationConfig", {})
    for member in ("SuccessTopic", "ErrorTopic"):
        if not told.get(member):
            continue
        try:
            sns_topics.required(replace(ctx, action="sns:Publish"), told[member])
        except ApiError as error:
            text = f"{member} {told[member]}: {error.message}. Create the topic first."
            raise ValidationException(text) from error


def check_deployment(config: Doc | None, before: Doc | None, definitions: dict[str, Doc]) -> None:
    """Raises ValidationException for models that do not answer asynchronously, and for an endpoint
    that answered in the other way `before`."""
    if before is not None and bool(before.get("Async")) != bool(config):
        raise ValidationException(
            "An update can't make an asynchronous endpoint a real-time one, or the other way "
            "round: create another endpoint."
        )
    for definition in definitions.values() if config else ():
        containers = models.containers(definition)
        if len(containers) > 1 or any(map(multi_models.several, containers)):
            raise ValidationException(
                "One or more endpoint features are not supported using this configuration: an "
                "asynchronous endpoint serves models of one container, and no multi-model ones."
            )


def demand(home: Path, endpoint: Resource) -> Doc:
    """What the backlog asks of variants that sleep, as studio.serving.waking tells it of others."""
    deployment = endpoint.state["Deployments"][-1]
    if not deployment.get("Async") or not backlog.path(home).exists():
        return {}
    with backlog.opened(home) as known:
        load = known.loads().get(endpoint.id, backlog.Load())
    if not load.waiting:
        return {}
    asked = {"Asked": load.oldest, "Ready": 0, "Answered": 0}
    return {f"{endpoint.name}/{it['VariantName']}": asked for it in deployment["Variants"]}


def _check_place(uri: str) -> None:
    bucket, _ = parse_uri(uri)
    # Clients are told of it in a header.
    if not all("!" <= letter <= "~" for letter in uri):
        raise ValidationException(
            f"The S3 URI of bucket {bucket} has characters that a URI can't have: encode them."
        )
