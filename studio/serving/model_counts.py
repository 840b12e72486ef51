"""What the front of a multi-model server counts, in the lines that routers write too."""

import json
import time
from pathlib import Path
from time import monotonic
from typing import Any

from studio.metrics.rows import cell
from studio.serving.counters import LineFile, folder

_FLUSH_SECONDS = 2.0
_GAUGE_SECONDS = 60.0

_Rows = list[list[float]]


class ModelCounts:
    """Times and hits of one variant's models, and the invocations of each model."""

    def __init__(self, home: Path, endpoint: str, variant: str) -> None:
        place = folder(home)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = LineFile(place)
        self._of = {"endpoint": endpoint, "variant": variant}
        self._times: dict[str, dict[int, list[float]]] = {}
        self._hits = self._misses = 0
        self._models: dict[str, list[int]] = {}
        self._gauge: tuple[int, float] = (-1, 0.0)
        self._due = 0.0

    def add(self, name: str, value: int) -> None:
        """One more value of a time, in microseconds."""
        row = self._times.setdefault(name, {}).setdefault(cell(value), [0, 0, value, value])
        row[0] += 1
        row[1] += value
        row[2], row[3] = min(row[2], value), max(row[3], value)

    def invoked(self, target: str, hit: bool) -> None:
        """An invocation of a model, which was loaded or was not."""
        self._hits += hit
        self._misses += not hit
        self._models.setdefault(target, [0, 0])[0] += 1

    def failed(self, target: str) -> None:
        """An invocation that the model answered with an error, or not at all."""
        self._models.setdefault(target, [0, 0])[1] += 1

    def tick(self, loaded: int) -> None:
        """Write what was counted, when it is time; `loaded` models there are now."""
        now = monotonic()
        if now < self._due:
            return
        self._due = now + _FLUSH_SECONDS
        lines = [*self._lines(), *self._loaded(loaded, now)]
        if lines:
            self._file.write(b"".join(lines))

    def _lines(self) -> list[bytes]:
        metrics: dict[str, _Rows] = {
            name: list(cells.values()) for name, cells in self._times.items()
        }
        if self._hits or self._misses:
            hits = [[float(self._hits), float(self._hits), 1.0, 1.0]] if self._hits else []
            misses = [[float(self._misses), 0.0, 0.0, 0.0]] if self._misses else []
            metrics["ModelCacheHit"] = hits + misses
        lines = [self._line(metrics)] if metrics else []
        for target, (number, errors) in self._models.items():
            each: dict[str, _Rows] = {"Invocations": [[number, number, 1, 1]]} if number else {}
            if errors:
                each["InvocationModelErrors"] = [[errors, errors, 1, 1]]
            lines.append(self._line(each, target=target))
        self._times, self._hits, self._misses, self._models = {}, 0, 0, {}
        return lines

    def _loaded(self, number: int, now: float) -> list[bytes]:
        """How many models there are: when that is news, and once a minute."""
        known, at = self._gauge
        if number == known and now - at < _GAUGE_SECONDS:
            return []
        self._gauge = (number, now)
        rows: _Rows = [[1, number, number, number]]
        return [self._line({"LoadedModelCount": rows}, namespace="/aws/sagemaker/Endpoints")]

    def _line(self, metrics: dict[str, _Rows], **more: Any) -> bytes:
        at = time.time_ns() // 1_000_000
        line = {"at": at, **self._of, "metrics": metrics, **more}
        return json.dumps(line, separators=(",", ":")).encode() + b"\n"
