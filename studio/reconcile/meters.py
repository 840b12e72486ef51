"""Samples of runs as metrics: what they take of CPUs, memory and disk, in per cent."""

from studio.db.resources import Resource, Run
from studio.metrics.rows import row
from studio.metrics.store import Batch, Metric, Reading
from studio.reconcile.steps import Kind
from studio.runners.base import Usage

_NAMES = (("CPUUtilization", "cpu"), ("MemoryUtilization", "memory"), ("DiskUtilization", "disk"))


def source(run_id: str) -> str:
    """The name under which the store keeps how far the samples of a run were read."""
    return f"usage/{run_id}"


def run_id(reading: Reading) -> str:
    """The run whose samples they are."""
    return reading.source.removeprefix("usage/")


def reading(kind: Kind, resource: Resource, run: Run, samples: tuple[Usage, ...]) -> Reading:
    """What the samples say, once; there is at least one."""
    assert kind.meter is not None
    namespace, dimensions = kind.meter(resource, run)
    scope, named = (resource.account, resource.region), tuple(sorted(dimensions))
    batches = tuple(
        Batch(
            Metric(*scope, namespace, name, named, resource.owner),
            "Percent",
            tuple(row(each.at, getattr(each, member)) for each in samples),
        )
        for name, member in _NAMES
    )
    return Reading(source(run.id), samples[-1].at, batches)
