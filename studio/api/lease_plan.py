"""What happens to a lease: a pure plan. It waits for its turn, holds what it got, and ends when it
is released, or when nobody said for its idle time that it is in use."""

from dataclasses import replace

from studio.api import instances, leases
from studio.db.resources import Resource
from studio.reconcile import broker
from studio.reconcile.steps import Kind, Observed, Plan, Release, Start

_LOOK_MS = 1_000


def plan(lease: Resource, observed: list[Observed], now: int) -> Plan:
    """Also of one that waits the time runs: who asked for it may be gone."""
    held = [it for it in observed if not it.status.ended]
    over = lease.desired == "stopped" or now >= leases.expires(lease)
    if over or len(held) < len(observed):
        ended = replace(lease, deleted_at=now, due_at=None, modified_at=now)
        return Plan(ended, tuple(Release(it.run.id) for it in held))
    if not held or held[0].status.phase == "pending":
        return Plan(lease, (_start(lease),), _LOOK_MS)
    return Plan(_in_use(lease, held[0], now), (), leases.expires(lease) - now)


def _start(lease: Resource) -> Start:
    wanted = instances.asked(lease.spec["InstanceType"], lease.spec.get("GpuMemoryInMB", 0))
    return Start(f"{lease.id}-{leases.ROLE}", leases.ROLE, wanted)


def _in_use(lease: Resource, held: Observed, now: int) -> Resource:
    if lease.status == leases.IN_USE:
        return lease
    had = broker.reserved(held.run)
    state = {name: value for name, value in lease.state.items() if name != "Reason"}
    got = {"Cpus": had.cpus, "Gpus": len(had.gpu_ids), "GpuIds": list(had.gpu_ids)}
    return replace(
        lease, status=leases.IN_USE, state={**state, **got, "StartTime": now}, modified_at=now
    )


def _blocked(lease: Resource, reason: str, _now: int) -> Resource:
    return replace(lease, state={**lease.state, "Reason": reason})


KIND = Kind(name=leases.NOUN.kind, plan=plan, prepare=None, blocked=_blocked)
"""The behaviour of leases, for the reconciler."""
