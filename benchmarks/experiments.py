"""Figures of the chaos experiments: they load a home, and look for what is lost."""

import importlib
import sys

from benchmarks import running

sys.path.insert(0, str(running.ROOT / "tests"))


def figures(place: str, repeats: int) -> dict[str, str]:
    """What the experiment `module:function` measured; RuntimeError when it broke a promise."""
    module, _, function = place.partition(":")
    report = getattr(importlib.import_module(f"chaos.{module}"), function)(repeats, 1)
    if report.broken:
        raise RuntimeError("; ".join(report.broken))
    found: dict[str, str] = report.figures
    return found


def last_number(text: str) -> float:
    """Of `0.30 s` or of `0.11 s, worst 0.30 s`, 0.3."""
    return float(text.rpartition(" s")[0].rpartition(" ")[2])
