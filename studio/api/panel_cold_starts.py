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
    times: list[int | None] = [*_of_server(start, servers), start["Ready"], start["Answered"]]
    phases, at = [], start["Asked"]
    for name, end in zip(PHASES, times, strict=True):
        if at is None:
            break
        # Another server may have taken the request while this one was on its way.
        end = max(at, end) if end else None
        phases.append({"Name": name, "StartTime": at, "EndTime": end})
        at = end
    return {
        "VariantName": start["Variant"],
        "StartTime": start["Asked"],
        "EndTime": start["Answered"] or None,
        "Phases": phases,
    }


def _of_server(start: Doc, servers: list[tuple[Run, RunStatus]]) -> list[int | None]:
    """When the first server of a cold start was wanted, had a process, its model, and served."""
    for run, status in servers:
        if run.role.split("/")[2] == start["Variant"] and run.created_at >= start["Noticed"]:
            reached = dict(status.stages)
            stages = (reached.get(it) for it in ("Downloading", "Starting", "Serving"))
            return [run.created_at, *stages]
    return [None] * 4
