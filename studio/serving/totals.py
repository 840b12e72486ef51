"""What the router has counted since it began, by endpoint and variant: for monitoring systems,
which take differences themselves. Added up when counters are flushed: no request pays for it."""

from bisect import bisect_left
from collections.abc import Mapping

BOUNDS_US = (
    *(500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000),
    *(1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000),
)
"""Upper bounds of latencies that are counted together, in microseconds."""


class Histogram:
    """Values in `BOUNDS_US`, the last cell for what is beyond; their sum in microseconds."""

    __slots__ = ("cells", "sum")

    def __init__(self) -> None:
        self.cells = [0] * (len(BOUNDS_US) + 1)
        self.sum = 0

    def add(self, seen: Mapping[int, int]) -> None:
        """Value -> how often it was seen."""
        for value, times in seen.items():
            self.cells[bisect_left(BOUNDS_US, value)] += times
            self.sum += value * times


class Totals:
    """Of one variant."""

    __slots__ = (
        "client_errors", "invocations", "model", "model_errors", "overhead", "server_errors",
    )  # fmt: skip

    def __init__(self) -> None:
        self.invocations = self.client_errors = self.server_errors = self.model_errors = 0
        self.model = Histogram()
        self.overhead = Histogram()
