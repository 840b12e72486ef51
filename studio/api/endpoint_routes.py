"""What the router is told of an endpoint: whose requests go where, and what is recorded of them."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from studio.api import endpoint_limits, endpoint_sleep, models, multi_models
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Observed
from studio.serving.bounds import bounded
from studio.serving.table import Variant, captured, container, queued, tested

CONCURRENCY = 4
"""Asynchronous requests that a server is sent at once, unless the configuration says."""


def roles(deployment: Doc, part: Fraction = Fraction(1)) -> Iterator[str]:
    """One role a server: serve/<generation>/<variant>/<number>, of a second container <number>.1
    and so on; of each variant that part of its instances, rounded up."""
    for variant in deployment["Variants"]:
        prefix = f"serve/{deployment['Generation']}/{variant['VariantName']}"
        for number in range(ceil(part * variant.get("InitialInstanceCount", 1))):
            yield f"{prefix}/{number}"
            yield from (f"{prefix}/{number}.{it}" for it in range(1, variant.get("Containers", 1)))


def place(role: str) -> tuple[int, int]:
    """Number of the instance, and of the container, of a role; both from 0 on."""
    number, _, container = role.rpartition("/")[2].partition(".")
    return int(number), int(container or 0)


def routes(
    endpoint: Resource,
    deployment: Doc,
    observed: list[Observed],
    part: Fraction = Fraction(1),
    share: float | None = None,
) -> list[Doc]:
    """The `Routes` of an endpoint's state: variants with those servers, of that part of them, that
    are healthy. `share`: of the endpoint's requests, while another fleet has the others."""
    capture, queue = _captured(endpoint, deployment), _queue(endpoint, deployment)
    fleet = {} if share is None else {"fleet": str(deployment["Generation"]), "share": share}
    ready: dict[tuple[str, int], list[str]] = {}
    mine = set(roles(deployment, part))
    latest = {each.run.role: each for each in observed if each.run.role in mine}
    for each in observed:
        if each.run.role in mine and each.status.ready:
            key = each.run.role.split("/")[2], place(each.run.role)[1]
            ready.setdefault(key, []).append(each.status.address)
    return [
        {
            "name": variant["VariantName"],
            "weight": variant.get("InitialVariantWeight", 1.0),
            **endpoint_sleep.slept(endpoint, variant, _trouble(variant, latest)),
            **_served(deployment, variant, ready),
            **endpoint_limits.of(endpoint, "ServerlessConfig" in variant),
            **fleet,
            **(
                {"shadow": shadow_record(endpoint, deployment, variant)}
                if "Shadow" in variant
                else capture
            ),
            **_arm(endpoint, deployment, variant),
            **queue,
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
            models=each.get("models", False),
            containers=tuple(container(it) for it in each.get("containers", ())),
            direct=each.get("direct", False),
            bounds=bounded(each["bounds"]) if "bounds" in each else None,
            arm=tested(each["arm"]) if "arm" in each else None,
            sleep=endpoint_sleep.table(each),
            queue=queued(each["queue"]) if "queue" in each else None,
        )
        for each in routes
    )


def _trouble(variant: Doc, latest: dict[str, Observed]) -> str:
    """Why none of a variant's servers is there, once all that there should be have ended."""
    name = variant["VariantName"]
    mine = [each.status for role, each in latest.items() if role.split("/")[2] == name]
    if not mine or not all(each.ended and each.phase == "failed" for each in mine):
        return ""
    return mine[0].message or mine[0].reason


def _served(deployment: Doc, variant: Doc, ready: dict[tuple[str, int], list[str]]) -> Doc:
    """The servers of a variant: of all its containers, when there are several."""
    name = variant["VariantName"]
    model = deployment["Models"][variant["ModelName"]]
    containers = models.containers(model)
    many = {"models": True} if any(map(multi_models.several, containers)) else {}
    if len(containers) == 1:
        return {"servers": ready.get((name, 0), []), **many}
    found = [ready.get((name, number), []) for number in range(len(containers))]
    direct = multi_models.direct(model)
    # A row of containers serves when each of them does.
    serving = any(found) if direct else all(found)
    return {
        "servers": next((each for each in found if each), []) if serving else [],
        "direct": direct,
        "containers": [
            {
                "name": multi_models.hostname(containers, number),
                "servers": servers,
                "models": multi_models.several(containers[number]),
            }
            for number, servers in enumerate(found)
        ],
        **many,
    }


def record(endpoint: Resource, deployment: Doc) -> str:
    """Name of what is captured of a deployment's requests."""
    return f"{endpoint.id}.{deployment['Generation']}"


def shadow_record(endpoint: Resource, deployment: Doc, variant: Doc) -> str:
    """Name of what is recorded of a shadow's answers."""
    return f"{record(endpoint, deployment)}.{variant['VariantName']}"


def role_of(deployment: Doc, variant: Doc) -> str:
    """ARN of the role that a variant's model has."""
    return str(deployment["Models"][variant["ModelName"]].get("ExecutionRoleArn", ""))


def _arm(endpoint: Resource, deployment: Doc, variant: Doc) -> Doc:
    """What the variant is in the test that runs on the endpoint; nothing when it is no part."""
    test = endpoint.state.get("Test")
    if not test or test["Generation"] != deployment["Generation"]:
        return {}
    if "Shadow" in variant or variant["VariantName"] not in test["Variants"]:
        return {}
    return {"arm": {"test": test["Id"], "ids": test["Ids"]}}


def _queue(endpoint: Resource, deployment: Doc) -> Doc:
    """What the router's table says of asynchronous requests; nothing when there are none."""
    config = deployment.get("Async")
    if not config:
        return {}
    output = config["OutputConfig"]
    wanted = config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance")
    queue = {
        "name": endpoint.id,
        "output": output["S3OutputPath"],
        "failure": output.get("S3FailurePath", ""),
        "concurrency": wanted or CONCURRENCY,
        "role": role_of(deployment, deployment["Variants"][0]),
        "owner": endpoint.owner,
    }
    if told := output.get("NotificationConfig"):
        queue["success"], queue["error"] = (
            told.get(it, "") for it in ("SuccessTopic", "ErrorTopic")
        )
        queue["included"] = told.get("IncludeInferenceResponseIn", [])
    return {"queue": queue}


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
