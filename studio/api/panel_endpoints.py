"""How an endpoint came to be what it is: the steps of a deployment, its servers, what went before.

DescribeEndpoint says Creating, or Updating, and for long no more. Here is what happens meanwhile:
which server is how far and why one failed, with the last lines of its log.
"""

from dataclasses import dataclass

from studio.api import (
    endpoint_routes,
    endpoint_sleep,
    endpoints,
    panel_cold_starts,
    panel_deployments,
    store,
)
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource, Run
from studio.runners import logs
from studio.runners.base import RunStatus

_MOST_SERVERS = 100
_FAILED_SHOWN = 5
_LAST_LINES = 20
_END = 2**62
_NEVER = 2**62
_STATUS = {"failed": "Failed", "stopped": "Stopped", "succeeded": "Stopped", "lost": "Lost"}


@dataclass(frozen=True)
class Server:
    """A start of a model server, and what is known of it now."""

    run: Run
    status: RunStatus

    @property
    def ended_at(self) -> int:
        return self.status.ended_at or _NEVER

    def reached(self, *stages: str) -> int | None:
        """When the first of these stages began, None before that."""
        return next((at for stage, at in self.status.stages if stage in stages), None)


@operation("studio", "DescribeDeployment")
def describe_deployment(ctx: Context, request: Doc) -> Doc:
    endpoint = store.require(ctx, endpoints.NOUN, request["EndpointName"])
    with ctx.db.read() as connection:
        runs = resources.runs(connection, endpoint.id, _MOST_SERVERS)
    servers = [Server(run, status(ctx, run)) for run in runs[-_MOST_SERVERS:]]
    change = _change(endpoint)
    past = endpoint.state.get("Past", [])
    return {
        "EndpointName": endpoint.name,
        "EndpointStatus": endpoint.status,
        "EndpointConfigName": change["EndpointConfigName"],
        "StartTime": change["StartTime"],
        "EndTime": change.get("EndTime"),
        "Steps": steps(change, servers),
        "Variants": [
            _variant(endpoint, it) for it in endpoint.state["Deployments"][-1]["Variants"]
        ],
        "Servers": _servers(ctx, servers),
        "ColdStarts": panel_cold_starts.cold_starts(
            endpoint, [(each.run, each.status) for each in servers]
        ),
        "Rollout": panel_deployments.rollout(ctx, endpoint),
        "Changes": [_past(each) for each in reversed(past)],
    }


def steps(change: Doc, servers: list[Server]) -> list[Doc]:
    """What there is to do for a change, in order, and how far it is. Times are UTC milliseconds."""
    start, end = change["StartTime"], change.get("EndTime") or _NEVER
    wanted = set(endpoint_routes.roles(change))
    fresh = {
        each.run.role: each
        for each in servers
        if each.run.role in wanted and start <= each.run.created_at <= end
    }
    before = [it for it in servers if it.run.created_at < start and it.ended_at >= start]
    total = len(wanted - {each.run.role for each in before})
    leaving = [each for each in before if each.run.role not in wanted]
    made = []
    if total:
        begun = [it.reached("Starting", "Serving") for it in fresh.values()]
        answered = [it.reached("Serving") for it in fresh.values()]
        made += [_step("StartServers", total, begun), _step("AwaitHealth", total, answered)]
    made.append(_step("MoveTraffic", 1, [end if change.get("Outcome") == "Completed" else None]))
    if leaving and not _given_up(change):
        ends = [it.status.ended_at for it in leaving]
        made.append(_step("StopServers", len(leaving), ends))
    return _in_order(made, change)


def _step(name: str, total: int, times: list[int | None]) -> Doc:
    known = [at for at in times if at is not None]
    end = max(known, default=None) if len(known) >= total else None
    return {"Name": name, "Done": len(known), "Total": total, "EndTime": end}


