"""How a deployment takes over from the one that serves, or does not: a pure plan of both fleets.

The new fleet gets requests only when all servers of a stage are healthy, stage by stage; the old
one is kept until the last wait is over, so that going back is a change of routes. Whatever goes
wrong meanwhile - a server that fails or hangs, an alarm, the time - rolls the update back.

What has happened is in the deployment: `Shifts`, the shares that were given and when; `Paused`,
since when somebody holds it; `Held`, for how long in all. What is next follows from that.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from studio.api import deployment_config, endpoint_routes, endpoint_servers
from studio.api.deployment_config import Strategy
from studio.db.resources import Doc, Resource
from studio.reconcile.steps import Observed, Plan, Step, Stop

_STARTING_LOOK_MS = 500
_WAITING_LOOK_MS = 2_000
_WHOLE = Fraction(1)


def strategy(endpoint: Resource, target: Doc) -> Strategy:
    """How this deployment of the endpoint goes; the first takes over from nobody."""
    if base(endpoint) is None:
        return Strategy("ALL_AT_ONCE")
    return deployment_config.strategy(target.get("Policy") or {}, target["Variants"])


def base(endpoint: Resource) -> Doc | None:
    """The deployment that serves, which the youngest is to take over from."""
    active = endpoint.state["Active"]
    found = (it for it in endpoint.state["Deployments"] if it["Generation"] == active)
    return next(found, None)


def rollout(endpoint: Resource, target: Doc, observed: list[Observed], now: int) -> Plan:
    """What to do next for a deployment that has not taken over yet."""
    way, servers = strategy(endpoint, target), _latest(observed)
    for reason in _troubles(endpoint, target, way, servers, now):
        return _given_up(endpoint, target, way, reason, observed, now)
    shifts, number = target.get("Shifts", []), _stage(target, way, now)
    stage, paused = way.stages[number], "Paused" in target
    wanted = list(endpoint_routes.roles(target, stage.new))
    endpoint = endpoint_servers.seen(endpoint, servers, wanted)
    if endpoint_servers.ready(servers, wanted) and not paused:
        if _over(shifts, number, way, now):
            return _completed(endpoint, target, observed, now)
        if number == len(shifts):
            shifts = [*shifts, {"Share": float(stage.share), "At": now}]
            endpoint = _with(endpoint, {**target, "Shifts": shifts})
    return _both(endpoint, observed, (stage.new, stage.old), shifts, _due(shifts, way), now)


def rollback(endpoint: Resource, observed: list[Observed], now: int) -> Plan:
    """What to do next for an update that is given up: the old fleet, where servers of it were
    stopped, comes back in batches, and takes the requests over."""
    state, servers, old = endpoint.state, _latest(observed), base(endpoint)
    assert old is not None
    target, back = state["Deployments"][-1], state["Rollback"]
    wanted, serving = Fraction(back["Wanted"]), Fraction(back["Serving"])
    roles = list(endpoint_routes.roles(old, wanted))
    if endpoint_servers.ready(servers, roles):
        if wanted == _WHOLE:
            return _returned(endpoint, target, observed, now)
        batch = strategy(endpoint, target).rollback_batch
        wanted, serving = min(_WHOLE, wanted + batch), wanted
        back = {**back, "Wanted": str(wanted), "Serving": str(serving)}
        endpoint = replace(endpoint, state={**state, "Rollback": back})
    broken = [servers[it] for it in roles if it in servers and _broken(servers[it], back["At"])]
    if broken and endpoint.status != "UpdateRollbackFailed":
        reason = f"{back['Reason']} The roll-back fails too: "
        reason = (reason + endpoint_servers.failure_reason(broken[0]))[:1024]
        endpoint = endpoint_servers.told(endpoint, FailureReason=reason)
        endpoint = replace(endpoint, status="UpdateRollbackFailed", modified_at=now)
    shifts = [{"Share": float(1 - serving), "At": back["At"]}]
    return _both(endpoint, observed, (Fraction(0), wanted), shifts, None, now)


def accepted(endpoint: Resource) -> Doc:
    """The state of an endpoint that may be updated. Of two fleets, because neither the update nor
    the way back worked, the one with more servers counts as what serves."""
    state = endpoint.state
    if "Rollback" not in state:
        return {**state}
    count = Counter[str]()
    for route in state["Routes"]:
        count[route.get("fleet", "")] += len(route["servers"])
    kept = max(state["Deployments"], key=lambda it: count[str(it["Generation"])])
    return _forgotten({**state, "Deployments": [kept], "Active": kept["Generation"]})


def elapsed(target: Doc, now: int) -> int:
    """Milliseconds that a deployment has taken, without those in which somebody held it."""
    held = target.get("Held", 0) + now - target.get("Paused", now)
    return int(now - target["StartTime"] - held)


def _troubles(
    endpoint: Resource, target: Doc, way: Strategy, servers: dict[str, Observed], now: int
) -> Iterator[str]:
    """Why the deployment has to be given up."""
    if way.timeout is not None and elapsed(target, now) > way.timeout:
        seconds = way.timeout // 1_000
        yield f"The deployment took longer than MaximumExecutionTimeoutInSeconds ({seconds})."
    states = endpoint.state.get("Alarms") or {}
    for name in way.alarms:
        if states.get(name) == "ALARM":
            yield f"The alarm {name} is in ALARM."
    for role in endpoint_routes.roles(target):
        if role in servers and endpoint_servers.failed(servers[role]):
            yield endpoint_servers.failure_reason(servers[role])
        if role in servers and servers[role].hung:
            yield f"A server of production variant {role.split('/')[2]} does not answer any more."


def _stage(target: Doc, way: Strategy, now: int) -> int:
    """The number of the stage that is to be reached, or kept, now."""
    shifts = target.get("Shifts", [])
    if not shifts:
        return 0
    on = now - shifts[-1]["At"] >= way.wait and "Paused" not in target
    return min(len(shifts) - (not on), len(way.stages) - 1)


def _over(shifts: list[Doc], number: int, way: Strategy, now: int) -> bool:
    """Whether nothing has to be waited for any more. Without a wait there is no last shift."""
    if number + 1 < len(way.stages):
        return False
    if len(shifts) < len(way.stages):
        return not way.wait + way.termination_wait
    return bool(now - shifts[-1]["At"] >= way.wait + way.termination_wait)


def _due(shifts: list[Doc], way: Strategy) -> int | None:
    """When the next thing happens by itself; None before the first shift."""
    if not shifts:
        return None
    last = len(shifts) == len(way.stages)
    return int(shifts[-1]["At"] + way.wait + (way.termination_wait if last else 0))


def _both(
    endpoint: Resource,
    observed: list[Observed],
    parts: tuple[Fraction, Fraction],
    shifts: list[Doc],
    due: int | None,
    now: int,
) -> Plan:
    """Keep those parts of the new fleet and the old, and share the requests between them."""
    target, old = endpoint.state["Deployments"][-1], base(endpoint)
    back = "Rollback" in endpoint.state
    wanted = set() if back else set(endpoint_routes.roles(target, parts[0]))
    wanted |= set(endpoint_routes.roles(old, parts[1])) if old else set()
    # On the way back the new fleet goes only when the old one has come.
    kept = wanted | (set(endpoint_routes.roles(target)) if back else set())
    routes = _routes(endpoint, observed, (_WHOLE if back else parts[0], parts[1]), shifts)
    moved = routes != endpoint.state["Routes"]
    if moved:
        endpoint = replace(endpoint, state={**endpoint.state, "Routes": routes, "RoutedAt": now})
    others = [each for each in observed if each.run.role not in kept]
    endpoint, stops, running = endpoint_servers.left(endpoint, others, now)
    # A batch of a rolling update takes the room of the one before.
    room = not running or parts[1] == _WHOLE
    started = wanted if room else wanted & {each.run.role for each in observed}
    steps: list[Step] = [
        *stops,
        *(Stop(it.run.id) for it in observed if it.hung and it.run.role in wanted),
        *(
            step
            for role in sorted(started)
            for step in endpoint_servers.attempt(endpoint, role, observed, now)
        ),
        *([endpoint_servers.route(endpoint, routes)] if moved else []),
    ]
    return Plan(endpoint, tuple(steps), _look(steps, observed, wanted, due, now))


def _look(
    steps: list[Step], observed: list[Observed], wanted: set[str], due: int | None, now: int
) -> int:
    """When to look again: the end of a server is told, that of a wait is not."""
    if steps or due is None or not endpoint_servers.ready(_latest(observed), wanted):
        return _STARTING_LOOK_MS
    return max(50, min(due - now, _WAITING_LOOK_MS)) if due > now else _STARTING_LOOK_MS


def _routes(
    endpoint: Resource,
    observed: list[Observed],
    parts: tuple[Fraction, Fraction],
    shifts: list[Doc],
) -> list[Doc]:
    target, old = endpoint.state["Deployments"][-1], base(endpoint)
    if old is None:
        return list(endpoint.state["Routes"])
    if not shifts:
        return endpoint_routes.routes(endpoint, old, observed, parts[1])
    share = shifts[-1]["Share"]
    return [
        *endpoint_routes.routes(endpoint, old, observed, parts[1], 1.0 - share),
        *endpoint_routes.routes(endpoint, target, observed, parts[0], share),
    ]


def _completed(endpoint: Resource, target: Doc, observed: list[Observed], now: int) -> Plan:
    """Nothing goes to the old fleet any more; its servers are stopped by the upkeep."""
    shifts = target.get("Shifts") or [{"Share": 1.0, "At": now}]
    images = {each.run.role.split("/")[2]: each.status.image for each in observed}
    target = {**target, "Shifts": shifts, "Images": images}
    routes = endpoint_routes.routes(endpoint, target, observed)
    state = endpoint_servers.settled(endpoint, target, "Completed", now)
    state |= {"Active": target["Generation"], "Routes": routes, "RoutedAt": now}
    state["Deployments"] = [*state["Deployments"][:-1], target]
    serving = replace(endpoint, status="InService", state=_forgotten(state), modified_at=now)
    return Plan(serving, (endpoint_servers.route(endpoint, routes),), endpoint_servers.DRAIN_MS)


def _given_up(
    endpoint: Resource,
    target: Doc,
    way: Strategy,
    reason: str,
    observed: list[Observed],
    now: int,
) -> Plan:
    if base(endpoint) is not None:
        return rollback(begun(endpoint, reason, now), observed, now)
    state = {**endpoint_servers.settled(endpoint, target, "Failed", now, reason)}
    state |= {"FailureReason": reason, "Active": target["Generation"]}
    return Plan(replace(endpoint, status="Failed", state=state, modified_at=now), (), 0)


def begun(endpoint: Resource, reason: str, now: int) -> Resource:
    """The endpoint on its way back to what served before."""
    target = endpoint.state["Deployments"][-1]
    way, shifts = strategy(endpoint, target), target.get("Shifts", [])
    stage = way.stages[_stage(target, way, now)]
    share = Fraction(shifts[-1]["Share"]).limit_denominator(1_000) if shifts else Fraction(0)
    rolling = way.name == "ROLLING"
    back = {
        "Reason": reason,
        "At": now,
        "Serving": str(1 - share if rolling else _WHOLE),
        "Wanted": str(min(_WHOLE, stage.old + way.rollback_batch)),
    }
    state = {**endpoint.state, "Rollback": back, "Seen": {}}
    return replace(endpoint, status="RollingBack", state=state, modified_at=now)


def _returned(endpoint: Resource, target: Doc, observed: list[Observed], now: int) -> Plan:
    """As it was before; the new servers are stopped by the upkeep."""
    old, reason = base(endpoint), endpoint.state["Rollback"]["Reason"]
    assert old is not None
    state = endpoint_servers.settled(endpoint, target, "RolledBack", now, reason)
    state |= {"Deployments": [old], "FailureReason": reason}
    routes = endpoint_routes.routes(endpoint, old, observed)
    steps: tuple[Step, ...] = ()
    if routes != endpoint.state["Routes"]:
        state |= {"Routes": routes, "RoutedAt": now}
        steps = (endpoint_servers.route(endpoint, routes),)
    serving = replace(endpoint, status="InService", state=_forgotten(state), modified_at=now)
    return Plan(serving, steps, endpoint_servers.DRAIN_MS if steps else 0)


def _forgotten(state: Doc) -> Doc:
    """The state without what concerns an update alone."""
    return {name: value for name, value in state.items() if name not in ("Rollback", "Alarms")}


def _broken(server: Observed, since: int) -> bool:
    """It failed on the way back; what died before has nothing to do with that."""
    return endpoint_servers.failed(server) and server.run.created_at >= since


def _with(endpoint: Resource, target: Doc) -> Resource:
    deployments = [*endpoint.state["Deployments"][:-1], target]
    return replace(endpoint, state={**endpoint.state, "Deployments": deployments})


def _latest(observed: list[Observed]) -> dict[str, Observed]:
    return {each.run.role: each for each in observed}
