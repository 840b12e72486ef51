"""What a run means: which outcomes agree with the suite's list of exceptions, and which do not."""

from collections import Counter
from dataclasses import dataclass

from suites.running import Outcome
from suites.suite import Suite


@dataclass(frozen=True)
class Verdict:
    """Counts by outcome; `failed` without a reason; `stale` lines of `out` that no failure met."""

    passed: int
    skipped: int
    out: dict[str, int]
    failed: list[Outcome]
    stale: list[str]

    @property
    def holds(self) -> bool:
        return not self.failed and not self.stale and self.passed > 0


def judge(suite: Suite, outcomes: list[Outcome], everything: bool = True) -> Verdict:
    """`everything`: all tests ran, so that a line of `out` without a failure is stale."""
    failures = [it for it in outcomes if it.result == "failed"]
    reasons = Counter(suite.reason(it.test) for it in failures)
    results = Counter(it.result for it in outcomes)
    del reasons[""]
    return Verdict(
        passed=results["passed"],
        skipped=results["skipped"],
        out=dict(reasons),
        failed=[it for it in failures if not suite.reason(it.test)],
        stale=_stale(suite, failures) if everything else [],
    )


def _stale(suite: Suite, failures: list[Outcome]) -> list[str]:
    return [
        name
        for out in suite.out
        for name in out.tests
        if not any(type(out)(out.reason, [name]).names(it.test) for it in failures)
    ]
