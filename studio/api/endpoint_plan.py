"""What happens to an endpoint: a pure plan over its deployments.

What the youngest deployment takes over from the one before is in endpoint_rollout.py. New weights
and instance counts are another matter: the deployment stays, and its `Variants` change in place.
"""

from dataclasses import replace

from sqlalchemy import Connection

from studio.api import (
    alarm_plan,
    async_inference,
    endpoint_limits,
    endpoint_rollout,
    endpoint_routes,
    endpoint_servers,
    endpoint_sleep,
    model_servers,
    models,
    multi_models,
)
from studio.db import resources
from studio.db.resources import Doc, Resource, Run
from studio.reconcile.steps import (
    Dimensions,
    Kind,
    Observed,
    Plan,
    Route,
    Start,
    Stop,
)
from studio.runners.base import RunSpec, Server
from studio.s3.client import Storage
from studio.serving import waking
from studio.settings import Settings

_NAMESPACE = "/aws/sagemaker/Endpoints"
_LOOK_MS, _CALM_LOOK_MS = 2_000, 5_000
_STARTING_LOOK_MS = 500
# What wakes has thousands of servers in its time: what counts is how the last ones ended.
_RECALLED = 10


def kind(settings: Settings) -> Kind:
    """The behaviour of endpoints, for the reconciler."""
    return Kind(
        name="endpoint",
        role_arn=endpoint_servers.role_arn,
        plan=plan,
        prepare=lambda endpoint, start, storage: _prepare(settings, endpoint, start, storage),
        meter=_meter,
        recalled=_RECALLED,
        informed=lambda *known: _awake(settings, _informed(*known), known[2]),
    )


def _informed(connection: Connection, endpoint: Resource, _now: int) -> Resource:
    """The endpoint with the states of the alarms that its update goes by."""
    target = endpoint.state["Deployments"][-1]
    if endpoint.status != "Updating" or not target.get("Policy"):
        return endpoint
    names = endpoint_rollout.strategy(endpoint, target).alarms
    place = endpoint.account, endpoint.region, alarm_plan.KIND.name
    found = resources.named(connection, *place, names) if names else {}
    return endpoint_servers.told(endpoint, Alarms={it.name: it.status for it in found.values()})


def _awake(settings: Settings, endpoint: Resource, now: int) -> Resource:
    """The endpoint with as many servers as the router's requests need."""
    over = endpoint.desired == "absent" or endpoint.status == "Failed"
    if over or not endpoint_sleep.may_any(endpoint):
        return endpoint
    demand = waking.read(settings.home) | async_inference.demand(settings.home, endpoint)
    return endpoint_sleep.adjusted(endpoint, demand, settings.serverless_idle_seconds, now)


def _meter(endpoint: Resource, run: Run) -> tuple[str, Dimensions]:
    variant = run.role.split("/")[2]
    return _NAMESPACE, (("EndpointName", endpoint.name), ("VariantName", variant))


def plan(endpoint: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for an endpoint that exists."""
    if endpoint.desired == "absent":
        return _removal(endpoint, observed, now)
    if "Rollback" in endpoint.state:
        return endpoint_rollout.rollback(endpoint, observed, now)
    target = endpoint.state["Deployments"][-1]
    if target["Generation"] != endpoint.state["Active"]:
        return endpoint_rollout.rollout(endpoint, target, observed, now)
    return _upkeep(endpoint, target, observed, now)


def rescaled(endpoint: Resource, wanted: list[Doc], now: int, message: str = "") -> Doc:
    """The state of an endpoint whose variants are on their way to other weights and counts;
    `message` says why, to its history."""
    active = endpoint.state["Deployments"][-1]
    before = {"Variants": active["Variants"], "StartTime": now, "Message": message}
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
    failed = [
        servers[role]
        for role in wanted
        if role in servers and endpoint_servers.failed(servers[role])
    ]
    if failed:
        reason = endpoint_servers.failure_reason(failed[0])
        state = endpoint_servers.settled(endpoint, change, "RolledBack", now, reason)
        undone = {**active, "Variants": before["Variants"]}
        state |= {"FailureReason": reason, "Deployments": [*state["Deployments"][:-1], undone]}
    elif endpoint_servers.ready(servers, wanted):
        message = before.get("Message", "")
        state = endpoint_servers.settled(endpoint, change, "Completed", now, message)
    else:
        return endpoint_servers.seen(endpoint, servers, wanted)
    del state["Before"]
    return replace(endpoint, status="InService", state=state, modified_at=now)


def _upkeep(endpoint: Resource, active: Doc, observed: list[Observed], now: int) -> Plan:
    """Stop what no longer serves, replace what died, and route to what is healthy."""
    if endpoint.status == "Failed":
        last, left = endpoint_servers.cleared(observed)
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
    endpoint, steps, left = endpoint_servers.left(endpoint, old, now)
    # One that hangs is started again, as one that died is.
    steps += [Stop(it.run.id) for it in observed if it.hung and it.run.role in mine]
    for role in sorted(mine):
        steps += endpoint_servers.attempt(endpoint, role, observed, now)
    if moved:
        steps.append(endpoint_servers.route(endpoint, routes))
    if not left and not steps and len(endpoint.state["Deployments"]) > 1:
        endpoint = replace(endpoint, state={**endpoint.state, "Deployments": [active]})
    if left or steps or "Before" in endpoint.state:
        return Plan(endpoint, tuple(steps), _STARTING_LOOK_MS)
    # A server that ends says so.
    serving = {each.run.role for each in observed if each.status.ready}
    return Plan(endpoint, (), _CALM_LOOK_MS if mine <= serving else _LOOK_MS)


def _removal(endpoint: Resource, observed: list[Observed], now: int) -> Plan:
    steps, left = endpoint_servers.cleared(observed)
    if endpoint.state["Routes"]:
        state = {**endpoint.state, "Routes": []}
        return Plan(replace(endpoint, state=state), (Route(endpoint.name, None),), 0)
    if left:
        return Plan(endpoint, steps, _STARTING_LOOK_MS)
    return Plan(replace(endpoint, deleted_at=now, due_at=None), steps)


def _prepare(settings: Settings, endpoint: Resource, start: Start, storage: Storage) -> RunSpec:
    deployment, variant = next(endpoint_servers.served(endpoint, start.role))
    model = deployment["Models"][variant["ModelName"]]
    container = models.containers(model)[endpoint_routes.place(start.role)[1]]
    wanted = "ContainerStartupHealthCheckTimeoutInSeconds"
    seconds = variant.get(wanted, model_servers.HEALTH_SECONDS)
    made = model_servers.spec(settings, start.run_id, model, container, storage, seconds)
    server = Server(seconds, variant.get("ModelDataDownloadTimeoutInSeconds", 0))
    made = replace(made, server=server, env={**endpoint_limits.variables(endpoint), **made.env})
    if not multi_models.several(container):
        return made
    names = endpoint.id, endpoint.name
    return replace(
        made, front=multi_models.front(settings, names, variant, container, start.run_id)
    )
