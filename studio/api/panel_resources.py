"""What tables and the navigator show of resources: any window of a list, and how many there are."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from studio.api import endpoints, job_documents, models, store
from studio.api.registry import Context, operation
from studio.db import windows
from studio.db.experiment_tables import MEMBERSHIP, TRIAL
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE

_KINDS = (
    *("training-job", "processing-job", "transform-job", "endpoint", "endpoint-config", "model"),
    "model-package-group",
    *("experiment", "schedule"),
)
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
        held = _held(connection, rows) if request["Kind"] == "experiment" else {}
    total = sum(count for status, count in counts.items() if not chosen or status in chosen)
    return {
        "Rows": [{**_row(resource), **held.get(resource.id, {})} for resource in rows],
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


def _held(connection: Connection, experiments: list[Resource]) -> dict[str, Doc]:
    """Id of each experiment -> how many trials and trial components it has."""
    ids = [it.id for it in experiments]
    parts = {
        "Trials": (TRIAL.c.experiment_id, func.count()),
        "TrialComponents": (
            MEMBERSHIP.c.experiment_id,
            func.count(MEMBERSHIP.c.component.distinct()),
        ),
    }
    found: dict[str, Doc] = {each: dict.fromkeys(parts, 0) for each in ids}
    for name, (of, count) in parts.items():
        for experiment, number in connection.execute(
            select(of, count).where(of.in_(ids)).group_by(of)
        ):
            found[experiment][name] = number
    return found


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
    config = job_documents.cluster(job.spec)
    groups = config.get("InstanceGroups") or [config]
    last = job.state["Transitions"][-1]
    start, end = job_documents.times(job)
    return {
        "SecondaryStatus": last["Status"],
        "StatusMessage": last["StatusMessage"],
        "StartTime": start,
        "EndTime": end,
        "DurationSeconds": (end - start) / 1000 if start and end else None,
        "Image": job_documents.image(job.spec) or None,
        "InstanceType": groups[0].get("InstanceType"),
        "InstanceCount": sum(group.get("InstanceCount", 0) for group in groups),
        "Metrics": job.state.get("FinalMetricDataList"),
    }


def _endpoint(endpoint: Resource) -> Doc:
    shown = endpoints.shown(endpoint)
    return {"EndpointConfigName": shown["EndpointConfigName"], "Variants": _variants(shown)}


def _config(config: Resource) -> Doc:
    shadows = config.spec.get("ShadowProductionVariants", ())
    return {"Variants": _variants({"Variants": [*config.spec["ProductionVariants"], *shadows]})}


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
    container = next(iter(models.containers(models.definition(model))), {})
    return {"Image": container.get("Image"), "ModelDataUrl": models.data_url(container)}


def _model_group(group: Resource) -> Doc:
    return {"Description": group.spec.get("ModelPackageGroupDescription")}


def _experiment(experiment: Resource) -> Doc:
    return {
        "DisplayName": experiment.spec.get("DisplayName", experiment.name),
        "Description": experiment.spec.get("Description"),
    }


def _schedule(schedule: Resource) -> Doc:
    spec = schedule.spec
    zone = spec.get("ScheduleExpressionTimezone", "UTC")
    return {
        "Name": spec["Name"],  # without its group: there is one
        "Description": spec.get("Description"),
        "StatusMessage": f"{spec['ScheduleExpression']} {zone}",
    }


def _first_line(text: str | None) -> str | None:
    return text and text.strip().partition("\n")[0][:_REASON_CHARACTERS]


_OF_KIND: dict[str, Callable[[Resource], dict[str, Any]]] = {
    "training-job": _job,
    "processing-job": _job,
    "transform-job": _job,
    "endpoint": _endpoint,
    "endpoint-config": _config,
    "model": _model,
    "model-package-group": _model_group,
    "experiment": _experiment,
    "schedule": _schedule,
}
