"""The training script's side: `log_metric` in a loop, what an import costs, values until durable.

Each figure is of a program of its own, which tells a control plane of its run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks import running
from benchmarks.harness import Row, at_least, at_most
from benchmarks.running import Running

_VALUES = 50_000
_IMPORTS = 7
_LOOP = """
import json, sys, time
from studio import tracking
count = int(sys.argv[1])
run, spent = tracking.start("bench", sys.argv[2]), []
began = time.perf_counter()
for step in range(count):
    before = time.perf_counter_ns()
    run.log_metric("loss", 1 / (step + 1), step)
    spent.append(time.perf_counter_ns() - before)
logged = time.perf_counter() - began
sent = run.flush(120)
durable = time.perf_counter() - began
run.finish()
spent.sort()
print(json.dumps({
    "p50": spent[count // 2] / 1e3, "p99": spent[count * 99 // 100] / 1e3,
    "rate": count / durable, "sent": sent,
}))
"""
_IMPORT = """
import time
began = time.perf_counter()
from studio import tracking
print(time.perf_counter() - began)
"""


def run() -> list[Row]:
    imported = statistics.median(float(_ran(_IMPORT)) for _ in range(_IMPORTS))
    with running.studio() as it:
        found = _looped(it)
    return [
        Row("log_metric in a training loop, p50", found["p50"], "us", at_most(20)),
        Row("log_metric in a training loop, p99", found["p99"], "us"),
        Row("one client, single values, logged to durable", found["rate"], "1/s", at_least(2_000)),
        Row("import of what a training script needs", imported, "s", at_most(0.3)),
    ]


def _looped(it: Running) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as spool:
        said = _ran(_LOOP, _VALUES, "loop", env=it.env | {"STUDIO_SPOOL": spool})
    found: dict[str, Any] = json.loads(said)
    described = it.client("sagemaker").describe_trial_component(TrialComponentName="bench-loop")
    if not found["sent"] or described["Metrics"][0]["Count"] != _VALUES:
        raise RuntimeError("values are missing")
    return found


def _ran(code: str, *arguments: object, env: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env).stdout
