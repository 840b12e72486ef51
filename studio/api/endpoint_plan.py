"""What happens to an endpoint: a pure plan over its deployments.

The youngest deployment starts in full beside the one that serves; once every server of it is
healthy the router is told, and then the old servers stop: no request is lost. A deployment whose
server fails before that is undone, and the old one goes on serving. New weights and instance counts
are another matter: the deployment stays, and its `Variants` change in place.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from zlib import crc32

from studio.api import endpoint_routes, instances, model_servers, models
from studio.db.resources import Doc, Resource, Run
from studio.reconcile.steps import (
    Dimensions,
    Kind,
    Observed,
    Plan,
    Remove,
    Route,
    Start,
    Step,
    Stop,
)
from studio.runners.base import Resources, RunSpec, RunStatus
from studio.s3.client import Storage
from studio.settings import Settings

_NAMESPACE = "/aws/sagemaker/Endpoints"
_LOOK_MS, _CALM_LOOK_MS = 2_000, 5_000
_STARTING_LOOK_MS = 500
_DRAIN_MS = 1_000
_LONGEST_DRAIN_MS = 65_000  # a model has a minute for its answer
_RESTART_MS = (0, 1_000, 5_000, 15_000, 60_000)
# A server that lived for so long did not die of its start: the next death counts as the first.
_STEADY_MS = 600_000
_PAST = 50


def kind(settings: Settings) -> Kind:
    """The behaviour of endpoints, for the reconciler."""
    return Kind(
        name="endpoint",
        role_arn=_role_arn,
        plan=plan,
        prepare=lambda endpoint, start, storage: _prepare(settings, endpoint, start, storage),
        meter=_meter,
    )


def _meter(endpoint: Resource, run: Run) -> tuple[str, Dimensions]:
    variant = run.role.split("/")[2]
    return _NAMESPACE, (("EndpointName", endpoint.name), ("VariantName", variant))


def plan(endpoint: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for an endpoint that exists."""
    if endpoint.desired == "absent":
        return _removal(endpoint, observed, now)
    target = endpoint.state["Deployments"][-1]
    if target["Generation"] != endpoint.state["Active"]:
        return _rollout(endpoint, target, observed, now)
    return _upkeep(endpoint, target, observed, now)


def _rollout(endpoint: Resource, target: Doc, observed: list[Observed], now: int) -> Plan:
    servers = {each.run.role: each for each in observed}
    wanted = list(endpoint_routes.roles(target))
    failed = [servers[role] for role in wanted if role in servers and _failed(servers[role])]
    if failed:
        return _undone(endpoint, target, failed[0], now)
    if all(role in servers and servers[role].status.ready for role in wanted):
        routes = endpoint_routes.routes(endpoint, target, observed)
        state = {
            **_settled(endpoint, target, "Completed", now),
            "Active": target["Generation"],
            "Routes": routes,
            "RoutedAt": now,
        }
        images = {each.run.role.split("/")[2]: each.status.image for each in observed}
        state["Deployments"] = [*state["Deployments"][:-1], {**target, "Images": images}]
        serving = replace(endpoint, status="InService", state=state, modified_at=now)
        return Plan(serving, (_route(endpoint, routes),), _DRAIN_MS)
    starts = tuple(step for role in wanted for step in _attempt(endpoint, role, observed, now))
    return Plan(_seen(endpoint, servers, wanted), starts, _STARTING_LOOK_MS)


def _undone(endpoint: Resource, target: Doc, failed: Observed, now: int) -> Plan:
    """Give the deployment up. Its servers are stopped by the upkeep of what remains."""
    reason = failure_reason(failed)
    kept = [each for each in endpoint.state["Deployments"] if each is not target]
    outcome = "RolledBack" if kept else "Failed"
    state = {**_settled(endpoint, target, outcome, now, reason), "FailureReason": reason}
    if not kept:
        state["Active"] = target["Generation"]
        return Plan(replace(endpoint, status="Failed", state=state, modified_at=now), (), 0)
    state["Deployments"] = kept
    return Plan(replace(endpoint, status="InService", state=state, modified_at=now), (), 0)


def rescaled(endpoint: Resource, wanted: list[Doc], now: int) -> Doc:
    """The state of an endpoint whose variants are on their way to other weights and counts."""
    active = endpoint.state["Deployments"][-1]
    before = {"Variants": active["Variants"], "StartTime": now}
    deployments = [*endpoint.state["Deployments"][:-1], {**active, "Variants": wanted}]
    return {**endpoint.state, "Deployments": deployments, "Before": before, "FailureReason": None}


