"""The benchmarks' table: medians, verdicts, failures, what is kept. The figures are no test's."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import harness, page
from benchmarks.harness import Result, Row, at_least, at_most, times, times_at_most


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_KEPT", tmp_path / "results.json")
    monkeypatch.setattr(page, "_PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(benchmarks, "_load", lambda: 0.0)  # the machine may be busy


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """bench(NAME, run): a benchmark of that name."""

    def made(name: str, run: Any) -> None:
        module = ModuleType(f"benchmarks.bench_{name}", f"What {name} is.\n\nMore.")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(benchmarks, "NAMES", [*benchmarks.NAMES, name])

    return made


def result(*rows: Row, load: float = 0.0) -> Result:
    return Result("some", "Some", rows, 3, 1.0, load, 2, "2026-01-01 00:00")


@pytest.mark.parametrize("name", benchmarks.NAMES)
def test_each_benchmark_can_be_run(name: str) -> None:
    module = importlib.import_module(f"benchmarks.bench_{name}")
    assert callable(module.run)
    assert module.__doc__


def test_the_page_is_that_of_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(benchmarks.__file__).parent
    monkeypatch.setattr(page, "_KEPT", folder / "results.json")
    written = (folder.parent / "docs" / "reference" / "performance.md").read_text()
    known = list(page.known().values())
    assert harness.table(known) in written
    assert harness.times_taken(known) in written


@pytest.mark.parametrize(
    ("floor", "value", "ratio", "holds"),
    [
        (at_most(5), 5.0, None, True),
        (at_most(5), 5.1, None, False),
        (at_least(5), 5.0, None, True),
        (at_least(5), 4.9, None, False),
        (times(20), 0.0, 20.0, True),
        (times(20), 99.0, 19.0, False),
        (times_at_most(1.05), 99.0, 1.05, True),
        (times_at_most(1.05), 0.0, 1.06, False),
    ],
)
def test_a_missed_floor_is_marked(floor: Any, value: float, ratio: Any, holds: bool) -> None:
    row = Row("figure", value, "s", floor, ratio=ratio)
    assert result().verdict(row) == ("holds" if holds else "**missed**")
    assert result(load=4.1).verdict(row) == ("holds" if holds else "inconclusive")


def test_what_is_short_is_run_three_times(bench: Any) -> None:
    values = iter([(1.0, 10.0), (9.0, 30.0), (2.0, 20.0)])

    def run() -> list[Row]:
        value, peer = next(values)
        return [Row("figure", value, "s", at_most(3), "peer", peer, peer / value)]

    bench("short", run)
    found = benchmarks.measured("short")
    assert (found.title, found.runs, found.failed) == ("What short is", 3, "")
    assert found.rows == (Row("figure", 2.0, "s", at_most(3), "peer", 20.0, 10.0),)


def test_what_is_long_is_run_once(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "_SHORT_SECONDS", 0.0)
    bench("long", lambda: [Row("figure", 1.0, "s")])
    assert benchmarks.measured("long").runs == 1


def test_a_failure_is_told_and_the_others_are_measured(bench: Any, capsys: Any) -> None:
    bench("bad", lambda: 1 / 0)
    bench("good", lambda: [Row("figure", 7.0, "s", at_least(8))])
    assert benchmarks.main(["bad", "good"]) == 1
    printed = capsys.readouterr().out
    assert "| `bad` | What bad is | " in printed
    assert "**failed**: ZeroDivisionError: division by zero" in printed
    assert "| figure | 7 s | at least 8 s | **missed** |" in printed
    assert benchmarks.main(["good"]) == 0
    assert benchmarks.main(["none"]) == 2


def test_what_is_known_is_kept(bench: Any) -> None:
    def interrupted() -> list[Row]:
        raise KeyboardInterrupt

    bench("first", lambda: [Row("figure", 1.0, "s", times(2), "peer", 3.0, 3.0)])
    bench("second", interrupted)
    with pytest.raises(KeyboardInterrupt):
        benchmarks.main(["first", "second"])
    (kept,) = page.known().values()
    assert kept.rows == (Row("figure", 1.0, "s", times(2), "peer", 3.0, 3.0),)
    assert "| figure | 1 s | at least 2x | holds | peer: 3 s | 3.00x |" in page._PAGE.read_text()
    bench("second", lambda: [Row("other", 5.0, "MB")])
    assert benchmarks.main(["second"]) == 0
    assert list(page.known()) == ["first", "second"]
    assert "| other | 5 MB |" in page._PAGE.read_text()
