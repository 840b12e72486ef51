"""Samples of runs as metrics: what they take of CPUs, memory, disks and GPUs, in per cent."""

from collections.abc import Iterator

from studio.db.resources import Resource, Run
from studio.metrics.rows import row
from studio.metrics.store import Batch, Metric, Reading
from studio.reconcile.steps import Kind, Used
from studio.runners.base import METERS, Meter

_NAMES = {
    "cpu": "CPUUtilization",
    "memory": "MemoryUtilization",
    "disk": "DiskUtilization",
    "gpu": "GPUUtilization",
    "gpu_memory": "GPUMemoryUtilization",
}


def source(run_id: str, meter: Meter) -> str:
    """The name under which the store keeps how far the samples of a run were read."""
    return f"{meter}/{run_id}"


def sources(run_id: str) -> list[str]:
    """All names for a run."""
    return [source(run_id, meter) for meter in METERS]


def reading(kind: Kind, resource: Resource, run: Run, used: Used) -> Reading:
    """What the samples say, once."""
    batches = tuple(_batches(kind, resource, run, used))
    return Reading(source(run.id, used.meter), used.samples[-1].at, batches)


def _batches(kind: Kind, resource: Resource, run: Run, used: Used) -> Iterator[Batch]:
    assert kind.meter is not None
    namespace, dimensions = kind.meter(resource, run)
    scope, named = (resource.account, resource.region), tuple(sorted(dimensions))
    for name, called in _NAMES.items():
        metric = Metric(*scope, namespace, called, named, resource.owner)
        rows = (row(it.at, it.values[name]) for it in used.samples if name in it.values)
        yield Batch(metric, "Percent", tuple(rows))
