"""Load tests of endpoints: the operations. A process of its own asks the router
(studio.serving.load_test); load_runs.py starts and hears it, and what it measured is stored here.
"""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from studio.api import access, endpoints, load_runs, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ResourceInUse, ResourceNotFound, ValidationException
from studio.identity.authority import Ask
from studio.reconcile.steps import Kind, Observed, Plan

NOUN = store.Noun(
    kind="load-test",
    missing=lambda it: ResourceNotFound(f"There is no load test {it.name}."),
    taken=lambda it: ResourceInUse(f"There is a load test {it.name} already."),
)
RUNNING, COMPLETED, STOPPED, FAILED = "InProgress", "Completed", "Stopped", "Failed"

_MOST_CONNECTIONS = 64
_KEPT = 10
_MOST_AT_ONCE = 4
_SILENCE_MS = 15_000
"""Whoever hears a test stores something each second."""
_INVOKE = "sagemaker:InvokeEndpoint"
_NO_SERVERS = {"Creating", "Deleting", "Failed", "OutOfService"}
_UNHEARD = "The control plane ended, and the load with it."


@operation("studio", "StartLoadTest")
def start_load_test(ctx: Context, request: Doc) -> Doc:
    name = request["LoadTestName"]
    made = store.made(ctx, NOUN, name) or _started(ctx, name, request)
    return {"LoadTestArn": made.arn}


@operation("studio", "DescribeLoadTest")
def describe_load_test(ctx: Context, request: Doc) -> Doc:
    test = store.require(ctx, NOUN, request["LoadTestName"])
    measured = test.state.get("Measured", {})
    buckets = measured.get("Histogram", [])
    return {
        **_summary(test),
        "Sent": measured.get("Sent", 0),
        "Errors": [
            {"Kind": kind, "Count": count}
            for kind, count in sorted(measured.get("Errors", {}).items())
        ],
        "Seconds": measured.get("Seconds", []),
        "Histogram": [{"UpTo": upper, "Count": count} for upper, count in buckets],
        "GeneratorLag": measured.get("Lag", 0.0),
    }


@operation("studio", "ListLoadTests")
def list_load_tests(ctx: Context, request: Doc) -> Doc:
    """The youngest first."""
    with ctx.db.read() as connection:
        found = _of(connection, request.get("EndpointName"))
    mine = [it for it in found if access.reaches(ctx, it)]
    return {"LoadTests": [_summary(it) for it in mine[: request.get("MaxResults", 100)]]}


@operation("studio", "StopLoadTest")
def stop_load_test(ctx: Context, request: Doc) -> Doc:
    """Of a test that is over nothing is changed."""
    stopped = _ending(STOPPED, ctx.now())
    test = store.change(ctx, NOUN, request["LoadTestName"], stopped)
    load_runs.stop(test.id)
    return {}


def kind() -> Kind:
    """The behaviour of load tests, for the reconciler: one that nobody hears any more is over."""
    return Kind(name=NOUN.kind, plan=plan, prepare=None)


def plan(test: Resource, _observed: list[Observed], now: int) -> Plan:
    """What to do next for a test."""
    silent = now - test.modified_at
    if test.status == RUNNING and silent < _SILENCE_MS:
        return Plan(test, (), _SILENCE_MS - silent)
    return Plan(_ending(FAILED, now, _UNHEARD)(test))


def _ending(status: str, now: int, reason: str = "") -> Callable[[Resource], Resource]:
    """To a test that runs: it is over."""

    def ended(test: Resource) -> Resource:
        if test.status != RUNNING:
            return replace(test, due_at=None)
        state = {**test.state, "EndTime": now, "Reason": reason}
        return replace(test, status=status, state=state, due_at=None, modified_at=now)

    return ended


