"""CloudWatch's alarms by boto3: put, describe, set, delete, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from studio.api import alarm_plan
from studio.db import resources

ALARM = {
    "Namespace": "Shop",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "Page", "Value": "cart"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 3.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture(scope="module")
def cloudwatch(plane):
    made = plane.client("cloudwatch")
    yield made
    made.close()


def named(cloudwatch, name: str) -> dict:
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarm


def test_an_alarm_is_described_as_it_was_put(cloudwatch):
    actions = ["arn:aws:sns:us-east-1:000000000000:topic"]
    cloudwatch.put_metric_alarm(AlarmName="shown", AlarmActions=actions, **ALARM)
    alarm = named(cloudwatch, "shown")
    assert {name: alarm[name] for name in ALARM} == ALARM
    assert (alarm["StateValue"], alarm["AlarmActions"]) == ("INSUFFICIENT_DATA", actions)
    assert alarm["AlarmArn"].endswith(":alarm:shown")
    # All anew, but for its state.
    cloudwatch.set_alarm_state(AlarmName="shown", StateValue="OK", StateReason="I say so")
    cloudwatch.put_metric_alarm(AlarmName="shown", **{**ALARM, "Threshold": 7.0})
    again = named(cloudwatch, "shown")
    assert (again["Threshold"], again["AlarmActions"], again["StateValue"]) == (7.0, [], "OK")
    summaries = [
        it["HistorySummary"]
        for it in cloudwatch.describe_alarm_history(AlarmName="shown")["AlarmHistoryItems"]
    ]
    assert summaries == [
        'Alarm "shown" updated',
        "Alarm updated from INSUFFICIENT_DATA to OK",
        'Alarm "shown" created',
    ]


def test_alarms_are_found_by_prefix_state_and_metric_page_by_page(cloudwatch):
    for number in range(5):
        other = {"Dimensions": []} if number == 4 else {}
        cloudwatch.put_metric_alarm(AlarmName=f"many-{number}", **{**ALARM, **other})
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix="many-", PaginationConfig={"PageSize": 2}
    )
    found = [[it["AlarmName"] for it in page["MetricAlarms"]] for page in pages]
    assert found == [["many-0", "many-1"], ["many-2", "many-3"], ["many-4"]]
    cloudwatch.set_alarm_state(AlarmName="many-3", StateValue="ALARM", StateReason="test")
    alarmed = cloudwatch.describe_alarms(AlarmNamePrefix="many-", StateValue="ALARM")
    assert [it["AlarmName"] for it in alarmed["MetricAlarms"]] == ["many-3"]
    metric = {name: ALARM[name] for name in ("Namespace", "MetricName", "Dimensions")}
    of_metric = cloudwatch.describe_alarms_for_metric(**metric)["MetricAlarms"]
    assert {f"many-{number}" for number in range(4)} <= {it["AlarmName"] for it in of_metric}
    assert "many-4" not in {it["AlarmName"] for it in of_metric}


def test_actions_are_switched_and_alarms_deleted_whatever_other_names_say(cloudwatch):
    cloudwatch.put_metric_alarm(AlarmName="gone", **ALARM)
    cloudwatch.disable_alarm_actions(AlarmNames=["gone", "never-there"])
    assert named(cloudwatch, "gone")["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=["gone"])
    assert named(cloudwatch, "gone")["ActionsEnabled"] is True
    cloudwatch.delete_alarms(AlarmNames=["gone", "never-there"])
    assert cloudwatch.describe_alarms(AlarmNames=["gone"])["MetricAlarms"] == []


def test_an_alarm_looks_at_the_metric_that_it_names(plane, cloudwatch):
    """The datapoints that the plan gets: values of its dimensions, by its statistic and period."""
    cloudwatch.put_metric_alarm(AlarmName="looks", **ALARM)
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    values = [(now - timedelta(seconds=90), 2.0), (now - timedelta(seconds=80), 4.0)]
    data = [
        {"MetricName": "Errors", "Dimensions": dimensions, "Timestamp": at, "Value": value}
        for at, value in values
        for dimensions in (ALARM["Dimensions"], [])
    ]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    settings = plane.context.settings
    with plane.context.db.read() as connection:
        place = settings.account, settings.region, "alarm", "looks"
        alarm = resources.find(connection, *place)
        at = int(now.timestamp() * 1_000) + 6_000
        informed = alarm_plan.informed(connection, alarm, at)
    [point] = informed.state["Points"]
    assert (point[0], point[1], point[2]) == (at - 6_000 - 120_000, 6.0, 2)
    assert alarm_plan.plan(informed, [], at).resource.status == "ALARM"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Period": 15}, "multiple of 60"),
        ({"Period": 3600, "EvaluationPeriods": 25}, "more than a day"),
        ({"DatapointsToAlarm": 3}, "less than or equal to EvaluationPeriods"),
        ({"TreatMissingData": "hope"}, "TreatMissingData"),
        ({"ExtendedStatistic": "p99"}, "Exactly one of"),
        ({"Statistic": None, "ExtendedStatistic": "tm99"}, "ExtendedStatistic"),
        ({"Threshold": None}, "Threshold is required"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "anomaly detection"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "alarms with an ExtendedStatistic"),
    ],
)
def test_what_cloudwatch_refuses_is_refused(cloudwatch, change, said):
    request = {name: it for name, it in {**ALARM, **change}.items() if it is not None}
    with pytest.raises(ClientError, match=said) as refused:
        cloudwatch.put_metric_alarm(AlarmName="refused", **request)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert cloudwatch.describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


def test_the_state_of_an_unknown_alarm_cannot_be_set(cloudwatch):
    with pytest.raises(ClientError) as refused:
        cloudwatch.set_alarm_state(AlarmName="nobody", StateValue="OK", StateReason="x")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"
