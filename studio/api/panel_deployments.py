"""An update as one watches it, and holds it, lets it go on, or takes it back, by hand."""

from collections.abc import Callable
from dataclasses import replace

from studio.api import endpoint_rollout, endpoints, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ValidationException


@operation("studio", "PauseDeployment")
def pause_deployment(ctx: Context, request: Doc) -> Doc:
    """No further stage begins; servers and alarms are looked at as before."""

    def paused(target: Doc) -> Doc:
        if "Paused" in target:
            raise ValidationException("The deployment is paused already.")
        return {**target, "Paused": ctx.now()}

    return _changed(ctx, request["EndpointName"], paused)


@operation("studio", "ResumeDeployment")
def resume_deployment(ctx: Context, request: Doc) -> Doc:
    def resumed(target: Doc) -> Doc:
        if "Paused" not in target:
            raise ValidationException("The deployment is not paused.")
        held = target.get("Held", 0) + ctx.now() - target["Paused"]
        going = {name: value for name, value in target.items() if name != "Paused"}
        return {**going, "Held": held}

    return _changed(ctx, request["EndpointName"], resumed)


@operation("studio", "RollbackDeployment")
def rollback_deployment(ctx: Context, request: Doc) -> Doc:
    def back(endpoint: Resource) -> Resource:
        _under_way(endpoint)
        return endpoint_rollout.begun(endpoint, "Rolled back by hand.", ctx.now())

    store.change(ctx, endpoints.NOUN, request["EndpointName"], back)
    return {}


def rollout(ctx: Context, endpoint: Resource) -> Doc | None:
    """The stages of what is deployed, or was last, where it took over from something."""
    target = endpoint.state["Deployments"][-1]
    past = endpoint.state.get("Past", [])
    if endpoint.status not in endpoints.UNDER_WAY or endpoint_rollout.base(endpoint) in (
        None,
        target,
    ):
        shifts = past[-1].get("Shifts", []) if past else []
        return {"Stages": stages_of(past[-1]), "Alarms": []} if shifts else None
    way = endpoint_rollout.strategy(endpoint, target)
    shifts = target.get("Shifts", [])
    stages = [
        {"Share": float(stage.share), "StartTime": shifts[at]["At"] if at < len(shifts) else None}
        for at, stage in enumerate(way.stages)
    ]
    return {
        "Strategy": way.name,
        "Stages": stages,
        "WaitIntervalInSeconds": way.wait // 1_000,
        "TerminationWaitInSeconds": way.termination_wait // 1_000,
        "PausedTime": target.get("Paused"),
        "Deadline": _deadline(target, way.timeout, ctx.now()),
        "RollbackReason": endpoint.state.get("Rollback", {}).get("Reason"),
        "Alarms": _alarms(ctx, endpoint, way.alarms),
    }


def _deadline(target: Doc, timeout: int | None, now: int) -> int | None:
    return None if timeout is None else now + timeout - endpoint_rollout.elapsed(target, now)


def _alarms(ctx: Context, endpoint: Resource, names: tuple[str, ...]) -> list[Doc]:
    if not names:
        return []
    with ctx.db.read() as connection:
        found = resources.named(connection, endpoint.account, endpoint.region, "alarm", names)
    return [
        {"AlarmName": name, "StateValue": found[name].status, "Reason": found[name].state["Reason"]}
        for name in names
        if name in found
    ]


def stages_of(change: Doc) -> list[Doc]:
    """The shares that a change gave to its new servers, in order."""
    return [{"Share": it["Share"], "StartTime": it["At"]} for it in change.get("Shifts", [])]


def _changed(ctx: Context, name: str, to: Callable[[Doc], Doc]) -> Doc:
    def changed(endpoint: Resource) -> Resource:
        *others, target = _under_way(endpoint).state["Deployments"]
        return replace(endpoint, state={**endpoint.state, "Deployments": [*others, to(target)]})

    store.change(ctx, endpoints.NOUN, name, changed)
    return {}


def _under_way(endpoint: Resource) -> Resource:
    """The endpoint, whose update is under way. Raises ValidationException."""
    target, serving = endpoint.state["Deployments"][-1], endpoint_rollout.base(endpoint)
    if endpoint.status == "Updating" and serving is not None and serving is not target:
        return endpoint
    raise ValidationException(
        f"The endpoint {endpoint.name} is {endpoint.status}: no update of it is under way that "
        "moves its requests from one deployment to another."
    )