def _started(ctx: Context, name: str, request: Doc) -> Resource:
    spec = {key: it for key, it in request.items() if key not in ("LoadTestName", "Body")}
    if not spec.get("RequestsPerSecond") and not spec.get("Connections"):
        raise ValidationException("Give RequestsPerSecond, or Connections, or both.")
    spec = {"Connections": _MOST_CONNECTIONS, **spec}
    endpoint = store.require(ctx, endpoints.NOUN, spec["EndpointName"])
    ask = Ask(_INVOKE, endpoint.arn, owner=endpoint.owner)
    ctx.identity.authority.check(ctx.caller.principal, ask)
    _check(endpoint, spec)
    now = ctx.now()

    def alone(connection: Connection, test: Resource) -> None:
        """One at a time; and the oldest goes."""
        others = [it for it in _of(connection) if it.id != test.id]
        mine = [it for it in others if it.spec["EndpointName"] == endpoint.name]
        if any(it.status == RUNNING for it in mine):
            raise ResourceInUse(f"A load test of {endpoint.name} runs: wait for it, or stop it.")
        if sum(it.status == RUNNING for it in others) >= _MOST_AT_ONCE:
            text = f"{_MOST_AT_ONCE} load tests run already; that is the most at a time."
            raise ApiError("ResourceLimitExceeded", text)
        for old in mine[_KEPT - 1 :]:
            resources.update(connection, replace(old, state={}, deleted_at=now, due_at=None))

    test = store.create(ctx, NOUN, name, spec, alone, status=RUNNING, due_at=now)
    later = replace(ctx, call="")  # what is stored from now on is no part of this call

    def heard(measured: Doc | None, problem: str = "") -> bool:
        """Store what the process says, or that it says no more; whether it is to go on."""
        change = _heard(measured, ctx.now(), problem)
        return store.change(later, NOUN, name, change).status == RUNNING

    load_runs.start(later, test, request["Body"], heard)
    return test


def _heard(measured: Doc | None, now: int, problem: str) -> Callable[[Resource], Resource]:
    def told(test: Resource) -> Resource:
        if measured is not None:
            test = replace(test, state={**test.state, "Measured": measured})
        if measured is not None and not measured["Over"]:
            return test
        return _ending(FAILED if problem else COMPLETED, now, problem)(test)

    return told


def _check(endpoint: Resource, spec: Doc) -> None:
    """Raises ValidationException."""
    name, deployment = endpoint.name, endpoint.state["Deployments"][-1]
    if endpoint.status in _NO_SERVERS:
        raise ValidationException(f"{name} is {endpoint.status}: it takes no requests.")
    if deployment.get("Async"):
        raise ValidationException(
            f"The endpoint {name} is asynchronous: it accepts requests at once, whatever its load."
        )
    target = spec.get("TargetVariant")
    variants = [it["VariantName"] for it in deployment["Variants"] if "Shadow" not in it]
    if target is not None and target not in variants:
        raise ValidationException(f'The endpoint "{name}" has no variant "{target}".')


def _of(connection: Connection, endpoint: str | None = None) -> list[Resource]:
    """The load tests of an endpoint, or all, the youngest first."""
    found = resources.of_kind(connection, NOUN.kind)
    mine = [it for it in found if endpoint in (None, it.spec["EndpointName"])]
    return sorted(mine, key=lambda it: (it.created_at, it.id), reverse=True)


def _summary(test: Resource) -> Doc:
    measured = test.state.get("Measured", {})
    answered = sum(it["Answered"] for it in measured.get("Seconds", ()))
    seconds = len(measured.get("Seconds", ()))
    return {
        **test.spec,
        "LoadTestName": test.name,
        "LoadTestArn": test.arn,
        "LoadTestStatus": test.status,
        "FailureReason": test.state.get("Reason") or None,
        "CreationTime": test.created_at,
        "EndTime": test.state.get("EndTime"),
        "Requested": measured.get("Requested", 0),
        "Answered": answered,
        "Failed": sum(measured.get("Errors", {}).values()),
        "AnsweredPerSecond": answered / seconds if seconds else 0.0,
        "Latency": measured.get("Latency") or None,
    }
