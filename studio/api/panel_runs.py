"""The job or the endpoint that a panel asks about, and its runs under the names of their logs."""

from dataclasses import dataclass
from pathlib import Path

from studio.api import (
    endpoints,
    log_runs,
    processing_jobs,
    store,
    training_jobs,
    transform_jobs,
)
from studio.api.registry import Context
from studio.db import resources
from studio.db.resources import Doc, Resource, Run
from studio.errors import ValidationException

_NOUNS = {
    it.NOUN.kind: it.NOUN for it in (training_jobs, processing_jobs, transform_jobs, endpoints)
}
_FAILED = ("failed", "lost")


@dataclass(frozen=True)
class Part:
    """One run of a job or an endpoint."""

    name: str
    """As CloudWatch calls the stream of its log."""
    host: str
    """`algo-1` of a job; the variant of an endpoint."""
    folder: Path
    run: Run

    @property
    def place(self) -> str:
        """`algo-1` of a job; `AllTraffic/0`, variant and number, of an endpoint."""
        verb, *rest = self.run.role.split("/")
        return "/".join(rest[1:]) if verb == "serve" else rest[0]

    @property
    def ended(self) -> bool:
        return self.run.phase not in ("pending", "running")


def subject(ctx: Context, request: Doc) -> tuple[Resource, list[Part]]:
    """What `Kind` and `Name` are about, and its runs, oldest first. Raises ApiError."""
    kind = request["Kind"]
    if kind not in _NOUNS:
        raise ValidationException(f"Kind: a {kind} has no runs; ask for {' or '.join(_NOUNS)}.")
    resource = store.require(ctx, _NOUNS[kind], request["Name"])
    with ctx.db.read() as connection:
        runs = resources.runs(connection, resource.id)
    return resource, [_part(ctx, resource, run) for run in runs]


def latest(parts: list[Part]) -> list[Part]:
    """The runs that were started together at last: the hosts of a job's latest attempt."""
    return [part for part in parts if _attempt(part) == _attempt(parts[-1])]


def chosen(resource: Resource, parts: list[Part], name: str) -> Part | None:
    """The part of that name; without one, the part that tells most. None while there are no runs.

    Raises ApiError for a name that is unknown.
    """
    if not name:
        return _telling(parts)
    found = next((part for part in parts if part.name == name), None)
    if found is None:
        raise ValidationException(f"{resource.kind} {resource.name} has no log stream {name!r}.")
    return found


def _telling(parts: list[Part]) -> Part | None:
    """Of the latest attempt the host that failed first, else the first."""
    if not parts:
        return None
    together = latest(parts)
    failed = [part for part in together if part.run.phase in _FAILED]
    return min(failed, key=lambda part: part.run.ended_at or 0) if failed else together[0]


def _attempt(part: Part) -> str:
    """What runs that were started together have in common."""
    verb, _, *attempt = part.run.role.split("/")
    return part.run.id if verb == "serve" else "/".join(attempt)


def _part(ctx: Context, resource: Resource, run: Run) -> Part:
    name = log_runs.stream_name(resource.kind, resource.name, run.role, run.id, run.created_at)
    host = run.role.split("/")[2 if resource.kind == "endpoint" else 1]
    return Part(name, host, ctx.settings.runs / run.id, run)
