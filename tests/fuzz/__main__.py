"""Coverage-guided fuzzing of one parser: `python tests/fuzz NAME SECONDS [atheris options]`.

Without arguments it prints the names. `make fuzz` runs them all.
"""

import itertools
import os
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["studio", "multipart", "defusedxml"]):
    from targets import TARGETS


FOLDER = Path(__file__).parents[2] / ".fuzz"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    if len(sys.argv) == 1:
        print("\n".join(TARGETS))
        return
    name, seconds, *options = sys.argv[1:]
    target = TARGETS[name]
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(target.examples):
        (corpus / f"example-{number}").write_bytes(example)

    numbers = itertools.count(1)
    deadline = time.monotonic() + float(seconds)

    def once(data: bytes) -> None:
        target.run(data.ljust(3, b"\0"))
        number = next(numbers)
        if time.monotonic() > deadline:
            print(f"{number} inputs", file=sys.stderr, flush=True)
            # The fuzzer's own end waits for Arrow's threads, which wait for Python.
            os._exit(0)

    limits = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"]
    atheris.Setup([sys.argv[0], str(corpus), *limits, *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
