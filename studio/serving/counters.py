"""What the router counts: invocations, errors and latencies of each variant.

Counting is adding to numbers in memory. Every two seconds they go, as lines, to a file below
`router/metrics`, from where the control plane takes each line once; a router that is killed loses
those two seconds. A file belongs to one router and is locked while it may still grow.
"""

import fcntl
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.metrics.rows import cell
from studio.serving.loads import Loads
from studio.serving.routes import VariantRoute
from studio.serving.totals import Totals
from studio.serving.usage import Usage

_FLUSH_SECONDS = 2.0
_LARGEST_FILE = 256 * 1024
_MOST_FILES = 256

_Rows = list[list[float]]


def folder(home: Path) -> Path:
    """Where the files of a home's routers lie."""
    return home / "router" / "metrics"


class Counters:
    """`count` every invocation, `tick` now and then, `close` at the end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.usage = Usage(home)
        place = folder(home)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = LineFile(place)
        self._tallies: dict[VariantRoute, _Tally] = {}
        self._notes: dict[tuple[str, str, str], defaultdict[float, int]] = {}
        self._totals: dict[tuple[str, str], Totals] = {}
        self._loads = Loads()
        self._due = 0.0

    def note(self, variant: VariantRoute, metric: str, value: float) -> None:
        """A value of another metric of a variant."""
        key = variant.endpoint, variant.name, metric
        self._notes.setdefault(key, defaultdict(int))[value] += 1

    def count(
        self, variant: VariantRoute, model_status: int | None, model_us: int, overhead_us: int
    ) -> None:
        """An invocation: the model answered with a status, or not at all (0), or was not asked
        because no server could take more (None)."""
        tally = self._tallies.get(variant)
        if tally is None:
            tally = self._tallies[variant] = _Tally()
        tally.invocations += 1
        if model_status is None:
            tally.server_errors += 1
            return
        if not 200 <= model_status < 300:
            tally.model_errors += 1
            tally.client_errors += 400 <= model_status < 500
            tally.server_errors += model_status >= 500
        tally.model[model_us] += 1
        tally.overhead[overhead_us] += 1

    def count_first(self, variant: VariantRoute, model_us: int, overhead_us: int) -> None:
        """Of a stream that is counted too: the first piece of its answer was here."""
        streams = self._streams(variant)
        streams.model[model_us] += 1
        streams.overhead[overhead_us] += 1
        streams.whole[model_us + overhead_us] += 1

    def count_stream(self, variant: VariantRoute, broken: bool) -> None:
        """Of a stream that is counted too: whether it ended before its end."""
        streams = self._streams(variant)
        streams.number += 1
        streams.broken += broken

    def count_batch(self, variant: VariantRoute, said: bytes) -> None:
        """Of an invocation that is counted too: the model server says `size wait`, with how many
        it was predicted, and the microseconds that it waited. Nothing is counted of other words,
        for the server may be anybody's."""
        words = said.split()
        if len(words) != 2 or not all(word.isdigit() and len(word) < 10 for word in words):
            return
        tally = self._tallies[variant]
        if tally.batches is None:
            tally.batches = _Batches()
        tally.batches.size[int(words[0])] += 1
        tally.batches.wait[int(words[1])] += 1

    def tick(self, now: float, variants: Iterable[VariantRoute] = ()) -> None:
        """Look at the loads, and write what was counted, when it is time; `now` is the monotonic
        clock's."""
        self._loads.sample(variants, now)
        if (self._tallies or self._notes or self._loads) and now >= self._due:
            self._due = now + _FLUSH_SECONDS
            self._flush()
        self.usage.tick(now)

    def totals(self) -> Iterable[tuple[tuple[str, str], Totals]]:
        """Of each (endpoint, variant) that was asked since the router began."""
        if self._tallies:
            self._flush()
        return self._totals.items()

    def forget(self, known: set[str]) -> None:
        """Drop the totals of endpoints that are not in `known`."""
        for name in [each for each in self._totals if each[0] not in known]:
            del self._totals[name]

    def close(self) -> None:
        """Write the rest; nothing is counted afterwards."""
        if self._tallies or self._notes:
            self._flush()
        self._file.close()

    def _streams(self, variant: VariantRoute) -> "_Streams":
        tally = self._tallies[variant]
        if tally.streams is None:
            tally.streams = _Streams()
        return tally.streams

    def _flush(self) -> None:
        at = time.time_ns() // 1_000_000
        tallies, self._tallies = self._tallies, {}
        notes, self._notes = self._notes, {}
        for variant, tally in tallies.items():
            name = variant.endpoint, variant.name
            tally.add_to(self._totals.setdefault(name, Totals()))
        lines = [_line(at, variant, tally) for variant, tally in tallies.items()]
        lines += [_packed(at, *key[:2], {key[2]: _rows(seen)}) for key, seen in notes.items()]
        self._file.write(b"".join([*lines, *self._loads.lines(at)]))


