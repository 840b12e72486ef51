"""`usage`: what a run took of its machine, sampled now and then. Each sample has 20 bytes.

Samples get rarer as a run gets older: a server that runs for a year costs two megabytes.
"""

import os
import resource
import struct
import time
from pathlib import Path
from typing import NamedTuple

from studio.runners.shim.samples import Samples
from studio.runners.shim.traffic import Traffic

FIRST_PAUSE = 1.0
"""Seconds until the first sample."""

_SAMPLES = Samples("usage", struct.Struct("<Qfff"))
_PAUSE, _LATER_PAUSE = 5.0, 60.0
_LATER = 600.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Sample(NamedTuple):
    at: int
    """UTC milliseconds; always later than in the sample before."""
    cpu: float
    """Per cent of one CPU, on average since the sample before: 400 when four are busy."""
    memory: float
    """Per cent of what the run may use."""
    disk: float
    """Per cent of the disk that the run is on, whoever fills it."""


class Meter:
    """Samples a tree of processes into the folder of their run."""

    def __init__(self, folder: Path, memory_mb: int, isolated: bool = False) -> None:
        """`memory_mb` is what the run may use; 0: all of the machine's."""
        self._folder = folder
        self._memory_mb = memory_mb or _machine_mb()
        self._begun = self._since = time.monotonic()
        self._pause = FIRST_PAUSE
        self._cpu = _seconds([])
        self._used_mb = 0
        self._last = 0
        self._traffic = Traffic(folder, isolated)

    def look(self, pids: list[int], used_mb: int) -> None:
        """To be called often: takes a sample when it is time. `used_mb` is what `pids` use now."""
        self._used_mb = max(self._used_mb, used_mb)
        now = time.monotonic()
        if now - self._since < self._pause:
            return
        self._pause = next_pause(self._pause, now - self._begun)
        self._sample(pids, used_mb)

    def close(self) -> None:
        """The last sample: short runs have no other."""
        if time.monotonic() - self._since > 0.01:
            # A run without a sample was too short to be looked at: the kernel looked.
            used = self._used_mb if self._last else max(self._used_mb, _largest_mb())
            self._sample([], used)

    def _sample(self, pids: list[int], used_mb: int) -> None:
        now, cpu = time.monotonic(), _seconds(pids)
        busy = max(cpu - self._cpu, 0.0) / (now - self._since)
        self._last = max(time.time_ns() // 1_000_000, self._last + 1)
        memory = used_mb / self._memory_mb * 100
        try:
            sample = Sample(self._last, busy * 100, memory, _disk(self._folder))
            _SAMPLES.append(self._folder, sample)
            self._traffic.sample(self._last, now - self._since, pids)
        except OSError:
            pass  # a full disk must not end the run
        self._since, self._cpu, self._used_mb = now, cpu, 0


def read(folder: Path, after: int) -> tuple[Sample, ...]:
    """The samples later than `after`, in order."""
    return tuple(Sample(*each) for each in _SAMPLES.read(folder, after))


def next_pause(pause: float, age: float) -> float:
    """Seconds to wait after a pause, `age` seconds after the beginning."""
    return _LATER_PAUSE if age > _LATER else min(pause * 1.5, _PAUSE)


def _seconds(pids: list[int]) -> float:
    """CPU time of these processes, of what they and we have waited for."""
    own = os.times()
    return own.children_user + own.children_system + sum(map(_ticks, pids)) / _TICKS


def _ticks(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  it is read often
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15]))


def _largest_mb() -> int:
    """Memory of the largest process that we have waited for, or that those have."""
    return -(-resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)


def _disk(folder: Path) -> float:
    disk = os.statvfs(folder)
    return (disk.f_blocks - disk.f_bavail) / max(disk.f_blocks, 1) * 100


def _machine_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
