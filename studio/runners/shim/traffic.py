"""`traffic`: what a run reads and writes, beside each of its samples in `usage`.

Disks: what the processes of the run asked of them, caches aside. Network: what the machine sent and
received but for itself, for the kernel does not tell whose it was; nothing of an isolated run.
"""

import math
import struct
from pathlib import Path
from typing import NamedTuple

from studio.runners.shim.samples import Samples

_SAMPLES = Samples("traffic", struct.Struct("<Qffff"))


class TrafficSample(NamedTuple):
    """Bytes a second, on average since the sample before; NaN where the kernel does not tell."""

    at: int
    """UTC milliseconds, of the sample in `usage` too."""
    read: float
    written: float
    received: float
    sent: float


class Traffic:
    """Counts for a run in `folder`."""

    def __init__(self, folder: Path, isolated: bool) -> None:
        self._folder = folder
        self._isolated = isolated
        self._before = self._counts([])

    def sample(self, at: int, seconds: float, pids: list[int]) -> None:
        """Of the `seconds` since the last call. Raises OSError on a full disk."""
        counts = self._counts(pids)
        # A process that could no longer be looked at takes its bytes along until it is reaped.
        rates = (
            max(now - before, 0.0) / seconds
            for now, before in zip(counts, self._before, strict=True)
        )
        _SAMPLES.append(self._folder, TrafficSample(at, *rates))
        self._before = counts

    def _counts(self, pids: list[int]) -> tuple[float, ...]:
        unknown = (math.nan, math.nan)
        return (*_of_disks(["self", *map(str, pids)]), *(unknown if self._isolated else _of_net()))


def read(folder: Path, after: int) -> list[TrafficSample]:
    """The samples later than `after`, in order."""
    return [TrafficSample(*each) for each in _SAMPLES.read(folder, after)]


def _of_disks(pids: list[str]) -> tuple[float, float]:
    """Bytes read and written by these processes and by those that they have waited for."""
    read = written = math.nan
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/io").read_bytes().splitlines()
        except OSError:
            continue  # gone, or this kernel does not count
        found = dict(line.split(b": ") for line in lines)
        read = _plus(read, int(found[b"read_bytes"]))
        written = _plus(written, int(found[b"write_bytes"]))
    return read, written


def _of_net() -> tuple[float, float]:
    """Bytes received and sent through the interfaces that lead out of the machine."""
    received = sent = math.nan
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    except OSError:
        return received, sent
    for line in lines:
        name, _, counts = line.partition(":")
        if name.strip() != "lo":
            fields = counts.split()
            received, sent = _plus(received, int(fields[0])), _plus(sent, int(fields[8]))
    return received, sent


def _plus(known: float, more: float) -> float:
    return more if math.isnan(known) else known + more