class LineFile:
    """Lines for the control plane, in files of `folder`, one at a time and each locked while it may
    still grow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = -1
        self._size = 0

    def write(self, data: bytes) -> None:
        """Add whole lines."""
        try:
            if self._fd < 0:
                self._begin()
            written = os.write(self._fd, data)
        except OSError:
            return  # a full disk must not stop the traffic
        self._size += written
        if written < len(data) or self._size > _LARGEST_FILE:
            self.close()

    def close(self) -> None:
        """The next line, if any, begins another file."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _begin(self) -> None:
        files = sorted(self._folder.iterdir())
        for old in files[: max(0, len(files) - _MOST_FILES + 1)]:
            old.unlink(missing_ok=True)  # nobody has read them for long
        name = f"{time.time_ns():020}-{os.getpid()}"
        hidden = self._folder / f".{name}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(hidden, flags, 0o600)
        self._size = 0
        # Locked before anybody sees it: one without a lock is taken for done.
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        hidden.rename(self._folder / name)


class _Tally:
    __slots__ = (
        "batches",
        "client_errors",
        "invocations",
        "model",
        "model_errors",
        "overhead",
        "server_errors",
        "streams",
    )

    def __init__(self) -> None:
        self.streams: _Streams | None = None
        self.batches: _Batches | None = None
        self.invocations = self.client_errors = self.server_errors = self.model_errors = 0
        # How often each number of microseconds was seen: the least work for each invocation.
        self.model: defaultdict[int, int] = defaultdict(int)
        self.overhead: defaultdict[int, int] = defaultdict(int)

    def add_to(self, totals: Totals) -> None:
        totals.invocations += self.invocations
        totals.client_errors += self.client_errors
        totals.server_errors += self.server_errors
        totals.model_errors += self.model_errors
        totals.model.add(self.model)
        totals.overhead.add(self.overhead)


class _Streams:
    """Of the invocations whose answers came in pieces."""

    __slots__ = ("broken", "model", "number", "overhead", "whole")

    def __init__(self) -> None:
        self.number = self.broken = 0
        self.model: defaultdict[int, int] = defaultdict(int)
        self.overhead: defaultdict[int, int] = defaultdict(int)
        self.whole: defaultdict[int, int] = defaultdict(int)


class _Batches:
    """Of the invocations that the model server predicts with others."""

    __slots__ = ("size", "wait")

    def __init__(self) -> None:
        self.size: defaultdict[int, int] = defaultdict(int)
        self.wait: defaultdict[int, int] = defaultdict(int)


def _line(at: int, variant: VariantRoute, tally: _Tally) -> bytes:
    """Rows are weight, total, lowest and highest value."""
    number = tally.invocations
    share = 1 / max(len(variant.servers), 1)
    metrics: dict[str, Any] = {
        "Invocations": [[number, number, 1, 1]],
        "InvocationsPerInstance": [[number, number * share, share, share]],
        "Invocation4XXErrors": list(_flags(tally.client_errors, number)),
        "Invocation5XXErrors": list(_flags(tally.server_errors, number)),
        "InvocationModelErrors": list(_flags(tally.model_errors, number)),
        "ModelLatency": _rows(tally.model),
        "OverheadLatency": _rows(tally.overhead),
    }
    if tally.streams is not None:
        metrics |= {
            "MidStreamErrors": list(_flags(tally.streams.broken, tally.streams.number)),
            "FirstChunkLatency": _rows(tally.streams.whole),
            "FirstChunkModelLatency": _rows(tally.streams.model),
            "FirstChunkOverheadLatency": _rows(tally.streams.overhead),
        }
    if tally.batches is not None:
        metrics |= {
            "BatchSize": _rows(tally.batches.size),
            "BatchWaitTime": _rows(tally.batches.wait),
        }
    return _packed(at, variant.endpoint, variant.name, metrics)


def _packed(at: int, endpoint: str, variant: str, metrics: dict[str, Any]) -> bytes:
    line = {"at": at, "endpoint": endpoint, "variant": variant, "metrics": metrics}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _rows(seen: Mapping[int, int] | Mapping[float, int]) -> _Rows:
    """A row for the values of each cell."""
    cells: dict[int, list[float]] = {}
    for value, times in seen.items():
        row = cells.setdefault(cell(value), [0, 0, value, value])
        row[0] += times
        row[1] += value * times
        row[2] = min(row[2], value)
        row[3] = max(row[3], value)
    return list(cells.values())


def _flags(count: int, number: int) -> Iterator[list[int]]:
    """One for each invocation that it is true of, nought for the others."""
    if count < number:
        yield [number - count, 0, 0, 0]
    if count:
        yield [count, count, 1, 1]
