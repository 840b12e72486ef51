"""Latencies as counts in buckets of equal ratio: small, whatever there was to count."""

import math
from collections import Counter

_RATIO = 2 ** (1 / 32)
"""What is told of a latency is its bucket's upper edge: at most this much above it, 2.2 %."""
_SCALE = 1 / math.log(_RATIO)
_LEAST = 1e-6


class Latencies:
    """`add` seconds; what is told is in milliseconds."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._sum = self._most = 0.0
        self.count = 0

    def add(self, seconds: float) -> None:
        self._counts[math.ceil(math.log(max(seconds, _LEAST)) * _SCALE)] += 1
        self._sum += seconds
        self._most = max(self._most, seconds)
        self.count += 1

    def quantile(self, part: float) -> float | None:
        """What `part` of the latencies do not pass; None without any."""
        wanted = max(math.ceil(part * self.count), 1)
        for upper, count in self.buckets():
            wanted -= count
            if wanted <= 0:
                return min(upper, self._most * 1e3)
        return None

    def summary(self) -> dict[str, float]:
        """Percentiles, `Mean` and `Maximum`; empty without latencies."""
        if not self.count:
            return {}
        parts = {"P50": 0.5, "P90": 0.9, "P99": 0.99}
        told = {name: self.quantile(part) or 0.0 for name, part in parts.items()}
        return {**told, "Mean": self._sum / self.count * 1e3, "Maximum": self._most * 1e3}

    def buckets(self) -> list[tuple[float, int]]:
        """(upper edge, count) of those that are not empty, the fastest first."""
        return [(_RATIO**it * 1e3, count) for it, count in sorted(self._counts.items())]
