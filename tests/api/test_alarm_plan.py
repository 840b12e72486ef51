"""What an alarm makes of its datapoints: CloudWatch's own tables, and its sentences."""

import json
from dataclasses import replace

import pytest

from studio.api import alarm_plan
from studio.api.alarm_plan import Point, Verdict, verdict
from studio.db.resources import Resource

MINUTE = 60_000
NOW = 1_795_000_020_000 + 10_000
END = (NOW - 6_000) // MINUTE * MINUTE


def spec(**values) -> dict:
    return {
        "Namespace": "N",
        "MetricName": "m",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **values,
    }


def points(drawn: str) -> list[Point]:
    """As CloudWatch's documentation draws them: X breaches, 0 does not, - is missing."""
    values = {"X": 9.0, "0": 1.0}
    first = END - len(drawn) * MINUTE
    return [
        Point(first + number * MINUTE, values[each], 1)
        for number, each in enumerate(drawn)
        if each != "-"
    ]


def states(drawn: str, needed: int) -> list[str]:
    """With what is missing taken for missing, ignored, breaching, not breaching."""
    asked = [
        spec(DatapointsToAlarm=needed, TreatMissingData=treated)
        for treated in ("missing", "ignore", "breaching", "notBreaching")
    ]
    return [verdict(it, points(drawn), END).state for it in asked]


@pytest.mark.parametrize(
    ("drawn", "needed", "expected"),
    [
        ("0-X-X", 3, "OK OK OK OK"),
        ("----0", 3, "OK OK OK OK"),
        ("-----", 3, "INSUFFICIENT_DATA same ALARM OK"),
        ("0XX-X", 3, "ALARM ALARM ALARM ALARM"),
        ("--X--", 3, "ALARM same ALARM OK"),
        ("0-X-X", 2, "ALARM ALARM ALARM ALARM"),
        ("00X0X", 2, "ALARM ALARM ALARM ALARM"),
        ("0-X--", 2, "OK OK ALARM OK"),
        ("----0", 2, "OK OK ALARM OK"),
        ("---X-", 2, "ALARM same ALARM OK"),
        ("----X", 3, "same same ALARM OK"),  # too soon to tell
    ],
)
def test_missing_data_is_treated_as_cloudwatch_says(drawn, needed, expected):
    assert [it or "same" for it in states(drawn, needed)] == expected.split()


@pytest.mark.parametrize(
    ("operator", "breaching"),
    [
        ("GreaterThanThreshold", (6.0,)),
        ("GreaterThanOrEqualToThreshold", (5.0, 6.0)),
        ("LessThanThreshold", (4.0,)),
        ("LessThanOrEqualToThreshold", (4.0, 5.0)),
    ],
)
def test_each_comparison(operator, breaching):
    one = spec(EvaluationPeriods=1, ComparisonOperator=operator)
    found = {
        value
        for value in (4.0, 5.0, 6.0)
        if verdict(one, [Point(END - MINUTE, value, 1)], END).state == "ALARM"
    }
    assert found == set(breaching)


def test_a_percentile_of_few_values_may_mean_nothing():
    few = spec(EvaluationPeriods=1, ExtendedStatistic="p99")
    del few["Statistic"]
    found = [Point(END - MINUTE, 9.0, 999)]
    assert verdict(few, found, END).state == "ALARM"
    unsure = {**few, "EvaluateLowSampleCountPercentile": "ignore"}
    assert verdict(unsure, found, END) == Verdict("")
    assert verdict(unsure, [Point(END - MINUTE, 9.0, 1_001)], END).state == "ALARM"


def alarm(**values) -> Resource:
    names = "0" * 12, "us-east-1", "alarm", "a", "arn"
    state = {"Reason": "Unchecked", "ReasonData": ""}
    return Resource(*names, "INSUFFICIENT_DATA", spec(**values), 1, 1, state=state, due_at=1)


def test_an_alarm_tells_why_it_changed_and_remembers():
    found = [[it.at, it.value, it.count] for it in points("XXX")]
    it = alarm()
    it = replace(it, state={**it.state, "Points": found})
    plan = alarm_plan.plan(it, [], NOW)
    assert plan.resource.status == "ALARM"
    assert plan.look_ms == 10_000
    state = plan.resource.state
    assert state["Reason"].startswith("Threshold Crossed: 3 datapoints [9.0 (")
    assert state["Reason"].endswith("were greater than the threshold (5.0).")
    assert json.loads(state["ReasonData"])["recentDatapoints"] == [9.0] * 3
    [item] = state["History"]
    assert item["HistorySummary"] == "Alarm updated from INSUFFICIENT_DATA to ALARM"
    assert json.loads(item["HistoryData"])["newState"]["stateValue"] == "ALARM"
    # Nothing is stored while nothing changes.
    same = replace(plan.resource, state={**state, "Points": found})
    assert alarm_plan.plan(same, [], NOW + 10_000).resource == plan.resource


def test_a_state_that_was_set_stays_for_a_while():
    found = [[it.at, it.value, it.count] for it in points("XXX")]
    it = alarm()
    it = replace(it, status="OK", state={**it.state, "Points": found, "SetUntil": NOW + 1_000})
    plan = alarm_plan.plan(it, [], NOW)
    assert (plan.resource.status, plan.look_ms) == ("OK", 1_000)
    assert alarm_plan.plan(it, [], NOW + 1_000).resource.status == "ALARM"
