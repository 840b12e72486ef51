"""What tables and the navigator show of resources: any window of a list, and how many there are."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement

from studio.api import endpoints, models, store
from studio.api.registry import Context, operation
from studio.db import windows
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE

_KINDS = ("training-job", "endpoint", "endpoint-config", "model")
_REASON_CHARACTERS = 500


@operation("studio", "QueryResources")
def query_resources(ctx: Context, request: Doc) -> Doc:
    every = windows.live(store.scope(ctx, request["Kind"]))
    wanted = [*every, *_filters(request)]
    chosen = request.get("Statuses")
    shown = [*wanted, RESOURCE.c.status.in_(chosen)] if chosen else wanted
    by = request.get("SortBy", "CreationTime"), request.get("SortOrder") != "Ascending"
    place = request.get("Offset", 0), request.get("Limit", 100)
    with ctx.db.read() as connection:
        counts = windows.counts(connection, wanted)
        unfiltered = windows.counts(connection, every) if len(wanted) > len(every) else counts
        rows = windows.window(connection, shown, by, place, ctx.now())
    total = sum(count for status, count in counts.items() if not chosen or status in chosen)
    return {
        "Rows": [_row(resource) for resource in rows],
        "Total": total,
        "CountsByStatus": counts,
        "Unfiltered": sum(unfiltered.values()),
    }


@operation("studio", "CountResources")
def count_resources(ctx: Context, _request: Doc) -> Doc:
    with ctx.db.read() as connection:
        found = {
            kind: windows.counts(connection, windows.live(store.scope(ctx, kind)))
            for kind in _KINDS
        }
    return {
        "Counts": [
            {"Kind": kind, "Total": sum(counts.values()), "CountsByStatus": counts}
            for kind, counts in found.items()
        ]
    }


def _filters(request: Doc) -> list[ColumnElement[bool]]:
    """All that is asked for but the statuses: how many there are of each is told of all."""
    wanted: list[ColumnElement[bool]] = []
    if text := request.get("Text", "").strip():
        wanted.append(windows.named(text))
    if "CreatedAfter" in request:
        wanted.append(RESOURCE.c.created_at >= request["CreatedAfter"])
    if "CreatedBefore" in request:
        wanted.append(RESOURCE.c.created_at < request["CreatedBefore"])
    return [*wanted, *map(windows.tagged, request.get("Tags", []))]


def _row(resource: Resource) -> Doc:
    common = {
        "Kind": resource.kind,
        "Name": resource.name,
        "Arn": resource.arn,
        "Status": resource.status,
        "CreationTime": resource.created_at,
        "LastModifiedTime": resource.modified_at,
        "FailureReason": _first_line(resource.state.get("FailureReason")),
        "Tags": resource.tags,
    }
    return {**common, **_OF_KIND[resource.kind](resource)}


def _job(job: Resource) -> Doc:
    config = job.spec.get("ResourceConfig", {})
    groups = config.get("InstanceGroups") or [config]
    last = job.state["Transitions"][-1]
    start, end = job.state.get("TrainingStartTime"), job.state.get("TrainingEndTime")
    return {
        "SecondaryStatus": last["Status"],
        "StatusMessage": last["StatusMessage"],
        "StartTime": start,
        "EndTime": end,
        "DurationSeconds": (end - start) / 1000 if start and end else None,
        "Image": job.spec["AlgorithmSpecification"].get("TrainingImage"),
        "InstanceType": groups[0].get("InstanceType"),
        "InstanceCount": sum(group.get("InstanceCount", 0) for group in groups),
        "Metrics": job.state.get("FinalMetricDataList"),
    }


def _endpoint(endpoint: Resource) -> Doc:
    shown = endpoints.shown(endpoint)
    return {"EndpointConfigName": shown["EndpointConfigName"], "Variants": _variants(shown)}


def _config(config: Resource) -> Doc:
    return {"Variants": _variants({"Variants": config.spec["ProductionVariants"]})}


def _variants(deployment: Doc) -> list[Doc]:
    return [
        {
            "VariantName": it["VariantName"],
            "ModelName": it.get("ModelName"),
            "InstanceType": it.get("InstanceType"),
            "InstanceCount": it.get("InitialInstanceCount", 1),
            "Weight": float(it.get("InitialVariantWeight", 1.0)),
        }
        for it in deployment["Variants"]
    ]


def _model(model: Resource) -> Doc:
    container = next(iter(models.containers(model.spec)), {})
    return {"Image": container.get("Image"), "ModelDataUrl": models.data_url(container)}


def _first_line(text: str | None) -> str | None:
    return text and text.strip().partition("\n")[0][:_REASON_CHARACTERS]


_OF_KIND: dict[str, Callable[[Resource], dict[str, Any]]] = {
    "training-job": _job,
    "endpoint": _endpoint,
    "endpoint-config": _config,
    "model": _model,
}
