"""The requests of an asynchronous endpoint: what waits, what is being answered, what came of it."""

from studio.api import endpoint_routes, endpoints, store
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException
from studio.serving import asynchronous, backlog
from studio.serving.backlog import ENDED, Backlog, Request, Status

_PAGE = 50
_OPEN: tuple[Status, ...] = ("Waiting", "InProgress", "Storing")
_LATEST = 2**62


@operation("studio", "ListAsyncInvocations")
def list_async_invocations(ctx: Context, request: Doc) -> Doc:
    """Youngest first. What is shown as InProgress includes answers that are on their way to S3."""
    endpoint, config = _asynchronous(ctx, request)
    size, before = request.get("MaxResults", _PAGE), _start(request)
    with backlog.opened(ctx.settings.home) as known:
        found = known.page(endpoint.id, _statuses(request.get("StatusEquals")), before, size)
        counts = known.counts(endpoint.id)
        load = known.loads().get(endpoint.id, backlog.Load())
    output = config["OutputConfig"]
    told = output.get("NotificationConfig", {})
    wanted = config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance")
    return {
        "Invocations": [_invocation(each) for each in found],
        "Waiting": counts.get("Waiting", 0),
        "InProgress": counts.get("InProgress", 0) + counts.get("Storing", 0),
        "Completed": counts.get("Completed", 0),
        "Failed": counts.get("Failed", 0),
        "Stopped": counts.get("Stopped", 0),
        "OldestTime": load.oldest,
        "Instances": len({it for each in endpoint.state["Routes"] for it in each["servers"]}),
        "MaxConcurrentInvocationsPerInstance": wanted or endpoint_routes.CONCURRENCY,
        "S3OutputPath": output["S3OutputPath"],
        "S3FailurePath": output.get("S3FailurePath"),
        "SuccessTopic": told.get("SuccessTopic") or None,
        "ErrorTopic": told.get("ErrorTopic") or None,
        "NextToken": str(found[-1].number) if len(found) == size else None,
    }


@operation("studio", "StopAsyncInvocation")
def stop_async_invocation(ctx: Context, request: Doc) -> Doc:
    """Of a request that waits: nobody gets it, and nothing is stored of it."""
    endpoint, _ = _asynchronous(ctx, request)
    with backlog.opened(ctx.settings.home) as known:
        found = _found(known, endpoint, request)
        if not known.cancel(found, ctx.now()):
            raise ValidationException(f"Invocation {found.id} does not wait any more.")
    return {}


@operation("studio", "RetryAsyncInvocation")
def retry_async_invocation(ctx: Context, request: Doc) -> Doc:
    """Of a request that failed: it waits anew, and its answer goes where the first would have."""
    endpoint, _ = _asynchronous(ctx, request)
    with backlog.opened(ctx.settings.home) as known:
        found = _found(known, endpoint, request)
        if not known.retry(found, ctx.now() + found.spec["ttl"] * 1_000):
            raise ValidationException(f"Invocation {found.id} has not failed.")
    return {}


def _asynchronous(ctx: Context, request: Doc) -> tuple[Resource, Doc]:
    """The endpoint, and its configuration. Raises ValidationException for one that answers at
    once."""
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    config = endpoints.shown(endpoint).get("Async")
    if not config:
        raise ValidationException(f'"{endpoint.name}" is not an asynchronous endpoint.')
    return endpoint, config


def _found(known: Backlog, endpoint: Resource, request: Doc) -> Request:
    found = known.find(endpoint.id, request["InvocationId"])
    if found is None:
        raise ValidationException(
            f'The endpoint "{endpoint.name}" knows of no invocation {request["InvocationId"]}.'
        )
    return found


def _statuses(wanted: Status | None) -> tuple[Status, ...]:
    if wanted is None:
        return (*_OPEN, *ENDED)
    return ("InProgress", "Storing") if wanted == "InProgress" else (wanted,)


def _start(request: Doc) -> int:
    token = request.get("NextToken", str(_LATEST))
    if not (token.isascii() and token.isdigit()):
        raise ValidationException("The NextToken is none of an earlier answer.")
    return min(int(token), _LATEST)


def _invocation(request: Request) -> Doc:
    spec, outcome = request.spec, request.outcome
    good = request.status == "Completed"
    return {
        "InvocationId": request.id,
        "InferenceId": spec["inference_id"],
        "Status": "InProgress" if request.status == "Storing" else request.status,
        "AcceptedTime": request.accepted_at,
        "StartTime": request.started_at,
        "EndTime": request.ended_at,
        "InputLocation": spec["input"] or None,
        "OutputLocation": spec["output"] if good else None,
        "FailureLocation": (spec["failure"] or None) if request.status == "Failed" else None,
        "Reason": outcome.get("Reason"),
        "Problem": outcome.get("Problem"),
        "Size": outcome.get("Size"),
        "Attempts": request.attempts,
        "TimeoutSeconds": spec.get("seconds", asynchronous.DEFAULT_SECONDS),
    }
