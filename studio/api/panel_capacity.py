"""What this machine has for runs, how much of it is taken, and who waits: for the strip of the
navigator, and for people who wonder why their job does not start."""

import os
from pathlib import Path

from sqlalchemy import Connection, Select, func, select

from studio.api import access, training_jobs
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE, RUN
from studio.reconcile import scheduler
from studio.runners.base import Resources

_FIRST = 100
_OPEN = (RUN.c.resource_id == RESOURCE.c.id, RUN.c.phase.in_(("pending", "running")))
_WAITS = (
    RESOURCE.c.kind == training_jobs.NOUN.kind,
    RESOURCE.c.due_at.is_not(None),
    RESOURCE.c.status == "InProgress",
    ~select(RUN.c.id).where(*_OPEN).exists(),
)
_LINE: Select[tuple[object, ...]] = (
    resources.RESOURCES.where(*_WAITS).order_by(RESOURCE.c.created_at, RESOURCE.c.id).limit(_FIRST)
)
_LENGTH = select(func.count()).select_from(RESOURCE).where(*_WAITS)


@operation("studio", "DescribeCapacity")
def describe_capacity(ctx: Context, _request: Doc) -> Doc:
    limit = scheduler.capacity(ctx.settings)
    with ctx.db.read() as connection:
        runs = resources.open_runs(connection)
        waiting, length = _line(connection)
    queued = [run for run in runs if run.spec["queued"]]
    used = scheduler.together([Resources(**run.spec["resources"]) for run in queued], limit)
    return {
        "Cpus": {"Total": limit.cpus, "Used": used.cpus},
        "Gpus": {"Total": limit.gpus, "Used": used.gpus},
        "Memory": _memory(),
        "Running": len(runs),
        "RunningJobs": len({run.resource_id for run in queued}),
        "Waiting": length,
        "WaitingRuns": [_shown(job) for job in waiting if access.reaches(ctx, job)],
    }


def _line(connection: Connection) -> tuple[list[Resource], int]:
    """The first who wait, and how many there are."""
    first = [resources.resource(row) for row in connection.execute(_LINE)]
    whole = len(first) < _FIRST
    return first, len(first) if whole else connection.execute(_LENGTH).scalar_one()


def _shown(job: Resource) -> Doc:
    last = job.state["Transitions"][-1]
    return {
        "Kind": job.kind,
        "Name": job.name,
        "Arn": job.arn,
        "Since": job.created_at,
        "Reason": last["StatusMessage"] if last["Status"] == "Pending" else "",
    }


def _memory() -> Doc:
    """Of the machine, in MiB."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {"TotalInMB": total, "AvailableInMB": _available() or total}


def _available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) // 1024
    return 0
