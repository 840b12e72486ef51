"""What becomes of an endpoint's requests: how the replicas do that get them, how the answers of
shadows differ, and what is captured."""

from collections.abc import Iterator

from studio.api import endpoint_routes, endpoints, panel_endpoints, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.reconcile import captures
from studio.serving import capture, differences, health


@operation("studio", "DescribeEndpointTraffic")
def describe_endpoint_traffic(ctx: Context, request: Doc) -> Doc:
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    deployment = endpoints.shown(endpoint)
    return {
        "EndpointName": endpoint.name,
        "Replicas": list(_replicas(ctx, endpoint, deployment)),
        "Shadows": [
            _shadow(ctx, endpoint, deployment, variant)
            for variant in deployment["Variants"]
            if "Shadow" in variant
        ],
        "Capture": _capture(ctx, endpoint, deployment),
    }


def _replicas(ctx: Context, endpoint: Resource, deployment: Doc) -> Iterator[Doc]:
    """In the order of variants and numbers."""
    with ctx.db.read() as connection:
        runs = {run.role: run for run in resources.runs(connection, endpoint.id, 1)}
    unwell = health.read(ctx.settings.home)["Unwell"]
    for role in endpoint_routes.roles(deployment):
        if role not in runs:
            continue
        status = panel_endpoints.status(ctx, runs[role])
        if status.ready:
            variant, number = role.split("/")[2], endpoint_routes.place(role)[0]
            known = unwell.get(status.address, {"Health": "Healthy"})
            yield {"VariantName": variant, "Number": number + 1, **known}


def _shadow(ctx: Context, endpoint: Resource, deployment: Doc, variant: Doc) -> Doc:
    name = endpoint_routes.shadow_record(endpoint, deployment, variant)
    known = differences.read(ctx.settings.home, name)
    return {"VariantName": variant["VariantName"], **known, "Since": known["Since"] or None}


def _capture(ctx: Context, endpoint: Resource, deployment: Doc) -> Doc | None:
    summary = endpoints.captured(endpoint, deployment)
    if summary is None:
        return None
    home, record = ctx.settings.home, endpoint_routes.record(endpoint, deployment)
    counts, stored = capture.counts(home, record), captures.stored(home, record)
    destination = summary["DestinationS3Uri"].rstrip("/")
    return {
        "CaptureStatus": summary["CaptureStatus"],
        "SamplingPercentage": summary["CurrentSamplingPercentage"],
        "S3Uri": f"{destination}/{endpoint.name}/",
        "Captured": counts["captured"],
        "Dropped": counts["dropped"] + counts["lost"],
        "LastCaptureTime": counts["at"] or None,
        "StoredObjects": stored["objects"],
        "LastStoreTime": stored["at"] or None,
        "Problem": stored["problem"] or None,
    }
