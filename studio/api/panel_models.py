"""The models of a multi-model endpoint: what lies in S3, what its replicas have loaded, pins."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from studio.api import endpoint_routes, endpoints, models, multi_models, panel_endpoints, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException
from studio.s3.client import parse_uri
from studio.s3.guard import GuardedStorage
from studio.s3.index import StoredObject
from studio.serving import front_control, manager

_PAGE = 100
_MOST_LISTED = 20_000


@operation("studio", "ListEndpointModels")
def list_endpoint_models(ctx: Context, request: Doc) -> Doc:
    endpoint, variant, container = _served(ctx, request)
    bucket, prefix = parse_uri(multi_models.prefix(container))
    stored = {it.key.removeprefix(prefix): it for it in _stored(ctx, bucket, prefix)}
    told = list(_told(ctx, endpoint, variant))
    pins = front_control.pins(_pins(ctx, endpoint))
    known = {target for each in told for target in each}
    every = sorted(stored.keys() | known | pins)
    rows = _fitting(request, (_row(it, stored.get(it), told, it in pins) for it in every))
    token = request.get("NextToken", "")
    start = int(token) if token.isdecimal() else 0
    end = start + request.get("MaxResults", _PAGE)
    return {
        "Models": rows[start:end],
        "Total": len(rows),
        "Loaded": sum(row["Status"] == "Loaded" for row in rows),
        "Replicas": len(told),
        "VariantName": variant["VariantName"],
        "S3Uri": multi_models.prefix(container),
        "NextToken": str(end) if end < len(rows) else None,
    }


@operation("studio", "LoadEndpointModel")
def load_endpoint_model(ctx: Context, request: Doc) -> Doc:
    """Waits until every replica has it, for a minute at most."""
    endpoint, variant, _ = _served(ctx, request)
    return _asked(ctx, endpoint, variant, {"Load": _target(request)})


@operation("studio", "UnloadEndpointModel")
def unload_endpoint_model(ctx: Context, request: Doc) -> Doc:
    """Requests that it has end first; the next one for it loads it again."""
    endpoint, variant, _ = _served(ctx, request)
    target = _target(request)
    if target in front_control.pins(_pins(ctx, endpoint)):
        raise ValidationException(f"Model {target} is pinned: unpin it first.")
    return _asked(ctx, endpoint, variant, {"Unload": target})


@operation("studio", "PinEndpointModel")
def pin_endpoint_model(ctx: Context, request: Doc) -> Doc:
    """On disk on return; replicas load it within a second or two."""
    endpoint, _, _ = _served(ctx, request)
    front_control.pin(_pins(ctx, endpoint), _target(request), request.get("Pinned", True))
    return {}


def _fitting(request: Doc, rows: Iterator[Doc]) -> list[Doc]:
    """Those that the filters let through, in the order that is asked for."""
    wanted, status = request.get("NameContains", ""), request.get("StatusEquals")
    found = [
        row
        for row in rows
        if wanted in row["TargetModel"]
        and status in (None, row["Status"])
        and (row["Pinned"] or not request.get("PinnedOnly"))
    ]
    order = request.get("SortBy", "Name")
    if order != "Name":
        found.sort(key=lambda row: row[order] or 0, reverse=True)
    return found


def _served(ctx: Context, request: Doc) -> tuple[Resource, Doc, Doc]:
    """The endpoint, its variant of many models, and the container. Raises ApiError."""
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    deployment = endpoints.shown(endpoint)
    wanted = request.get("VariantName")
    for variant in deployment["Variants"]:
        if wanted in (None, variant["VariantName"]):
            for container in models.containers(deployment["Models"][variant["ModelName"]]):
                if multi_models.several(container):
                    return endpoint, variant, container
    raise ValidationException(f'"{endpoint.name}" is not a multi-model endpoint.')


def _target(request: Doc) -> str:
    target: str = request["TargetModel"].removeprefix("/")
    try:
        manager.check(target)
    except ApiError as error:
        raise ValidationException(error.message) from error
    return target


def _pins(ctx: Context, endpoint: Resource) -> Path:
    return front_control.pins_path(ctx.settings.home, endpoint.id)


def _stored(ctx: Context, bucket: str, prefix: str) -> Iterator[StoredObject]:
    """As far as the caller may look."""
    storage = GuardedStorage(ctx.store, partial(ctx.buckets.check, ctx.caller.principal))
    for number, each in enumerate(storage.list(bucket, prefix)):
        if number == _MOST_LISTED:
            return
        if each.key != prefix and not each.key.endswith("/"):
            yield each


def _fronts(ctx: Context, endpoint: Resource, variant: Doc) -> list[Path]:
    """Folders of the runs that serve the variant's models."""
    deployment = endpoints.shown(endpoint)
    wanted = set(endpoint_routes.roles(deployment))
    with ctx.db.read() as connection:
        runs = {run.role: run for run in resources.runs(connection, endpoint.id, 1)}
    mine = [runs[role] for role in sorted(wanted & runs.keys())]
    return [
        folder
        for run in mine
        if run.role.split("/")[2] == variant["VariantName"]
        for folder in [ctx.settings.runs / run.id]
        if (folder / front_control.SOCKET).exists() and panel_endpoints.status(ctx, run).ready
    ]


def _told(ctx: Context, endpoint: Resource, variant: Doc) -> Iterator[dict[str, Doc]]:
    for folder in _fronts(ctx, endpoint, variant):
        try:
            yield front_control.ask(folder, {})["Models"]
        except (OSError, ValueError, KeyError):
            continue  # it is being started again


def _asked(ctx: Context, endpoint: Resource, variant: Doc, question: Doc) -> Doc:
    folders = _fronts(ctx, endpoint, variant)
    if not folders:
        raise ValidationException(f"Endpoint {endpoint.name} has no replica that serves models.")
    with ThreadPoolExecutor(len(folders)) as threads:
        try:
            answers = list(threads.map(lambda it: front_control.ask(it, question), folders))
        except (OSError, ValueError) as error:
            raise ValidationException(f"A replica did not answer in time: {error}") from error
    for answer in answers:
        if "Error" in answer:
            raise ValidationException(answer["Error"])
    return {"Replicas": len(answers)}


def _row(target: str, stored: StoredObject | None, told: list[dict[str, Doc]], pinned: bool) -> Doc:
    mine = [each[target] for each in told if target in each]
    here = [each.get("status") for each in mine]
    status = next((it for it in ("Loaded", "Loading") if it in here), "NotLoaded")
    problems = [each["problem"] for each in mine if each.get("problem")]
    return {
        "TargetModel": target,
        "Status": "Missing" if stored is None and status == "NotLoaded" else status,
        "Pinned": pinned,
        "LoadedReplicas": here.count("Loaded"),
        "Size": stored.size if stored else None,
        "LastModifiedTime": stored.modified if stored else None,
        "MemoryBytes": max((each.get("memory", 0) for each in mine), default=0),
        "Invocations": sum(each.get("invocations", 0) for each in mine),
        "Hits": sum(each.get("hits", 0) for each in mine),
        "Errors": sum(each.get("errors", 0) for each in mine),
        "LastUsedTime": max((each.get("last_used") or 0 for each in mine), default=0) or None,
        "Problem": problems[0] if problems else None,
    }
