"""docs/reference/performance.md, from what is kept in benchmarks/results.json."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.harness import Floor, Result, Row

_KEPT = Path(__file__).with_name("results.json")
_PAGE = Path(__file__).parent.parent / "docs" / "reference" / "performance.md"
_INTRODUCTION = """\
# Performance

What `make bench` measured; it writes this page. `make bench NAME=s3` measures one benchmark and
leaves the other figures as they were. What takes less than a minute is run three times, and the
median counts. Peers ran in the same run on the same machine; a ratio says how many times better
Studio is, unless its floor says "at most".

A floor that did not hold is **missed**; it is inconclusive when, just before, more than twice as
many processes of others wanted a CPU as there are CPUs.
"""


def keep(result: Result) -> None:
    """Remember the result instead of the last one of that name, and write the page anew."""
    kept = {**known(), result.name: result}
    documents = {name: asdict(it) for name, it in sorted(kept.items())}
    new = _KEPT.with_suffix(".new")
    new.write_text(json.dumps(documents, indent=1) + "\n")
    new.replace(_KEPT)
    _PAGE.write_text(text(list(known().values())))


def known() -> dict[str, Result]:
    """The last result of each benchmark, by their names."""
    documents = json.loads(_KEPT.read_text()) if _KEPT.exists() else {}
    return {name: _result(it) for name, it in documents.items()}


def text(results: list[Result]) -> str:
    """The page as it has to be."""
    parts = [_INTRODUCTION, harness.table(results), "", f"{machine()}.", ""]
    return "\n".join([*parts, harness.times_taken(results)]) + "\n"


def machine() -> str:
    """The machine, to read the figures by."""
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _result(document: dict[str, Any]) -> Result:
    return Result(**{**document, "rows": tuple(_row(it) for it in document["rows"])})


def _row(document: dict[str, Any]) -> Row:
    floor = document["floor"]
    return Row(**{**document, "floor": floor and Floor(**floor)})
