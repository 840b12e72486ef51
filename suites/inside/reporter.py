"""A plugin of pytest that writes how each test ended, one JSON object a line, to $SUITE_REPORT.

It runs in a suite's own environment, so it knows pytest and nothing else.
"""

import json
import os
from pathlib import Path

import pytest

_ended: dict[str, tuple[str, str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    before, _ = _ended.get(report.nodeid, ("", ""))
    if before == "failed" or (report.passed and report.when != "call"):
        return
    _ended[report.nodeid] = (report.outcome, _said(report))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _ended[report.nodeid] = ("failed", _said(report))


def pytest_sessionfinish() -> None:
    with Path(os.environ["SUITE_REPORT"]).open("w", encoding="utf-8") as file:
        for test, (result, said) in _ended.items():
            file.write(json.dumps({"test": test, "result": result, "said": said}) + "\n")


def _said(report: pytest.TestReport | pytest.CollectReport) -> str:
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return (crash.message if crash else str(report.longrepr or "")).strip()[:400]
