"""Every figure, in one table: runs each `bench_*.py`; `python -m benchmarks NAME` runs one."""

import importlib
import sys
import traceback
from pathlib import Path

from benchmarks import harness


def main() -> int:
    """Prints a table; 1 when a benchmark failed."""
    names = sys.argv[1:] or sorted(
        path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")
    )
    rows, failed = [], []
    before = harness.machine()
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(f"benchmarks.bench_{name}").run()
        except Exception:  # the other figures are worth having
            traceback.print_exc()
            failed.append(name)
    print(f"{before}\n\n{harness.table(rows)}")
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
