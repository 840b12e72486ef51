"""Profile of 1,000,000 x 50, CSV and Parquet, by the data worker; pandas finds the same figures.

20 columns of floats, 10 of whole numbers, 5 of 0 and 1, 8 of categories, 2 of identifiers, 3 of
times, 2 with a fifth missing. Ours is a request to a worker that has just started, with an empty
cache: from the line that asks to the last line of the answer, every figure exact. pandas reads the
file and computes missing, distinct and commonest values, quantiles, moments and skewness of each
column and the duplicate rows, in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import sides
from benchmarks.harness import Row, at_most, times

ROWS = 1_000_000
_FILE = "STUDIO_BENCH_FILE"


def run() -> list[Row]:
    """Seconds to the first figures and to all of them; CPU seconds beside those of pandas."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        for name, most in (("data.csv", 10), ("data.parquet", 3)):
            path = Path(folder, name)
            first, whole, cpu = _ours(path)
            os.environ[_FILE] = str(path)
            theirs = sides.measure(__name__, "peer")
            kind = path.suffix[1:]
            found += [
                Row(f"profile, {kind}: first figures", first, "s", at_most(1)),
                Row(f"profile, {kind}: complete", whole, "s", at_most(most)),
                Row(
                    f"profile, {kind}: CPU time",
                    cpu,
                    "s",
                    times(1),
                    peer="pandas",
                    peer_value=theirs["cpu"],
                    ratio=theirs["cpu"] / cpu,
                ),
            ]
    return found


def peer() -> dict[str, float]:
    """CPU seconds of pandas for the file that the environment names, without the import."""
    import pandas as pd

    began = time.process_time()
    path = os.environ[_FILE]
    frame = pd.read_csv(path) if path.endswith("csv") else pd.read_parquet(path)
    for _, column in frame.items():
        column.isna().sum()
        column.value_counts().head(20)
        if pd.api.types.is_numeric_dtype(column):
            column.quantile([0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1])
            column.mean(), column.std(), column.skew()
    frame.duplicated().sum()
    return {"cpu": time.process_time() - began}


def _ours(path: Path) -> tuple[float, float, float]:
    """Seconds to the first part, to the last, and CPU seconds of the process that found them."""
    cache = path.parent / f"cache-{path.suffix[1:]}"
    command = [sys.executable, "-m", "studio.data.worker", "--root", path.parent, "--cache", cache]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        _asked(worker, "missing.csv")  # it has imported what it needs
        before, began = _cpu_of_children(worker.pid), time.perf_counter()
        moments = _asked(worker, path.name)
        cpu = _cpu_of_children(worker.pid) - before
        assert worker.stdin is not None
        worker.stdin.close()
    return moments[0] - began, moments[-1] - began, cpu


def _asked(worker: "subprocess.Popen[bytes]", name: str) -> list[float]:
    """The moments at which lines with figures came."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    request = {"id": "1", "verb": "profile", "args": {"source": {"path": name}}}
    worker.stdin.write(json.dumps(request).encode() + b"\n")
    worker.stdin.flush()
    moments = []
    for line in worker.stdout:
        answer = json.loads(line)
        if "columns" in answer.get("part", {}):
            moments.append(time.perf_counter())
        if answer.get("final"):
            break
    return moments


def _cpu_of_children(pid: int) -> float:
    """CPU seconds so far of the children of the process, those that have ended and those that go
    on: one that has answered may prepare for the next request."""
    ticks = sum(_ticks(pid)[2:])
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        ticks += sum(_ticks(int(child)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    """Of the process in user and system mode, and the same of its ended children."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(it) for it in after_name[11:15]]


def _write(folder: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    words = np.array([f"word{it}" for it in range(1000)])
    columns: dict[str, Any] = {}
    columns |= {f"float{it}": rng.normal(0, 10 ** (it % 5), ROWS) for it in range(20)}
    columns |= {f"whole{it}": rng.integers(0, 10 ** (it % 6 + 1), ROWS) for it in range(10)}
    columns |= {f"bit{it}": rng.integers(0, 2, ROWS) for it in range(5)}
    for it, count in enumerate([3, 10, 50, 1000] * 2):
        columns[f"word{it}"] = pa.array(words[rng.integers(0, count, ROWS)])
    for it in range(2):
        columns[f"id{it}"] = [f"user-{each:x}" for each in rng.integers(0, 1 << 60, ROWS)]
    for it in range(3):
        seconds = 1_600_000_000 + rng.integers(0, 10**8, ROWS)
        columns[f"time{it}"] = pa.array(seconds.astype("datetime64[s]"))
    for it in range(2):
        gaps = rng.random(ROWS) < 0.2
        columns[f"gaps{it}"] = pa.array(rng.lognormal(0, 1, ROWS), mask=gaps)
    table = pa.table(columns)
    csv.write_csv(table, folder / "data.csv")
    pq.write_table(table, folder / "data.parquet")