def _rescale(endpoint: Resource, active: Doc, observed: list[Observed], now: int) -> Resource:
    """The endpoint once every server of the new counts is there, or as it was when one fails."""
    before = endpoint.state["Before"]
    # What stopped or died before is no fault of these counts.
    servers = {each.run.role: each for each in observed if each.status.ready} | {
        each.run.role: each for each in observed if each.run.created_at >= before["StartTime"]
    }
    wanted = list(endpoint_routes.roles(active))
    change = {**active, "StartTime": before["StartTime"], "Rescaled": True}
    failed = [servers[role] for role in wanted if role in servers and _failed(servers[role])]
    if failed:
        reason = failure_reason(failed[0])
        state = _settled(endpoint, change, "RolledBack", now, reason)
        undone = {**active, "Variants": before["Variants"]}
        state |= {"FailureReason": reason, "Deployments": [*state["Deployments"][:-1], undone]}
    elif all(role in servers and servers[role].status.ready for role in wanted):
        state = _settled(endpoint, change, "Completed", now)
    else:
        return _seen(endpoint, servers, wanted)
    del state["Before"]
    return replace(endpoint, status="InService", state=state, modified_at=now)


def _settled(endpoint: Resource, target: Doc, outcome: str, now: int, message: str = "") -> Doc:
    """The state of an endpoint that remembers how this change ended."""
    entry = {
        "Generation": target["Generation"],
        "EndpointConfigName": target["EndpointConfigName"],
        "Variants": target["Variants"],
        "Rescaled": target.get("Rescaled", False),
        "StartTime": target["StartTime"],
        "EndTime": now,
        "Outcome": outcome,
        "Message": message,
    }
    past = [*endpoint.state.get("Past", []), entry][-_PAST:]
    return {**endpoint.state, "Past": past, "Seen": {}}


def _seen(endpoint: Resource, servers: dict[str, Observed], wanted: list[str]) -> Resource:
    """The endpoint with how far its servers are: whoever watches it is told of each step."""
    seen = {role: _stage(servers[role].status) for role in wanted if role in servers}
    return _told(endpoint, Seen=seen)


def _told(endpoint: Resource, **news: object) -> Resource:
    """The endpoint with this in its state, the same when that is no news: whoever watches an
    endpoint is told when it is stored."""
    state = {**endpoint.state, **news}
    known = {name: endpoint.state.get(name) or None for name in news}
    same = known == {name: value or None for name, value in news.items()}
    return endpoint if same else replace(endpoint, state=state)


def _stage(status: RunStatus) -> str:
    return status.stages[-1][0] if status.stages else status.phase


def _upkeep(endpoint: Resource, active: Doc, observed: list[Observed], now: int) -> Plan:
    """Stop what no longer serves, replace what died, and route to what is healthy."""
    if endpoint.status == "Failed":
        last, left = _cleared(observed)
        return Plan(endpoint if left else replace(endpoint, due_at=None), last, _LOOK_MS)
    if "Before" in endpoint.state:
        endpoint = _rescale(endpoint, active, observed, now)
        active = endpoint.state["Deployments"][-1]
    mine = set(endpoint_routes.roles(active))
    old = [each for each in observed if each.run.role not in mine]
    routes = endpoint_routes.routes(endpoint, active, observed)
    moved = routes != endpoint.state["Routes"]
    if moved:
        endpoint = replace(endpoint, state={**endpoint.state, "Routes": routes, "RoutedAt": now})
    steps: list[Step] = []
    cleared, left = _cleared(old)
    endpoint = _told(endpoint, Leaving=sum(not each.status.ended for each in old))
    # First the last requests end of a server that is left.
    since = now - endpoint.state["RoutedAt"]
    if since >= _DRAIN_MS and (since >= _LONGEST_DRAIN_MS or not any(it.busy for it in old)):
        steps += cleared
    # One that hangs is started again, as one that died is.
    steps += [Stop(it.run.id) for it in observed if it.hung and it.run.role in mine]
    for role in sorted(mine):
        steps += _attempt(endpoint, role, observed, now)
    if moved:
        steps.append(_route(endpoint, routes))
    if not left and not steps and len(endpoint.state["Deployments"]) > 1:
        endpoint = replace(endpoint, state={**endpoint.state, "Deployments": [active]})
    if left or steps or "Before" in endpoint.state:
        return Plan(endpoint, tuple(steps), _STARTING_LOOK_MS)
    # A server that ends says so.
    serving = {each.run.role for each in observed if each.status.ready}
    return Plan(endpoint, (), _CALM_LOOK_MS if mine <= serving else _LOOK_MS)


def _failed(server: Observed) -> bool:
    """It ended by its own doing; one that was lost with its host is started again."""
    return server.status.ended and server.status.reason not in ("RunnerLost", "HostRestarted")


