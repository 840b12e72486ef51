"""One job says 20,000 lines a second for a minute; 20 readers follow, one checks every line."""

from benchmarks import experiments
from benchmarks.harness import Row, at_most

_SECONDS = 60


def run(seconds: int = _SECONDS) -> list[Row]:
    """Fails when a line is lost."""
    found = experiments.figures("lines:flood", seconds)
    name = f"log of {int(found['lines']) // seconds:,} lines/s, {found['tails']} tails"
    behind = experiments.last_number(found["behind"])
    return [
        Row(f"{name}: lines that were lost", 0, "", at_most(0)),
        Row(f"{name}: the last is behind by", behind, "s", at_most(1)),
        Row(f"{name}: CPU of the control plane", float(found["cores"]), "cores", at_most(0.5)),
    ]
