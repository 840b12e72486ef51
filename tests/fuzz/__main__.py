"""Coverage-guided fuzzing of one parser: `python tests/fuzz NAME SECONDS [atheris options]`.

Without arguments it prints the names. `make fuzz` runs them all.
"""

import sys
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

    def once(data: bytes) -> None:
        target.run(data.ljust(3, b"\0"))

    limits = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"]
    atheris.Setup([sys.argv[0], str(corpus), *limits, "-print_final_stats=1", *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
