"""Every figure, in one table: `python -m benchmarks [NAME ...]` runs each `bench_*.py`, or those
named. What takes less than a minute is run three times, and the median counts.

After each benchmark what is known is kept in benchmarks/results.json, and written into
docs/reference/performance.md: an interrupted run loses nothing. Exit status 1: a benchmark failed.
"""

import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks import harness, page
from benchmarks.harness import Result, Row

NAMES = sorted(it.stem.removeprefix("bench_") for it in Path(__file__).parent.glob("bench_*.py"))
_RUNS, _SHORT_SECONDS = 3, 60.0
_LOOKS = 50


def main(names: list[str]) -> int:
    """Prints a table of these benchmarks, all of them when none is named."""
    if unknown := set(names) - set(NAMES):
        print(f"There is no {', '.join(unknown)}; there are {' '.join(NAMES)}.", file=sys.stderr)
        return 2
    results: list[Result] = []
    try:
        for name in names or NAMES:
            print(f"{name} ...", file=sys.stderr, flush=True)
            results.append(measured(name))
            page.keep(results[-1])
    finally:
        print(f"{page.machine()}\n\n{harness.table(results)}\n\n{harness.times_taken(results)}")
    return int(any(it.failed for it in results))


def measured(name: str) -> Result:
    """The figures of one benchmark, and how they were found; it never raises."""
    began = time.monotonic()
    title, failed, loads = name, "", [0.0]
    runs: list[list[Row]] = []
    try:
        module = import_module(f"benchmarks.bench_{name}")
        title = " ".join((module.__doc__ or "").partition("\n\n")[0].split()).rstrip(".")
        while not runs or (len(runs) < _RUNS and _mean(began, runs) < _SHORT_SECONDS):
            loads.append(_load())
            runs.append(module.run())
    except Exception as error:  # the other figures are worth having
        traceback.print_exc()
        failed = f"{type(error).__name__}: {error}".partition("\n")[0]
    rows = () if failed else harness.middle(runs)
    spent, now = time.monotonic() - began, datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    cpus = os.cpu_count() or 1
    return Result(name, title, rows, len(runs), spent, max(loads), cpus, now, failed)


def _mean(began: float, runs: list[list[Row]]) -> float:
    return (time.monotonic() - began) / len(runs)


def _load() -> float:
    """How many processes of others want a CPU or a disk right now, over a second. The load average
    would tell of the benchmark before."""
    seen = []
    for _ in range(_LOOKS):
        lines = dict(line.split(" ", 1) for line in Path("/proc/stat").read_text().splitlines())
        seen.append(int(lines["procs_running"]) - 1 + int(lines["procs_blocked"]))
        time.sleep(1 / _LOOKS)
    return sum(seen) / len(seen)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended then too
    sys.exit(main(sys.argv[1:]))
