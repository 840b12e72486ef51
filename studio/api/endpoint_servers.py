"""The servers of an endpoint: how one is started again, what is left of it, and how far all are.

Shared by the plans of endpoint_plan.py and endpoint_rollout.py; pure, as they are.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from zlib import crc32

from studio.api import endpoint_limits, endpoint_routes, instances
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Observed, Remove, Route, Start, Step, Stop
from studio.runners.base import Resources, RunStatus

DRAIN_MS = 1_000
_RESTART_MS = (0, 1_000, 5_000, 15_000, 60_000)
# A server that lived for so long did not die of its start: the next death counts as the first.
_STEADY_MS = 600_000
_PAST = 50


def attempt(endpoint: Resource, role: str, observed: list[Observed], now: int) -> Iterator[Step]:
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
    fresh = run_id(endpoint, role, _number(attempts[-1].run.id) + 1 if attempts else 0)
    yield Start(fresh, role, _resources(endpoint, role), queued=False)


def failed(server: Observed) -> bool:
    """It ended by its own doing; one that was lost with its host is started again."""
    return server.status.ended and server.status.reason not in ("RunnerLost", "HostRestarted")


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


def cleared(observed: list[Observed]) -> tuple[tuple[Step, ...], bool]:
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


def left(endpoint: Resource, old: list[Observed], now: int) -> tuple[Resource, list[Step], bool]:
    """Of servers that get no requests any more: steps that stop those whose last requests have
    ended, and whether some still run."""
    endpoint = told(endpoint, Leaving=sum(not each.status.ended for each in old))
    steps, running = cleared(old)
    since = now - endpoint.state.get("RoutedAt", 0)
    drained = since >= endpoint_limits.drain_ms(endpoint) or not any(it.busy for it in old)
    return endpoint, list(steps) if since >= DRAIN_MS and drained else [], running


def ready(servers: dict[str, Observed], roles: Iterable[str]) -> bool:
    """Whether there is a healthy server for each of these roles."""
    return all(role in servers and servers[role].status.ready for role in roles)


def seen(endpoint: Resource, servers: dict[str, Observed], wanted: list[str]) -> Resource:
    """The endpoint with how far its servers are: whoever watches it is told of each step."""
    stages = {role: _stage(servers[role].status) for role in wanted if role in servers}
    return told(endpoint, Seen=stages)


def told(endpoint: Resource, **news: object) -> Resource:
    """The endpoint with this in its state, the same when that is no news: whoever watches an
    endpoint is told when it is stored."""
    state = {**endpoint.state, **news}
    known = {name: endpoint.state.get(name) or None for name in news}
    same = known == {name: value or None for name, value in news.items()}
    return endpoint if same else replace(endpoint, state=state)


def settled(endpoint: Resource, target: Doc, outcome: str, now: int, message: str = "") -> Doc:
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
        "Shifts": target.get("Shifts", []),
    }
    past = [*endpoint.state.get("Past", []), entry][-_PAST:]
    return {**endpoint.state, "Past": past, "Seen": {}}


def route(endpoint: Resource, routes: list[Doc]) -> Route:
    return Route(endpoint.name, endpoint_routes.variants(routes))


def role_arn(endpoint: Resource, run_role: str) -> str:
    """Of the model that the run serves."""
    for deployment, variant in served(endpoint, run_role):
        return endpoint_routes.role_of(deployment, variant)
    return ""


def served(endpoint: Resource, role: str) -> Iterator[tuple[Doc, Doc]]:
    """The deployment and the variant that a run serves, while there are such."""
    _, generation, name, _ = role.split("/")
    for deployment in endpoint.state["Deployments"]:
        if deployment["Generation"] == int(generation):
            for variant in deployment["Variants"]:
                if variant["VariantName"] == name:
                    yield deployment, variant


def run_id(endpoint: Resource, role: str, try_: int) -> str:
    _, generation, _, number = role.split("/")
    return f"{endpoint.id}-serve-g{generation}-{crc32(role.encode()):08x}-{number}-{try_}"


def _number(run: str) -> int:
    """Of the attempt that `run_id` called so."""
    return int(run.rpartition("-")[2])


def _resources(endpoint: Resource, role: str) -> Resources:
    """A server does not wait for its turn, and shares the CPUs; its GPUs nobody has who waits."""
    for _, variant in served(endpoint, role):
        if "ServerlessConfig" in variant:
            return Resources(memory_mb=variant["ServerlessConfig"]["MemorySizeInMB"])
        return replace(instances.resources_of(variant["InstanceType"]), cpus=1)
    return Resources()


def _stage(status: RunStatus) -> str:
    return status.stages[-1][0] if status.stages else status.phase


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


def _detail(status: RunStatus) -> str:
    return f"Its server ended with: {status.message}" if status.message else ""
