"""What the router is told of an endpoint: whose requests go where, and what is recorded of them."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Observed
from studio.serving.table import Variant, captured


def roles(deployment: Doc, part: Fraction = Fraction(1)) -> Iterator[str]:
    """One role a server: serve/<generation>/<variant>/<number>; of each variant that part of its
    instances, rounded up."""
    for variant in deployment["Variants"]:
        for number in range(ceil(part * variant.get("InitialInstanceCount", 1))):
            yield f"serve/{deployment['Generation']}/{variant['VariantName']}/{number}"


def routes(
    endpoint: Resource,
    deployment: Doc,
    observed: list[Observed],
    part: Fraction = Fraction(1),
    share: float | None = None,
) -> list[Doc]:
    """The `Routes` of an endpoint's state: variants with those servers, of that part of them, that
    are healthy. `share`: of the endpoint's requests, while another fleet has the others."""
    capture = _captured(endpoint, deployment)
    fleet = {} if share is None else {"fleet": str(deployment["Generation"]), "share": share}
    ready: dict[str, list[str]] = {}
    mine = set(roles(deployment, part))
    for each in observed:
        if each.run.role in mine and each.status.ready:
            variant = each.run.role.split("/")[2]
            ready.setdefault(variant, []).append(each.status.address)
    return [
        {
            "name": variant["VariantName"],
            "weight": variant.get("InitialVariantWeight", 1.0),
            "servers": ready.get(variant["VariantName"], []),
            **fleet,
            **(
                {"shadow": shadow_record(endpoint, deployment, variant)}
                if "Shadow" in variant
                else capture
            ),
        }
        for variant in deployment["Variants"]
    ]


def variants(routes: list[Doc]) -> tuple[Variant, ...]:
    """The `Routes` of an endpoint's state as the router's table has them."""
    return tuple(
        Variant(
            each["name"],
            each["weight"],
            tuple(each["servers"]),
            shadow=each.get("shadow", ""),
            capture=captured(each["capture"]) if "capture" in each else None,
            fleet=each.get("fleet", ""),
            share=each.get("share", 1.0),
        )
        for each in routes
    )


def record(endpoint: Resource, deployment: Doc) -> str:
    """Name of what is captured of a deployment's requests."""
    return f"{endpoint.id}.{deployment['Generation']}"


def shadow_record(endpoint: Resource, deployment: Doc, variant: Doc) -> str:
    """Name of what is recorded of a shadow's answers."""
    return f"{record(endpoint, deployment)}.{variant['VariantName']}"


def role_of(deployment: Doc, variant: Doc) -> str:
    """ARN of the role that a variant's model has."""
    return str(deployment["Models"][variant["ModelName"]].get("ExecutionRoleArn", ""))


def _captured(endpoint: Resource, deployment: Doc) -> Doc:
    """What the router's table says of captured data; nothing when there is none."""
    config = deployment.get("Capture") or {}
    if not config.get("EnableCapture"):
        return {}
    modes = {each["CaptureMode"] for each in config["CaptureOptions"]}
    kinds = config.get("CaptureContentTypeHeader", {})
    capture = {
        "record": record(endpoint, deployment),
        "percent": config["InitialSamplingPercentage"],
        "destination": config["DestinationS3Uri"],
        "role": role_of(deployment, deployment["Variants"][0]),
        "owner": endpoint.owner,
        "input": bool(modes & {"Input", "InputAndOutput"}),
        "output": bool(modes & {"Output", "InputAndOutput"}),
        "csv": [it.lower() for it in kinds.get("CsvContentTypes", ())],
        "json": [it.lower() for it in kinds.get("JsonContentTypes", ())],
    }
    return {"capture": capture}
