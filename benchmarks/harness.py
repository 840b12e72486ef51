"""Rows of `make bench`: a figure, its peer in the same run, and the ratio between them."""

import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` says how many times better than the peer; `floor` what was promised."""

    name: str
    value: float
    unit: str
    floor: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None


def median_of(measure: Callable[[], float], runs: int = 3) -> float:
    """The median of `runs` measurements: shared machines are noisy."""
    return statistics.median(measure() for _ in range(runs))


def machine() -> str:
    """The machine and its load, to read the figures by."""
    load = os.getloadavg()
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load {load[0]:.1f} {load[1]:.1f} {load[2]:.1f}"
    )


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| figure | value | floor | peer | ratio |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        peer = f"{row.peer}: {row.peer_value:.4g} {row.unit}" if row.peer_value is not None else ""
        ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
        lines.append(
            f"| {row.name} | {row.value:.4g} {row.unit} | {row.floor} | {peer} | {ratio} |"
        )
    return "\n".join(lines)
