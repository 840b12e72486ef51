"""What the router notes while a test of two variants runs: how each arm of the test answered.

Only requests that the weights sent to a variant count; who names a variant is not part of a test.
As with counters.py, lines go to files below `router/arms`, from where the control plane takes each
once; a router that is killed loses about a second of both arms.
"""

import json
import time
from collections.abc import Mapping
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

from studio.serving.counters import LineFile

if TYPE_CHECKING:
    from studio.serving.table import Arm

INFERENCE_ID = "x-amzn-sagemaker-inference-id"
LONGEST_ID = 64
"""Characters of an InferenceId, as AWS has it; a longer one is not noted."""

_TARGET = "x-amzn-sagemaker-target-variant"
_FLUSH_SECONDS = 1.0
# So many ids make a line that takes no request's time.
_MOST_IDS = 256


def folder(home: Path) -> Path:
    """Where the files of a home's routers lie."""
    return home / "router" / "arms"


class Arms:
    """`note` every answer, `tick` now and then, `close` at the end."""

    def __init__(self, home: Path) -> None:
        place = folder(home)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = LineFile(place)
        self._tallies: dict[tuple[Arm, str], _Tally] = {}
        self._due = 0.0

    def note(
        self, arm: "Arm", variant: str, headers: Mapping[str, str], good: bool, model_us: int
    ) -> None:
        """An answer of a variant: whether it is one, and the microseconds that the model took."""
        if _TARGET in headers:
            return
        tally = self._tallies.get((arm, variant))
        if tally is None:
            tally = self._tallies[arm, variant] = _Tally()
        tally.requests += 1
        if good:
            value = log(model_us) if model_us > 0 else 0.0
            tally.log_sum += value
            tally.log_squares += value * value
        else:
            tally.errors += 1
        if arm.ids:
            given = headers.get(INFERENCE_ID)
            if given and len(given) <= LONGEST_ID:
                tally.ids.append(given)
                if len(tally.ids) >= _MOST_IDS:
                    self._flush()

    def tick(self, now: float) -> None:
        """Write what was noted, when it is time; `now` is the monotonic clock's."""
        if self._tallies and now >= self._due:
            self._due = now + _FLUSH_SECONDS
            self._flush()

    def close(self) -> None:
        """Write the rest; nothing is noted afterwards."""
        if self._tallies:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        at = time.time_ns() // 1_000_000
        tallies, self._tallies = self._tallies, {}
        lines = (_line(at, arm, variant, tally) for (arm, variant), tally in tallies.items())
        self._file.write(b"".join(lines))


class _Tally:
    __slots__ = ("errors", "ids", "log_squares", "log_sum", "requests")

    def __init__(self) -> None:
        self.requests = self.errors = 0
        self.log_sum = self.log_squares = 0.0
        self.ids: list[str] = []


def _line(at: int, arm: "Arm", variant: str, tally: _Tally) -> bytes:
    line = {
        "at": at,
        "test": arm.test,
        "variant": variant,
        "requests": tally.requests,
        "errors": tally.errors,
        "log_sum": tally.log_sum,
        "log_squares": tally.log_squares,
        "ids": tally.ids,
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
