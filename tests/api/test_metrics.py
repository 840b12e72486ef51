"""Metrics from log lines: AWS's own expressions, users' expressions, hostile expressions."""

import time

import pytest

from studio.api import images
from studio.api.metrics import scrape
from studio.runners.base import LogPage


def values(expression: str, *lines: str) -> list[float]:
    state = {"MetricDefinitions": [{"Name": "m", "Regex": expression}]}
    page = LogPage(tuple((100 + number, line) for number, line in enumerate(lines)), 0, 1)
    return [each["Value"] for each in scrape(state, page).get("FinalMetricDataList", [])]


@pytest.mark.parametrize(
    ("expression", "line", "value"),
    [
        (r"loss=([\d.]+)", "loss=0.25 x", 0.25),
        (r".*\[[0-9]+\].*#011validation-rmse:(\S+)", "[3]\ttrain-rmse:1\tvalidation-rmse:2.5", 2.5),
        (
            r".*\[[0-9]+\].*#011train-rmse:(\S+)",
            "[3]#011train-rmse:1e-3#011validation-rmse:2",
            1e-3,
        ),
        (r"a(\t)?b=(\S+)", "b=1", None),
        (r"x=(\S+)", "x=nothing", None),
        (r"x=\S+", "x=1", None),
        (r"x=(", "x=1", None),
    ],
)
def test_first_group_is_the_value(expression, line, value):
    assert values(expression, line) == ([] if value is None else [value])


def test_the_last_value_counts():
    assert values(r"v=(\S+)", "v=1", "v=2", "other") == [2.0]


def test_an_expression_without_end_costs_little_and_matches_nothing():
    begun = time.monotonic()
    assert values(r"(a+)+$", "a" * 60 + "b") == []
    assert time.monotonic() - begun < 30


def test_metrics_are_kept_beside_new_ones():
    state = {
        "MetricDefinitions": [{"Name": "new", "Regex": r"n=(\S+)"}],
        "FinalMetricDataList": [{"MetricName": "old", "Value": 1.0, "Timestamp": 1}],
    }
    found = scrape(state, LogPage(((5, "n=3"),), 0, 1))["FinalMetricDataList"]
    assert [(each["MetricName"], each["Value"]) for each in found] == [("old", 1.0), ("new", 3.0)]


def test_xgboosts_own_definitions_read_its_lines():
    own = dict(images.find("xgboost:1").metrics)
    line = "[7]#011train-auc:0.91#011validation-auc:0.85"
    assert values(own["validation:auc"], line) == [0.85]
    assert values(own["train:auc"], line) == [0.91]
