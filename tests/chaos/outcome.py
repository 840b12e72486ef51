"""What an experiment found, and the table of all of them."""

import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """`broken` says what was not as promised, `slow` what took longer or more than promised;
    `skipped` why nothing was tried."""

    name: str
    promise: str
    repeats: int
    seed: int
    figures: dict[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    skipped: str = ""
    slow: tuple[str, ...] = ()
    seconds: float = 0.0
    load: float = 0.0

    @property
    def verdict(self) -> str:
        if self.skipped:
            return f"SKIPPED: {self.skipped}"
        if self.broken:
            return "FAIL"
        if not self.slow:
            return "pass"
        busy = self.load > 2 * (os.cpu_count() or 1)
        said = ", ".join(self.slow)
        return (
            f"nothing lost; {said}: inconclusive at load {self.load:.0f}"
            if busy
            else f"FAIL: {said}"
        )


Experiment = Callable[[int, int], Report]
"""Takes how often the fault strikes, and a seed."""


def timed(experiment: Experiment, repeats: int, seed: int) -> Report:
    began = time.monotonic()
    report = experiment(repeats, seed)
    return replace(report, seconds=time.monotonic() - began, load=os.getloadavg()[0])


def slower(seconds: Iterable[float], limit: float, what: str) -> tuple[str, ...]:
    """What was slow, if any of these times is beyond the limit."""
    return (f"{what} after more than {limit:g} s",) if max(seconds, default=0) > limit else ()


def machine() -> str:
    """Where it was found, and how busy that was."""
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )


def row(report: Report) -> str:
    """One line of the table."""
    figures = "; ".join(f"{name} {value}" for name, value in report.figures.items())
    return (
        f"| {report.name} | {report.promise} | {report.repeats} | {report.seed} | {figures} "
        f"| {report.seconds:.0f} s | {report.verdict} |"
    )


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def spread(seconds: Iterable[float]) -> str:
    """Median and worst of some times."""
    times = sorted(seconds)
    return f"{times[len(times) // 2]:.2f} s, worst {times[-1]:.2f} s" if times else "none"


def processor_seconds(pid: int) -> float:
    """What a process took of the processors so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
