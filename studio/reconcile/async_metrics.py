"""What is counted of asynchronous requests, under AWS's names, for the collector of metrics."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from studio.metrics.rows import cell
from studio.serving import counters
from studio.serving.backlog import Load

_Values = dict[str, dict[float, int]]


class AsyncMetrics:
    """`count` on any thread, `flush` now and then."""

    def __init__(self, home: Path) -> None:
        place = counters.folder(home)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = counters.LineFile(place)
        self._lock = threading.Lock()
        self._values: dict[tuple[str, str], _Values] = {}

    def count(self, endpoint: str, variant: str, **values: float) -> None:
        """A value of each of these metrics; variant "": of the endpoint as a whole."""
        with self._lock:
            known = self._values.setdefault((endpoint, variant), {})
            for name, value in values.items():
                times = known.setdefault(name, defaultdict(int))
                times[value] += 1

    def gauge(self, endpoint: str, load: Load, servers: int, now: int) -> None:
        """How long a queue is; `now` is UTC milliseconds."""
        size = load.waiting + load.running
        age = (now - load.oldest) / 1_000 if load.oldest is not None else 0.0
        self.count(
            endpoint,
            "",
            ApproximateBacklogSize=size,
            ApproximateBacklogSizePerInstance=size / max(servers, 1),
            ApproximateAgeOfOldestRequest=max(age, 0.0),
            HasBacklogWithoutCapacity=int(size > 0 and not servers),
        )

    def flush(self) -> None:
        """Write what was counted."""
        with self._lock:
            found, self._values = self._values, {}
        if found:
            at = time.time_ns() // 1_000_000
            self._file.write(b"".join(_line(at, *owner, it) for owner, it in found.items()))

    def close(self) -> None:
        self.flush()
        self._file.close()


def _line(at: int, endpoint: str, variant: str, values: _Values) -> bytes:
    metrics = {name: _rows(times.items()) for name, times in values.items()}
    line = {"at": at, "endpoint": endpoint, "metrics": metrics}
    line |= {"variant": variant} if variant else {}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _rows(seen: Iterable[tuple[float, int]]) -> list[list[float]]:
    """Rows are weight, total, lowest and highest value."""
    cells: dict[int, list[float]] = {}
    for value, times in seen:
        row = cells.setdefault(cell(value), [0, 0, value, value])
        row[0] += times
        row[1] += value * times
        row[2] = min(row[2], value)
        row[3] = max(row[3], value)
    return list(cells.values())
