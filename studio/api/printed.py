"""Metrics that a run printed, from its log: every value in its order, with its step.

The metric store has them too, as CloudWatch would: to the second, and to the minute after some
hours. A chart of a short job needs each of them, and the log is kept as long as the job.
"""

import math
import threading
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from studio.api import metrics
from studio.api.named_steps import NAMED
from studio.api.series import Series, extremes
from studio.db.resources import Doc
from studio.runners import logs

_LINES = 5_000
_SECONDS = 1.0
_MOST = 65_536
"""Values of a series that are kept: of more the extremes, so that no log takes the memory."""


@dataclass
class _Points:
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    steps: "array[float]" = field(default_factory=lambda: array("d"))
    count: int = 0
    """How many values there were."""
    step_name: str = ""
    stepped: bool = True
    """Every value has had a step of that name, and none was before the one of the last."""


class Printed:
    """The metrics in the log of one run; reading goes on where it stopped."""

    def __init__(self, folder: Path, definitions: tuple[tuple[str, str], ...]) -> None:
        self._folder = folder
        self._definitions: list[Doc] = [{"Name": it[0], "Regex": it[1]} for it in definitions]
        self._lock = threading.Lock()
        self._position = 0
        self._points: dict[str, _Points] = {}

    def read(self, host: str) -> tuple[list[Series], bool]:
        """The series so far; False when the log has more than can be read in about a second."""
        with self._lock:
            whole = self._extend()
            return [_series(name, host, points) for name, points in self._points.items()], whole

    def _extend(self) -> bool:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            page = logs.read(self._folder, self._position, _LINES)
            if not page.events:
                return True
            for name, at, value, line in metrics.values(self._definitions, page.events):
                if math.isfinite(value):
                    _add(self._points.setdefault(name, _Points()), at, value, line)
            self._position = page.end
        return False


def of(folder: Path, definitions: Iterable[Doc]) -> Printed:
    """What is known of the run in `folder`: the same for all who ask, as long as it is in use."""
    return _of(folder, tuple((it["Name"], it["Regex"]) for it in definitions))


_of = lru_cache(maxsize=64)(Printed)


def _add(points: _Points, at: int, value: float, line: str) -> None:
    points.count += 1
    points.times.append(at)
    points.values.append(value)
    if points.stepped:
        _add_step(points, line)
    if len(points.values) >= _MOST:
        _thin(points)


def _add_step(points: _Points, line: str) -> None:
    if points.count == 1:
        points.step_name = next((it for it in NAMED if NAMED[it].search(line)), "")
    step = NAMED[points.step_name].search(line) if points.step_name else None
    number = float(step[1]) if step else -1.0
    points.stepped = number >= (points.steps[-1] if points.steps else 0.0)
    points.steps.append(number)


def _thin(points: _Points) -> None:
    kept = extremes(points.values, _MOST // 2)
    for name in ("times", "values", *(["steps"] if points.stepped else [])):
        column = getattr(points, name)
        setattr(points, name, array("d", (column[at] for at in kept)))


def _series(name: str, host: str, points: _Points) -> Series:
    stepped = points.stepped and points.steps[0] < points.steps[-1]
    return Series(
        name,
        "job",
        "None",
        # Copies: others go on reading while these are looked at.
        points.times[:],
        points.values[:],
        points.steps[:] if stepped else (),
        points.step_name if stepped else "",
        host,
        count=points.count,
    )
