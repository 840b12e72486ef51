"""docs/reference/third-party-suites.md, from the suites and from `results.json`."""

import json

from suites import suite as suites
from suites.suite import FOLDER, Suite
from suites.verdict import Verdict

RESULTS = FOLDER / "results.json"
PAGE = FOLDER.parent / "docs" / "reference" / "third-party-suites.md"
_INTRODUCTION = """\
# Other people's test suites

Tests that other projects wrote against AWS, or against what they take for AWS, run against Studio
by `make suites`: their source as PyPI has it, at a fixed version and hash, in an environment of its
own, with real clients and real signatures. What must fail is listed in `suites/*.toml`, test by
test, with the reason.
A failure that is not listed fails the run; so does a line that nothing meets.

This page is written by that run.
"""


def keep(suite: Suite, verdict: Verdict) -> None:
    """Notes what a whole run of the suite found, and writes the page anew."""
    results = _results()
    results[suite.name] = {
        "version": suite.version,
        "passed": verdict.passed,
        "skipped": verdict.skipped,
        "out": dict(sorted(verdict.out.items())),
    }
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    PAGE.write_text(text())


def text() -> str:
    """The page as it has to be; suites that never ran whole are missing."""
    results = _results()
    ran = [suites.load(name) for name in suites.names() if name in results]
    rows = [_row(suite, results[suite.name]) for suite in ran]
    head = "| suite | source | ran | passed | out |\n| --- | --- | --- | --- | --- |"
    reasons = [_reasons(suite, results[suite.name]["out"]) for suite in ran]
    return "\n".join([_INTRODUCTION, head, *rows, *filter(None, reasons)]) + "\n"


def _row(suite: Suite, result: dict) -> str:
    out = sum(result["out"].values())
    ran = result["passed"] + out
    source = f"{suite.package} {result['version']}"
    return f"| {suite.title} | {source} | {ran} | {result['passed']} | {out} |"


def _reasons(suite: Suite, out: dict[str, int]) -> str:
    """A table of why what is out is out."""
    if not out:
        return ""
    lines = [f"\n## {suite.title}\n", "| out | why |", "| --- | --- |"]
    listed = dict.fromkeys(it.reason for it in suite.out)
    lines += [f"| {out[reason]} | {reason} |" for reason in listed if reason in out]
    return "\n".join(lines)


def _results() -> dict[str, dict]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
