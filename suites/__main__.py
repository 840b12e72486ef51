"""`python -m suites [NAME ...] [-- ARGUMENTS OF PYTEST]`: 1 when a suite ends as it must not."""

import signal
import sys

from suites import page, running
from suites import suite as suites
from suites.verdict import Verdict, judge


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended then too
    chosen, _, more = _split(sys.argv[1:])
    holds = True
    for name in chosen or suites.names():
        suite = suites.load(name)
        print(f"{name}: {suite.title}, {suite.package} {suite.version}", flush=True)
        verdict = judge(suite, running.run(suite, more), everything=not more)
        _tell(verdict)
        if verdict.holds and not more:
            page.keep(suite, verdict)
        holds &= verdict.holds
    return 0 if holds else 1


def _split(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    if "--" not in arguments:
        return arguments, "", []
    at = arguments.index("--")
    return arguments[:at], "--", arguments[at + 1 :]


def _tell(verdict: Verdict) -> None:
    for outcome in verdict.failed:
        print(f"  FAILED {outcome.test}\n    {outcome.said}")
    for name in verdict.stale:
        print(f"  LISTED, BUT NOTHING FAILS: {name}")
    out = sum(verdict.out.values())
    print(f"  passed {verdict.passed}, out {out}, failed {len(verdict.failed)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