def _in_order(made: list[Doc], change: Doc) -> list[Doc]:
    """Each step with its status, and the time when the one before it was done."""
    given_up = _given_up(change)
    at: int | None = change["StartTime"]
    for step in made:
        step["StartTime"] = at
        if step["EndTime"] is not None and at is not None:
            step["Status"], at = "Completed", max(at, step["EndTime"])
        elif at is None:
            step["Status"] = "Skipped" if given_up else "Pending"
        else:
            step["Status"], at = "Failed" if given_up else "InProgress", None
            step["EndTime"] = change["EndTime"] if given_up else None
    return made


def _given_up(change: Doc) -> bool:
    return change.get("Outcome") in ("RolledBack", "Failed")


def _change(endpoint: Resource) -> Doc:
    """What happens to the endpoint, or happened last."""
    state = endpoint.state
    youngest = state["Deployments"][-1]
    if "Before" in state:
        return {**youngest, "StartTime": state["Before"]["StartTime"]}
    if endpoint.status in ("Creating", *endpoints.UNDER_WAY):
        return dict(youngest)
    if state.get("Past"):
        return dict(state["Past"][-1])
    # Of an endpoint that is older than this memory.
    outcome = "Failed" if endpoint.status == "Failed" else "Completed"
    end = state.get("RoutedAt", endpoint.modified_at)
    return {**youngest, "Outcome": outcome, "EndTime": end}


def status(ctx: Context, run: Run) -> RunStatus:
    """What is known of a run now."""
    final = run.handle.get("final")
    if final:
        return RunStatus.of(final)
    known = run.handle.get("runner")
    return ctx.runner.poll(run.id, known) if known else RunStatus("pending")


def _variant(endpoint: Resource, variant: Doc) -> Doc:
    routes = {each["name"]: each for each in endpoint.state["Routes"]}
    route = routes.get(variant["VariantName"], {"servers": []})
    many = route.get("models", False)
    return {**_shown(variant), "InService": len(route["servers"]), "MultiModel": many}


def _shown(variant: Doc) -> Doc:
    return {
        "VariantName": variant["VariantName"],
        "ModelName": variant["ModelName"],
        "InstanceType": variant.get("InstanceType"),
        "Serverless": variant.get("ServerlessConfig"),
        "Sleeps": endpoint_sleep.may_sleep(variant),
        "Weight": variant.get("InitialVariantWeight", 1.0),
        "InstanceCount": variant.get("InitialInstanceCount", 1),
        "Shadow": variant.get("Shadow", False),
    }


def _servers(ctx: Context, servers: list[Server]) -> list[Doc]:
    """Youngest first; the youngest of those that failed with the end of their log."""
    failed = [each.run.id for each in servers if each.status.phase == "failed"][-_FAILED_SHOWN:]
    return [_server(ctx, each, each.run.id in failed) for each in reversed(servers)]


def _server(ctx: Context, server: Server, with_lines: bool) -> Doc:
    run, status = server.run, server.status
    _, generation, variant, _ = run.role.split("/")
    lines = (
        logs.read_back(ctx.settings.runs / run.id, _END, _LAST_LINES).events if with_lines else ()
    )
    return {
        "VariantName": variant,
        "Generation": int(generation),
        "Number": endpoint_routes.place(run.role)[0] + 1,
        "Status": _STATUS.get(status.phase)
        or (status.stages[-1][0] if status.stages else "Pending"),
        "StartTime": run.created_at,
        "EndTime": status.ended_at,
        "Stages": [{"Name": name, "StartTime": at} for name, at in status.stages],
        "ExitCode": status.exit_code,
        "Reason": status.reason,
        "Message": status.message,
        "LogStreamName": f"{variant}/{run.id}",
        "LastLines": [text for _, text in lines],
    }


def _past(change: Doc) -> Doc:
    kind = "Created" if change["Generation"] == 1 else "Updated"
    return {
        "Kind": "Rescaled" if change["Rescaled"] else kind,
        "EndpointConfigName": change["EndpointConfigName"],
        "StartTime": change["StartTime"],
        "EndTime": change["EndTime"],
        "Outcome": change["Outcome"],
        "Message": change["Message"],
        "Stages": panel_deployments.stages_of(change),
        "Variants": [_shown(each) for each in change["Variants"]],
    }
