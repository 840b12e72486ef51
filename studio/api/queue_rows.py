"""Those who wait for the machine and those who have some of it, as operations tell of them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from studio.api import access
from studio.api.registry import Context
from studio.db import resources
from studio.db.resources import Doc, Resource, Run
from studio.reconcile import broker, interruptions, priorities, scheduler
from studio.reconcile.scheduler import Place
from studio.runners.base import Resources

KINDS = ("training-job", "processing-job", "transform-job", "lease")
"""Those that wait for their turn."""


def waiting(
    connection: Connection, ctx: Context, places: Sequence[Place], fresh: Iterable[Resource] = ()
) -> list[Doc]:
    """Who waits at `places`, and behind them who has just come, as far as the caller may see."""
    known = [place.turn.resource_id for place in places]
    by_id = {it.id: it for it in resources.several(connection, known)}
    rows = [
        _waiting(by_id[each.turn.resource_id], each)
        for each in places
        if each.turn.resource_id in by_id and access.reaches(ctx, by_id[each.turn.resource_id])
    ]
    return rows + [
        _named(it) | {"Since": it.created_at, "Reason": ""}
        for it in fresh
        if it.id not in by_id and access.reaches(ctx, it)
    ]


def running(ctx: Context, runs: Sequence[Run], holders: Iterable[Resource]) -> list[Doc]:
    """What `holders` have, longest first, as far as the caller may see."""
    of: dict[str, list[Run]] = {}
    for run in runs:
        of.setdefault(run.resource_id, []).append(run)
    rows = [_running(ctx, it, of[it.id]) for it in holders if access.reaches(ctx, it)]
    return sorted(rows, key=lambda row: (row["Since"], row["Arn"]))


def owners(runs: Iterable[Run]) -> list[str]:
    """Ids of the resources that runs belong to."""
    return sorted({run.resource_id for run in runs})


def _waiting(it: Resource, place: Place) -> Doc:
    wanted = place.turn.wanted
    return {
        **_named(it),
        "Since": it.created_at,
        "Reason": place.reason,
        "Position": place.position,
        "Hosts": place.turn.hosts,
        **_amount(wanted),
    }


def _running(ctx: Context, it: Resource, runs: list[Run]) -> Doc:
    had = [broker.occupied(run) for run in runs]
    total = scheduler.together(had, ctx.broker.limit)
    ids = sorted({gpu_id for each in had for gpu_id in each.gpu_ids})
    return {
        **_named(it),
        "Since": min(run.created_at for run in runs),
        "Interrupting": it.desired == interruptions.WANTED,
        "GpuIds": ids,
        "Hosts": len(runs),
        **_amount(total),
        "Gpus": len(ids),
    }


def _named(it: Resource) -> Doc:
    return {
        "Kind": it.kind,
        "Name": it.name,
        "Arn": it.arn,
        "Priority": priorities.of(it),
        "Preemptible": priorities.preemptible(it),
    }


def _amount(of: Resources) -> Doc:
    share = {"GpuMemoryInMB": of.gpu_memory_mb} if of.gpu_memory_mb else {}
    return {"Cpus": of.cpus, "Gpus": of.gpus, **share}
