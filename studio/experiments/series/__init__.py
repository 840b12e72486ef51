"""Series of metrics: ingest that costs a row a request, and reads that cost what is shown."""

from studio.experiments.series.arrivals import Batch, arrive
from studio.experiments.series.points import NO_STEP, Points, points
from studio.experiments.series.settling import Settled, Settler, forget, settle, settled
from studio.experiments.series.summaries import Summary
from studio.experiments.series.summaries import of_component as summaries

__all__ = [
    "NO_STEP",
    "Batch",
    "Points",
    "Settled",
    "Settler",
    "Summary",
    "arrive",
    "forget",
    "points",
    "settle",
    "settled",
    "summaries",
]
