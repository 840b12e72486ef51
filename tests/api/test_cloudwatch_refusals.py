"""What CloudWatch refuses, and that nothing of it is kept."""

from datetime import timedelta

import pytest
from cloudwatch_calls import END, NOW, START, put, refused, stat, without_none


@pytest.mark.parametrize(
    ("datum", "code", "text"),
    [
        ({}, "MissingParameter", "At least one of the parameters"),
        ({"Value": 1, "Values": [1]}, "InvalidParameterCombination", "are mutually exclusive"),
        ({"Values": [1], "Counts": [1, 2]}, "InvalidParameterValue", "must be of the same size"),
        ({"Values": [1], "Counts": [0]}, "InvalidParameterValue", "Counts is invalid"),
        ({"Values": [1] * 151}, "InvalidParameterValue", "a size greater than 150."),
        ({"Value": 1e200}, "InvalidParameterValue", "for parameter MetricData.member.1.Value"),
        ({"Value": 1, "StorageResolution": 7}, "InvalidParameterValue", "StorageResolution"),
        ({"Value": 1, "Unit": "Miles"}, "ValidationError", "failed to satisfy constraint"),
        (
            {"Value": 1, "Timestamp": NOW - timedelta(days=15)},
            "InvalidParameterValue",
            "MetricData.member.1.Timestamp must specify a time within the past two weeks.",
        ),
        (
            {"Value": 1, "Timestamp": NOW + timedelta(hours=3)},
            "InvalidParameterValue",
            "no more than two hours in the future",
        ),
        (
            {"Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]},
            "InvalidParameterValue",
            "not unique",
        ),
        (
            {"Value": 1, "Dimensions": [{"Name": ":a", "Value": "1"}]},
            "InvalidParameterValue",
            "Dimensions is invalid",
        ),
        (
            {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}},
            "InvalidParameterCombination",
            "Minimum must be less",
        ),
        (
            {"StatisticValues": {"SampleCount": 0, "Sum": 1, "Minimum": 1, "Maximum": 1}},
            "InvalidParameterValue",
            "SampleCount is invalid",
        ),
    ],
)
def test_data_that_is_refused_leaves_nothing(client, namespace, datum, code, text):
    good = {"MetricName": "good", "Value": 1.0}
    found = refused(
        client.put_metric_data,
        Namespace=namespace,
        MetricData=[{"MetricName": "loss", **datum}, good],
    )
    assert found[0] == code
    assert text in found[1]
    assert client.list_metrics(Namespace=namespace)["Metrics"] == []


def test_namespaces_of_aws_are_its_own(cloudwatch):
    code, text = refused(
        cloudwatch.put_metric_data,
        Namespace="AWS/SageMaker",
        MetricData=[{"MetricName": "Invocations", "Value": 1}],
    )
    assert (code, text) == (
        "InvalidParameterValue",
        "The value AWS/ for parameter Namespace is invalid.",
    )


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (
            {"StartTime": NOW - timedelta(days=5)},
            "InvalidParameterCombination",
            "You have requested up to 7,260 datapoints, which exceeds the limit of 1,440. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range.",
        ),
        (
            {"StartTime": END},
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            {"Period": 7},
            "InvalidParameterValue",
            "The parameter Period must be a value in the set [1, 5, 10, 20, 30] or a multiple "
            "of 60.",
        ),
        (
            {"Statistics": None},
            "InvalidParameterCombination",
            "Must specify either Statistics or ExtendedStatistics.",
        ),
        (
            {"ExtendedStatistics": ["tm90"]},
            "InvalidParameterValue",
            "The value tm90 for parameter ExtendedStatistics is not supported.",
        ),
    ],
)
def test_statistics_that_are_refused(cloudwatch, namespace, change, code, text):
    request = {
        "Namespace": namespace,
        "MetricName": "loss",
        "StartTime": START,
        "EndTime": END,
        "Period": 60,
        "Statistics": ["Sum"],
    }
    request = without_none(request | change)
    assert refused(cloudwatch.get_metric_statistics, **request) == (code, text)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Id": "Upper"}, "is not matching the expected pattern"),
        ({"MetricStat": None, "Expression": "m1*2"}, "Studio does not execute the expression"),
        ({"MetricStat": None}, "At least one of the parameters"),
        ({"Period": 60}, "are mutually exclusive and you have specified both."),
        ({"Label": "${MAX}"}, "Studio does not execute the expression in the label"),
        ({"MetricStat": stat("n", statistic="p101")}, "p101 for parameter"),
    ],
)
def test_queries_that_are_refused(client, change, text):
    query = without_none({"Id": "m", "MetricStat": stat("n")} | change)
    code, found = refused(
        client.get_metric_data, MetricDataQueries=[query], StartTime=START, EndTime=END
    )
    assert code == "ValidationError"
    assert text in found


def test_queries_with_one_id(client):
    query = {"Id": "m", "MetricStat": stat("n")}
    asked = {"StartTime": START, "EndTime": END}
    code, _ = refused(client.get_metric_data, MetricDataQueries=[query, query], **asked)
    assert code == "ValidationError"


def test_tokens_of_other_requests_are_refused(cloudwatch, namespace):
    data = [{"MetricName": f"m{number}", "Value": 1} for number in range(501)]
    put(cloudwatch, namespace, *data)
    token = cloudwatch.list_metrics(Namespace=namespace)["NextToken"]
    assert refused(cloudwatch.list_metrics, Namespace="other", NextToken=token) == (
        "InvalidParameterValue",
        "Invalid NextToken",
    )
    query = {"Id": "m", "MetricStat": stat(namespace)}
    asked = {"MetricDataQueries": [query], "StartTime": START, "EndTime": END}
    for wrong in (token, "nonsense", "é"):
        code, _ = refused(cloudwatch.get_metric_data, NextToken=wrong, **asked)
        assert code == "InvalidNextToken"


def test_modelled_errors_have_their_classes(client, namespace):
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        put(client, namespace, MetricName="loss", Values=[1], Counts=[1, 2])


def test_other_operations_are_refused_by_name(cloudwatch):
    code, text = refused(cloudwatch.list_dashboards)
    assert code == "UnknownOperationException"
    assert text == "Studio does not execute cloudwatch:ListDashboards yet."