def _attempt(endpoint: Resource, role: str, observed: list[Observed], now: int) -> Iterator[Step]:
    """Start a server that is missing or died; each further early death makes the pause longer."""
    attempts = [each for each in observed if each.run.role == role]
    if attempts and "runner" not in attempts[-1].run.handle and not attempts[-1].status.ended:
        yield Start(attempts[-1].run.id, role, _resources(endpoint, role), queued=False)
        return
    if attempts:
        last = attempts[-1]
        if not last.status.ended:
            return
        if "final" not in last.run.handle:
            yield Remove(last.run.id)
        if now - (last.status.ended_at or now) < _pause(attempts):
            return
    run_id = _run_id(endpoint, role, len(attempts))
    yield Start(run_id, role, _resources(endpoint, role), queued=False)


def _pause(attempts: list[Observed]) -> int:
    """Milliseconds from the last death to the next start."""
    early = itertools.takewhile(lambda each: not _was_steady(each.status), reversed(attempts))
    deaths = max(1, sum(1 for _ in early))
    return _RESTART_MS[min(deaths, len(_RESTART_MS)) - 1]


def _was_steady(status: RunStatus) -> bool:
    if status.phase == "stopped":
        return True  # it was not wanted for a while
    begun, ended = status.started_at, status.ended_at
    return begun is not None and ended is not None and ended - begun >= _STEADY_MS


def _removal(endpoint: Resource, observed: list[Observed], now: int) -> Plan:
    steps, left = _cleared(observed)
    if endpoint.state["Routes"]:
        state = {**endpoint.state, "Routes": []}
        return Plan(replace(endpoint, state=state), (Route(endpoint.name, None),), 0)
    if left:
        return Plan(endpoint, steps, _STARTING_LOOK_MS)
    return Plan(replace(endpoint, deleted_at=now, due_at=None), steps)


def _cleared(observed: list[Observed]) -> tuple[tuple[Step, ...], bool]:
    """Steps that stop these servers and free their disk, and whether some still run."""
    steps: list[Step] = []
    left = False
    for each in observed:
        if "runner" not in each.run.handle:
            continue
        if not each.status.ended:
            steps.append(Stop(each.run.id))
            left = True
        elif "final" not in each.run.handle:
            # Removed once, in the look that learns of the end.
            steps.append(Remove(each.run.id))
    return tuple(steps), left


def failure_reason(observed: Observed) -> str:
    """Why an endpoint failed, for people; at most 1,024 characters."""
    status = observed.status
    variant = observed.run.role.split("/")[2]
    if status.reason == "Rejected":
        return status.message[:1024]
    if status.reason in ("UnsafeArchive", "DownloadFailed", "NoSpace", "OutOfMemory"):
        return f"ClientError: variant {variant}: {status.reason}: {status.message}"[:1024]
    return (
        f"The primary container for production variant {variant} did not pass the ping health "
        f"check. Please check the logs of this endpoint. {_detail(status)}"
    ).strip()[:1024]


def _detail(status: RunStatus) -> str:
    return f"Its server ended with: {status.message}" if status.message else ""


def _run_id(endpoint: Resource, role: str, attempt: int) -> str:
    _, generation, _, number = role.split("/")
    return f"{endpoint.id}-serve-g{generation}-{crc32(role.encode()):08x}-{number}-{attempt}"


def _route(endpoint: Resource, routes: list[Doc]) -> Route:
    return Route(endpoint.name, endpoint_routes.variants(routes))


def _prepare(settings: Settings, endpoint: Resource, start: Start, storage: Storage) -> RunSpec:
    deployment, variant = next(_served(endpoint, start.role))
    model = deployment["Models"][variant["ModelName"]]
    container = models.containers(model)[0]
    wanted = "ContainerStartupHealthCheckTimeoutInSeconds"
    seconds = variant.get(wanted, model_servers.HEALTH_SECONDS)
    return model_servers.spec(settings, start.run_id, model, container, storage, seconds)


def _role_arn(endpoint: Resource, run_role: str) -> str:
    """Of the model that the run serves."""
    for deployment, variant in _served(endpoint, run_role):
        return endpoint_routes.role_of(deployment, variant)
    return ""


def _resources(endpoint: Resource, role: str) -> Resources:
    """A server does not wait for its turn, and shares the CPUs; its GPUs nobody has who waits."""
    for _, variant in _served(endpoint, role):
        return replace(instances.resources_of(variant["InstanceType"]), cpus=1)
    return Resources()


def _served(endpoint: Resource, role: str) -> Iterator[tuple[Doc, Doc]]:
    """The deployment and the variant that a run serves, while there are such."""
    _, generation, name, _ = role.split("/")
    for deployment in endpoint.state["Deployments"]:
        if deployment["Generation"] == int(generation):
            for variant in deployment["Variants"]:
                if variant["VariantName"] == name:
                    yield deployment, variant
