"""What this machine has for runs, how much of it is taken, by whom, and who waits: for the strip of
the navigator, and for people who wonder why their job does not start."""

import os
from pathlib import Path

from sqlalchemy import Connection, Select, func, select

from studio.api import access, leases, queue_rows
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource, Run
from studio.db.tables import RESOURCE, RUN
from studio.reconcile import broker, scheduler
from studio.reconcile.pool import Pool
from studio.runners.base import Resources
from studio.runners.devices import Gpu

_FIRST = 100
_OPEN = (RUN.c.resource_id == RESOURCE.c.id, RUN.c.phase.in_(("pending", "running")))
_WAITS = (
    RESOURCE.c.kind.in_(queue_rows.KINDS),
    RESOURCE.c.due_at.is_not(None),
    RESOURCE.c.status.in_(("InProgress", leases.PENDING)),
    ~select(RUN.c.id).where(*_OPEN).exists(),
)
_LINE: Select[tuple[object, ...]] = (
    resources.RESOURCES.where(*_WAITS).order_by(RESOURCE.c.created_at, RESOURCE.c.id).limit(_FIRST)
)
_LENGTH = select(func.count()).select_from(RESOURCE).where(*_WAITS)


@operation("studio", "DescribeCapacity")
def describe_capacity(ctx: Context, _request: Doc) -> Doc:
    limit, places = ctx.broker.limit, ctx.broker.places()[:_FIRST]
    with ctx.db.read() as connection:
        runs = resources.open_runs(connection)
        fresh, length = _line(connection)
        owners = {it.id: it for it in resources.several(connection, queue_rows.owners(runs))}
        waiting = queue_rows.waiting(connection, ctx, places, fresh)
    queued = [run for run in runs if run.spec["queued"]]
    used = scheduler.together([broker.reserved(run) for run in queued], limit)
    devices = [_device(ctx, gpu, runs, owners) for gpu in ctx.broker.gpus]
    return {
        "Cpus": {"Total": limit.cpus, "Used": used.cpus},
        "Gpus": {"Total": limit.gpus, "Used": sum(it["InUse"] for it in devices)},
        "Memory": _memory(),
        "Devices": devices,
        "Leases": leases.shown(ctx),
        "Running": sum(run.role != leases.ROLE for run in runs),
        "RunningJobs": len({run.resource_id for run in queued if run.role != leases.ROLE}),
        "Waiting": length,
        "WaitingRuns": waiting,
    }


def _line(connection: Connection) -> tuple[list[Resource], int]:
    """The first who wait, and how many there are."""
    first = [resources.resource(row) for row in connection.execute(_LINE)]
    whole = len(first) < _FIRST
    return first, len(first) if whole else connection.execute(_LENGTH).scalar_one()


def _device(ctx: Context, gpu: Gpu, runs: list[Run], owners: dict[str, Resource]) -> Doc:
    pool = Pool(0, [gpu])
    held = [(run, had) for run in runs if gpu.id in (had := broker.occupied(run)).gpu_ids]
    for _, had in held:
        pool.take(had)
    free = pool.widest if gpu.memory_mb else 0
    return {
        "GpuId": gpu.id,
        "Name": gpu.name,
        "MemoryInMB": gpu.memory_mb,
        "LeasedMemoryInMB": gpu.memory_mb - free,
        "InUse": bool(held),
        "Holders": [
            _holder(owners[run.resource_id], had)
            for run, had in held
            if access.reaches(ctx, owners[run.resource_id])
        ],
    }


def _holder(owner: Resource, had: Resources) -> Doc:
    share = {"MemoryInMB": had.gpu_memory_mb} if had.gpu_memory_mb else {}
    return {"Kind": owner.kind, "Name": owner.name, "Arn": owner.arn, **share}


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
