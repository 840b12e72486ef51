"""The lists of other people's suites: they can be read and judge right; the page is theirs."""

import sys
from dataclasses import replace

import pytest
from studios import ROOT

sys.path.append(str(ROOT))

from suites import page, suite
from suites.running import Outcome
from suites.verdict import judge


@pytest.mark.parametrize("name", suite.names())
def test_every_list_is_whole(name: str):
    found = suite.load(name)
    assert len(found.sha256) == 64
    listed = [test for out in found.out for test in out.tests]
    assert len(listed) == len(set(listed))
    assert all(out.reason.endswith(".") and out.tests for out in found.out)


def test_the_page_is_what_the_results_say():
    assert page.PAGE.read_text() == page.text()


def test_a_failure_needs_a_reason_and_a_reason_a_failure():
    reason = suite.Out("It is so.", ["a.py::test_x", "a.py::Class"])
    listed = replace(suite.load("minio"), out=[reason])
    ran = [
        Outcome("a.py::test_x[1]", "failed", ""),
        Outcome("a.py::test_xy", "passed", ""),
        Outcome("a.py::Class::test_z", "failed", ""),
    ]
    good = judge(listed, ran)
    assert good.holds
    assert (good.passed, good.out) == (1, {"It is so.": 2})
    unlisted = judge(listed, [*ran, Outcome("a.py::test_xy", "failed", "why")])
    assert [it.said for it in unlisted.failed] == ["why"]
    stale = judge(listed, ran[:2])
    assert stale.stale == ["a.py::Class"]
    assert not stale.holds
    assert not judge(listed, []).holds
