"""The router's log: JSON lines, of each event at most so many a second. No secrets, no bodies."""

import json
import os
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LINES_A_SECOND = 50


class Log:
    """Appends events to a file. A flood of one (a hostile client) is counted, not written, and
    hides no other."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._second = 0
        self._lines: Counter[str] = Counter()

    def __call__(self, event: str, **keys: Any) -> None:
        second = int(time.monotonic())
        if second != self._second:
            flooded = [
                (each, count) for each, count in self._lines.items() if count > _LINES_A_SECOND
            ]
            self._second, self._lines = second, Counter()
            for each, count in flooded:
                self._write("log lines dropped", {"of": each, "count": count - _LINES_A_SECOND})
        self._lines[event] += 1
        if self._lines[event] <= _LINES_A_SECOND:
            self._write(event, keys)

    def _write(self, event: str, keys: dict[str, Any]) -> None:
        line = {"timestamp": datetime.now(UTC).isoformat(), "event": event} | keys
        try:
            os.write(self._fd, json.dumps(line, default=str).encode() + b"\n")
        except OSError:
            pass  # a full disk must not stop the traffic
