"""Ours and a peer on the same work, each in a process of its own with one thread.

`python -m benchmarks.sides MODULE FUNCTION` prints what the function of a benchmark returns.
"""

import importlib
import json
import os
import subprocess
import sys


def measure(module: str, side: str) -> dict[str, float]:
    """What the function `side` of `module` returns, in a fresh process."""
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.sides", module, side]
    run = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    result: dict[str, float] = json.loads(run.stdout)
    return result


if __name__ == "__main__":
    print(json.dumps(getattr(importlib.import_module(sys.argv[1]), sys.argv[2])()))
