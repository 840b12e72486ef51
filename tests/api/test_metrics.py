"""Metrics from log lines: AWS's own expressions, users' expressions, hostile expressions."""

import math
import time
from pathlib import Path

import pytest

from studio.api import images
from studio.api.metrics import batches, final, scrape
from studio.db.resources import Resource
from studio.reconcile.steps import Point
from studio.settings import Settings


def values(expression: str, *lines: str) -> list[float]:
    return [each.value for each in found(expression, *lines)]


def found(expression: str, *lines: str) -> list[Point]:
    events = [(100 + number, line) for number, line in enumerate(lines)]
    return scrape([{"Name": "m", "Regex": expression}], events)


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
        ("(1)|((a{99}){99}){11}", "1", None),  # of such as this some would take all memory
    ],
)
def test_first_group_is_the_value(expression, line, value):
    assert values(expression, line) == ([] if value is None else [value])


def test_every_value_counts_and_the_last_is_final():
    lines = found(r"v=(\S+)", "v=1", "v=2", "other")
    assert [each.value for each in lines] == [1.0, 2.0]
    assert [each["Value"] for each in final({}, lines)["FinalMetricDataList"]] == [2.0]
    assert final({}, []) == {}


def test_an_expression_without_end_costs_little_and_matches_nothing():
    begun = time.monotonic()
    assert values(r"(a+)+$", "a" * 60 + "b") == []
    assert time.monotonic() - begun < 30


def test_metrics_are_kept_beside_new_ones():
    state = {"FinalMetricDataList": [{"MetricName": "old", "Value": 1.0, "Timestamp": 1}]}
    kept = final(state, found(r"n=(\S+)", "n=3", "n=4"))["FinalMetricDataList"]
    assert [(each["MetricName"], each["Value"]) for each in kept] == [("old", 1.0), ("m", 4.0)]


JOB = Resource("1" * 12, "eu-west-1", "training-job", "j", "arn", "InProgress", {}, 1, 1)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_what_is_no_finite_number_is_no_metric_of_the_job(value):
    [point] = said = found(r"v=(\S+)", f"v={value}")
    assert not math.isfinite(point.value)
    assert final({}, said) == {}
    assert batches(JOB, said) == ()


def test_every_value_goes_to_the_metric_store():
    stored = batches(JOB, found(r"v=(\S+)", "v=1", "v=2", "v=1e200"))
    assert [[(row.at, row.total) for row in it.rows] for it in stored] == [[(100, 1.0), (101, 2.0)]]
    assert stored[0].metric.namespace == "/aws/sagemaker/TrainingJobs"
    assert stored[0].metric.dimensions == (("TrainingJobName", "j"),)


def test_xgboosts_own_definitions_read_its_lines():
    own = dict(images.find(Settings(home=Path("/none")), "xgboost:1").metrics)
    line = "[7]#011train-auc:0.91#011validation-auc:0.85"
    assert values(own["validation:auc"], line) == [0.85]
    assert values(own["train:auc"], line) == [0.91]


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("epoch 3/10 step 120 v=1", 120),
        ("Epoch: 3/10 v=1", 3),
        ("[7]#011train-auc:0.9 v=1", 7),
        ("{'epoch': 0.5} v=1", None),
        ("global_step=9007199254740993 v=1", 9007199254740993),
        ("v=1", None),
        ("step " + "9" * 400 + " v=1", None),
    ],
)
def test_the_step_is_the_finest_that_the_line_names(line, step):
    assert [each.step for each in found(r"v=(\S+)", line)] == [step]
