"""Serverless variants: what they may be, and how they are told and updated."""

from studio.api import models, multi_models
from studio.db.resources import Doc
from studio.errors import ValidationException

_STEP_MB = 1_024
_OF_INSTANCES = (
    "InstanceType",
    "InitialInstanceCount",
    "AcceleratorType",
    "VolumeSizeInGB",
    "ManagedInstanceScaling",
    "RoutingConfig",
    "InferenceAmiVersion",
    "CoreDumpConfig",
)
_ALONE = ("DataCaptureConfig", "ShadowProductionVariants", "AsyncInferenceConfig")


def check(config: Doc, definitions: list[Doc]) -> None:
    """Raises ValidationException for what does not go together in an endpoint configuration;
    `definitions` are the models of its variants."""
    variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", ())]
    if not any("ServerlessConfig" in each for each in variants):
        return
    if len(variants) > 1:
        raise ValidationException("An endpoint with a ServerlessConfig has one variant.")
    for member in _ALONE:
        if config.get(member):
            raise ValidationException(f"{member} does not go with a ServerlessConfig.")
    _check_variant(variants[0])
    _check_model(variants[0]["VariantName"], definitions[0])


def either(variant: Doc, known: dict[str, Doc]) -> bool:
    """Whether a variant is serverless, or was."""
    return any("ServerlessConfig" in it for it in (variant, known.get(variant["VariantName"], {})))


def updated(variant: Doc, wanted: Doc) -> Doc:
    """The variant with what UpdateEndpointWeightsAndCapacities wants of it. Raises
    ValidationException."""
    name, more = variant["VariantName"], wanted.get("ServerlessUpdateConfig", {})
    if "ServerlessConfig" not in variant:
        raise ValidationException(
            f"Variant {name}: ServerlessUpdateConfig is for serverless variants."
        )
    if "DesiredInstanceCount" in wanted:
        raise ValidationException(
            f"Variant {name}: DesiredInstanceCount is for variants of instances."
        )
    made = {**variant, "ServerlessConfig": {**variant["ServerlessConfig"], **more}}
    _check_config(name, made["ServerlessConfig"])
    return made


def described(variant: Doc, current: Doc) -> Doc:
    """Members of a description of a serverless variant; nothing of others."""
    if "ServerlessConfig" not in variant:
        return {}
    return {
        "CurrentInstanceCount": 0,
        "CurrentServerlessConfig": current.get("ServerlessConfig"),
        "DesiredServerlessConfig": variant["ServerlessConfig"],
    }


def _check_variant(variant: Doc) -> None:
    name = variant["VariantName"]
    for member in _OF_INSTANCES:
        if member in variant:
            raise ValidationException(
                f"Variant {name}: {member} is for variants of instances, not with ServerlessConfig."
            )
    _check_config(name, variant["ServerlessConfig"])


def _check_config(name: str, config: Doc) -> None:
    if config["MemorySizeInMB"] % _STEP_MB:
        raise ValidationException(
            f"Variant {name}: MemorySizeInMB must be 1024, 2048, 3072, 4096, 5120 or 6144, "
            f"not {config['MemorySizeInMB']}."
        )
    most, warm = config["MaxConcurrency"], config.get("ProvisionedConcurrency", 0)
    if warm > most:
        raise ValidationException(
            f"Variant {name}: ProvisionedConcurrency {warm} is more than MaxConcurrency {most}."
        )


def _check_model(name: str, definition: Doc) -> None:
    containers = models.containers(definition)
    for refused, what in (
        (len(containers) > 1, "a model of several containers"),
        (any(map(multi_models.several, containers)), "a container of Mode MultiModel"),
        (definition.get("EnableNetworkIsolation", False), "EnableNetworkIsolation"),
    ):
        if refused:
            raise ValidationException(f"Variant {name}: {what} does not go with ServerlessConfig.")
