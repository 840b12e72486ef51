"""Containers of models: several of a kind in one (`Mode` `MultiModel`), and several in a row."""

import json
import sys

from studio.api import instances
from studio.db.resources import Doc
from studio.errors import ValidationException
from studio.s3.client import parse_uri
from studio.serving import front_control
from studio.settings import Settings

LOADED = "STUDIO_LOADED_MODELS"
"""Variable of a container: how many models there are in memory at the most."""
_PROGRAM = (sys.executable, "-P", "-m", "studio.serving.front")
_SHARE = 0.8
"""Of an instance's memory, for models."""


def several(container: Doc) -> bool:
    """Whether a container has many models."""
    return bool(container.get("Mode") == "MultiModel")


def prefix(container: Doc) -> str:
    """URI below which the models of a container lie; it ends with a slash."""
    url: str = container["ModelDataUrl"]
    return url if url.endswith("/") else f"{url}/"


def hostname(containers: list[Doc], index: int) -> str:
    """By which requests name a container; AWS calls those without a name so."""
    return str(containers[index].get("ContainerHostname", f"container-{index + 1}"))


def direct(model: Doc) -> bool:
    """Whether requests name a container of the model, instead of passing all of them."""
    config = model.get("InferenceExecutionConfig", {})
    return bool(config.get("Mode") == "Direct") and len(model.get("Containers", ())) > 1


def check(model: Doc, containers: list[Doc]) -> None:
    """Raises ValidationException for containers that do not go together."""
    names = [each["ContainerHostname"] for each in containers if "ContainerHostname" in each]
    if len(set(names)) != len(names):
        raise ValidationException("ContainerHostname must be unique within a model.")
    if direct(model) and len(names) != len(containers):
        raise ValidationException(
            "InferenceExecutionConfig Direct: every container needs a ContainerHostname."
        )
    if sum(map(several, containers)) > 1:
        raise ValidationException("Only one container of a model may be of Mode MultiModel.")
    for container in containers:
        _check(container)


def _check(container: Doc) -> None:
    if not several(container):
        if "MultiModelConfig" in container:
            raise ValidationException("MultiModelConfig needs Mode MultiModel.")
        return
    if "ModelDataUrl" not in container:
        raise ValidationException("Mode MultiModel needs a ModelDataUrl: the prefix of the models.")
    parse_uri(container["ModelDataUrl"])
    given = container.get("Environment", {}).get(LOADED, "0")
    if not given.isdecimal():
        raise ValidationException(f"Environment {LOADED} must be a number, not {given[:64]!a}.")


def front(
    settings: Settings, endpoint: tuple[str, str], variant: Doc, container: Doc, run_id: str
) -> tuple[str, ...]:
    """The program that brings the models of a run; `endpoint` is its id and its name."""
    endpoint_id, name = endpoint
    cache = container.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled")
    options = {
        "home": str(settings.home.absolute()),
        "run": run_id,
        "endpoint": name,
        "variant": variant["VariantName"],
        "prefix": prefix(container),
        "keep": cache == "Enabled",
        "bytes": int(instances.memory_bytes(variant["InstanceType"]) * _SHARE),
        "count": int(container.get("Environment", {}).get(LOADED, "0")),
        "pins": str(front_control.pins_path(settings.home.absolute(), endpoint_id)),
    }
    return (*_PROGRAM, "--options", json.dumps(options))
