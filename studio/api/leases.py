"""Leases: CPUs and GPUs of this machine for a notebook, until it is idle for too long.

A lease waits for its turn like a job. What happens to it then is in lease_plan.py. Its name is free
again once it has ended.
"""

from dataclasses import replace

from studio.api import access, store
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.errors import ResourceInUse, ResourceNotFound
from studio.reconcile import priorities

PENDING, IN_USE = "Pending", "InUse"
ROLE = "lease"
"""Of its run, which is a reservation."""

_IDLE_SECONDS = 1_800
_ALL = "local_gpu"

NOUN = store.Noun(
    kind="lease",
    missing=lambda it: ResourceNotFound(
        f"There is no lease {it.name}: it was released, or it expired."
    ),
    taken=lambda it: ResourceInUse(f"There is a lease {it.name} already: release it first."),
)


@operation("studio", "CreateLease")
def create_lease(ctx: Context, request: Doc) -> Doc:
    given = {name: value for name, value in request.items() if name != "Priority"}
    spec = {"InstanceType": _ALL, "IdleTimeoutInSeconds": _IDLE_SECONDS, **given}
    tags = [priorities.tag(request["Priority"])] if "Priority" in request else []
    now = ctx.now()
    made = store.create(
        ctx,
        NOUN,
        request["LeaseName"],
        {**spec, "Tags": tags},
        status=PENDING,
        due_at=now,
        state={"Cpus": 0, "Gpus": 0},
    )
    return {"LeaseArn": made.arn}


@operation("studio", "DescribeLease")
def describe_lease(ctx: Context, request: Doc) -> Doc:
    return _described(store.require(ctx, NOUN, request["LeaseName"]))


@operation("studio", "KeepLease")
def keep_lease(ctx: Context, request: Doc) -> Doc:
    def used(lease: Resource) -> Resource:
        return replace(lease, state={**lease.state, "LastUsedTime": ctx.now()})

    kept = store.change(ctx, NOUN, request["LeaseName"], used)
    return {"ExpirationTime": expires(kept)}


@operation("studio", "ReleaseLease")
def release_lease(ctx: Context, request: Doc) -> Doc:
    def released(lease: Resource) -> Resource:
        return replace(lease, desired="stopped")

    store.change(ctx, NOUN, request["LeaseName"], released)
    return {}


def expires(lease: Resource) -> int:
    """When it ends unless it is used before, in UTC milliseconds."""
    used = max(lease.state.get("LastUsedTime", 0), lease.state.get("StartTime", lease.created_at))
    return int(used) + 1_000 * int(lease.spec["IdleTimeoutInSeconds"])


def shown(ctx: Context) -> list[Doc]:
    """All that the caller may see, oldest first."""
    with ctx.db.read() as connection:
        found = resources.of_kind(connection, NOUN.kind)
    mine = [lease for lease in found if access.reaches(ctx, lease)]
    return [_described(lease) for lease in sorted(mine, key=lambda it: it.created_at)]


def _described(lease: Resource) -> Doc:
    return {
        **lease.spec,
        **lease.state,
        "LeaseArn": lease.arn,
        "LeaseStatus": lease.status,
        "Priority": priorities.of(lease),
        "CreationTime": lease.created_at,
        "ExpirationTime": expires(lease),
    }
