"""How a variant that slept came to answer: the phases from its first request to the answer."""

from studio.db.resources import Doc, Resource, Run
from studio.runners.base import RunStatus

PHASES = ("Notice", "Begin", "Model", "Program", "Route", "Answer")
"""What each time of a cold start ends: until the control plane starts a server; until that has a
process; until the model is in its folder; until the server answers `/ping`; until the router has it
in its table; until the model has answered the first request."""


def cold_starts(endpoint: Resource, servers: list[tuple[Run, RunStatus]]) -> list[Doc]:
    """The last ones, youngest first."""
    known = endpoint.state.get("ColdStarts", [])
    return [_described(each, servers) for each in reversed(known) if each["Asked"]]


def _described(start: Doc, servers: list[tuple[Run, RunStatus]]) -> Doc:
    ends = {**_of_server(start, servers), "Route": start["Ready"], "Answer": start["Answered"]}
    phases, at = [], start["Asked"]
    for name in PHASES:
        if name not in ends:
            continue
        # Another server may have taken the request while this one was on its way.
        end = max(at, ends[name]) if ends[name] else None
        phases.append({"Name": name, "StartTime": at, "EndTime": end})
        if end is None:
            break
        at = end
    return {
        "VariantName": start["Variant"],
        "StartTime": start["Asked"],
        "EndTime": start["Answered"] or None,
        "Phases": phases,
    }


def _of_server(start: Doc, servers: list[tuple[Run, RunStatus]]) -> dict[str, int | None]:
    """The ends of those phases in which the first server of a cold start was made; of one that was
    about to go and stayed there is none."""
    for run, status in servers:
        if run.role.split("/")[2] == start["Variant"] and run.created_at >= start["Noticed"]:
            reached = dict(status.stages)
            return {
                "Notice": run.created_at,
                "Begin": reached.get("Downloading"),
                "Model": reached.get("Starting"),
                "Program": reached.get("Serving"),
            }
    return {"Notice": start["Noticed"]}
