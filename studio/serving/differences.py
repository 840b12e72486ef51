"""How the answers of a shadow differ from those that clients got: counts, and the latest examples.

`router/shadows/<record>.json` holds them. Answers that are equal byte for byte are the same; else
they are read as JSON or as CSV, and numbers that differ by less than a millionth of their size are
equal too.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.serving.capture import replace
from studio.serving.frames import Frame

_EXAMPLES = 20
_LONGEST_TEXT = 2_048
_LARGEST_BODY = 1_048_576
_TOLERANCE = 1e-6
_SAVE_SECONDS = 1.0


def path(home: Path, record: str) -> Path:
    return home / "router" / "shadows" / f"{record}.json"


def compared(production: bytes, shadow: bytes) -> tuple[bool, float | None]:
    """Whether two answers are the same, and the largest difference of their numbers (None: they
    differ in more than numbers)."""
    if production == shadow:
        return True, 0.0
    if max(len(production), len(shadow)) > _LARGEST_BODY:
        return False, None
    ours, its = list(_values(production)), list(_values(shadow))
    if len(ours) != len(its):
        return False, None
    largest, same = 0.0, True
    for one, other in zip(ours, its, strict=True):
        if not isinstance(one, float) or not isinstance(other, float):
            if one != other:
                return False, None
        elif one != other and not (math.isnan(one) and math.isnan(other)):
            gap = abs(one - other)
            largest = max(largest, gap) if math.isfinite(gap) else largest
            same = same and math.isclose(one, other, rel_tol=_TOLERANCE)
    return same, largest


def _values(body: bytes) -> Iterator[float | str]:
    """What an answer consists of, in order: numbers as such."""
    text = body.decode("utf-8", "replace").strip()
    try:
        yield from _leaves(json.loads(text))
    except (ValueError, RecursionError):
        for word in re.split(r"[,\s]+", text):
            yield _number(word)


def _leaves(value: Any) -> Iterator[float | str]:
    if isinstance(value, dict):
        for name in sorted(value):
            yield f"{name}:"
            yield from _leaves(value[name])
    elif isinstance(value, list):
        yield f"[{len(value)}"
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield _number(value)
    else:
        yield json.dumps(value)


def _number(value: Any) -> float | str:
    try:
        return float(value)
    except (ValueError, OverflowError):
        return str(value)


class Differences:
    """`take` frames, `tick` writes what they came to."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._records: dict[str, dict[str, Any]] = {}
        self._news: set[str] = set()
        self._saved = 0.0

    @property
    def waits(self) -> bool:
        """Whether there is anything to do later."""
        return bool(self._news)

    def take(self, frame: Frame) -> None:
        name, said = frame.about["record"], frame.said
        state = self._records.get(name)
        if state is None:
            state = self._records[name] = read(self._home, name)
        self._news.add(name)
        if dropped := said.get("dropped"):
            state["Dropped"] += dropped
            return
        _, production, shadow = frame.bodies
        state["Compared"] += 1
        state["Since"] = state["Since"] or _milliseconds(said)
        succeeded = [200 <= status < 300 for status in said["statuses"]]
        same, largest = compared(production, shadow) if all(succeeded) else (False, None)
        if succeeded[0] and not succeeded[1]:
            outcome = "Failed"
        else:
            outcome = "Same" if same or not any(succeeded) else "Different"
        state[outcome] += 1
        if largest is not None:
            state["LargestDifference"] = max(state["LargestDifference"], largest)
        if outcome != "Same":
            example = _example(frame, outcome, largest)
            state["Examples"] = [example, *state["Examples"]][:_EXAMPLES]

    def tick(self, now: float) -> None:
        if self._news and now - self._saved > _SAVE_SECONDS:
            self._saved = now
            self.close()

    def close(self) -> None:
        """Write all that is new."""
        for name in self._news:
            file = path(self._home, name)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            replace(file, self._records[name])
        self._news.clear()


def read(home: Path, record: str) -> dict[str, Any]:
    """What is known of a shadow's answers; nothing yet is all noughts."""
    nothing: dict[str, Any] = {
        "Compared": 0,
        "Same": 0,
        "Different": 0,
        "Failed": 0,
        "Dropped": 0,
        "LargestDifference": 0.0,
        "Since": 0,
        "Examples": [],
    }
    try:
        known = json.loads(path(home, record).read_bytes())
    except (OSError, ValueError):
        return nothing
    return nothing | known if isinstance(known, dict) else nothing


def _milliseconds(said: dict[str, Any]) -> int:
    return int(said["at"] * 1000)


def _example(frame: Frame, outcome: str, largest: float | None) -> dict[str, Any]:
    said = frame.said
    asked, production, shadow = frame.bodies
    return {
        "Time": _milliseconds(said),
        "Outcome": outcome,
        "InferenceId": said["inference"],
        "ProductionVariant": said["production"],
        "InputContentType": said["input"],
        "Input": _shown(asked),
        "Output": _shown(production),
        "ShadowOutput": _shown(shadow) if shadow else said["trouble"],
        "Status": said["statuses"][0],
        "ShadowStatus": said["statuses"][1],
        "ModelLatency": said["model_us"][0],
        "ShadowModelLatency": said["model_us"][1],
        "Difference": largest,
    }


def _shown(body: bytes) -> str:
    """The beginning of it, for people; what is no text in few words."""
    try:
        return body[:_LONGEST_TEXT].decode()
    except UnicodeDecodeError as error:
        if error.start >= _LONGEST_TEXT - 4:
            return body[: error.start].decode()
        return f"{len(body)} bytes"
