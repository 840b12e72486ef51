"""CloudWatch's operations with real clients, in every protocol that botocore has spoken to it."""

import copy
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from plane import KEY, SECRET, Plane

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
START, END = NOW - timedelta(minutes=30), NOW + timedelta(minutes=5)
# 2019 to 2025 query, then JSON; CBOR is what the model prefers. None: what this botocore chooses.
PROTOCOLS = ("query", "json", "smithy-rpc-v2-cbor", None)


def client_of(plane: Plane, protocol: str | None = None, **config: Any):
    """A client whose model knows one protocol only."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def only(service, kind, *args, **kwargs):
        model = load(service, kind, *args, **kwargs)
        if service != "cloudwatch" or kind != "service-2" or protocol is None:
            return model
        model = copy.deepcopy(model)
        model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
        if protocol == "query":
            del model["metadata"]["awsQueryCompatible"]
        return model

    loader.load_service_model = only
    return boto3.Session(botocore_session=session).client(
        "cloudwatch",
        region_name="us-east-1",
        endpoint_url=plane.url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


@pytest.fixture(scope="module", params=PROTOCOLS, ids=str)
def cloudwatch(plane, request):
    return client_of(plane, request.param)


@pytest.fixture(scope="module")
def client(plane):
    return client_of(plane)


@pytest.fixture
def namespace():
    return f"team/{uuid.uuid4().hex[:8]}"


def refused(call, **arguments) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["Error"]["Message"]


def without_none(request: dict) -> dict:
    return {name: value for name, value in request.items() if value is not None}


def put(client, namespace, *data, **datum):
    client.put_metric_data(Namespace=namespace, MetricData=data or [datum])


def read(client, namespace, name="loss", dimensions=(), **changes) -> list[dict]:
    request = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": list(dimensions),
        "StartTime": START,
        "EndTime": END,
        "Period": 60,
        "Statistics": ["Average"],
    }
    answer = client.get_metric_statistics(**without_none(request | changes))
    assert answer["Label"] == name
    return answer["Datapoints"]


def stat(namespace, name="loss", statistic="Sum", period=60, **more) -> dict:
    metric = {"Namespace": namespace, "MetricName": name, **more}
    return {"Metric": metric, "Period": period, "Stat": statistic}


def test_values_go_in_and_statistics_come_out(cloudwatch, namespace):
    job = [{"Name": "Job", "Value": "a"}, {"Name": "Host", "Value": "algo-1"}]
    minute = NOW - timedelta(minutes=10)
    for value in (0.5, 1e-05, -2.0):
        put(
            cloudwatch, namespace, MetricName="loss", Value=value, Timestamp=minute,
            Dimensions=job, Unit="Seconds",
        )  # fmt: skip
    put(
        cloudwatch, namespace, MetricName="loss", Values=[1.0, 2.0], Counts=[3.0, 1.0],
        Timestamp=minute, Dimensions=job, Unit="Seconds",
    )  # fmt: skip
    names = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    [point] = read(cloudwatch, namespace, dimensions=job[::-1], Statistics=names)
    assert point["Timestamp"] == minute
    assert point["Unit"] == "Seconds"
    assert point["SampleCount"] == 7
    assert point["Sum"] == pytest.approx(3.50001)
    assert point["Average"] == pytest.approx(3.50001 / 7)
    assert (point["Minimum"], point["Maximum"]) == (-2.0, 2.0)
    assert read(cloudwatch, namespace, dimensions=job[:1]) == []


def test_percentiles(cloudwatch, namespace):
    values = [float(number) for number in range(1, 101)]
    random.Random(3).shuffle(values)
    put(cloudwatch, namespace, MetricName="loss", Values=values, Timestamp=NOW)
    [point] = read(cloudwatch, namespace, Statistics=None, ExtendedStatistics=["p50", "p99.9"])
    assert point["ExtendedStatistics"]["p50"] == pytest.approx(50, rel=0.011)
    assert point["ExtendedStatistics"]["p99.9"] == pytest.approx(100, rel=0.011)
    assert "Average" not in point


def test_statistic_sets_have_no_percentiles(cloudwatch, namespace):
    values = {"SampleCount": 10, "Sum": 50, "Minimum": 1, "Maximum": 9}
    put(cloudwatch, namespace, MetricName="loss", StatisticValues=values, Timestamp=NOW)
    [point] = read(cloudwatch, namespace, ExtendedStatistics=["p50"])
    assert point["Average"] == 5
    assert "p50" not in point.get("ExtendedStatistics", {})


def test_large_requests_are_compressed_by_the_client(plane, namespace):
    cloudwatch = client_of(plane)  # of its own, for the listener
    data = [
        {"MetricName": f"m{number}", "Values": [1.0] * 150, "Timestamp": NOW}
        for number in range(100)
    ]
    headers = {}
    cloudwatch.meta.events.register(
        "before-send.cloudwatch.PutMetricData", lambda request, **_: headers.update(request.headers)
    )
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    assert headers["Content-Encoding"] == b"gzip"
    [point] = read(cloudwatch, namespace, "m99", Statistics=["Sum"])
    assert point["Sum"] == 150


def test_metric_data_in_pages(cloudwatch, namespace):
    data = [
        {"MetricName": name, "Value": float(n), "Timestamp": NOW - timedelta(minutes=n)}
        for name in ("loss", "f1")
        for n in range(10)
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    asked = [
        {"Id": "first", "MetricStat": stat(namespace)},
        {"Id": "hidden", "MetricStat": stat(namespace, "f1"), "ReturnData": False},
        {"Id": "second", "MetricStat": stat(namespace, "f1"), "Label": "F1"},
        {"Id": "third", "MetricStat": stat(namespace, "none")},
    ]
    for order in ("TimestampAscending", "TimestampDescending"):
        found: dict[str, list] = {}
        count = 0
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=START, EndTime=END, ScanBy=order, MaxDatapoints=7
        )
        for page in pages:
            count += 1
            assert sum(len(each["Values"]) for each in page["MetricDataResults"]) <= 7
            for each in page["MetricDataResults"]:
                points = zip(each["Timestamps"], each["Values"], strict=True)
                found.setdefault(each["Label"], []).extend(points)
        assert count == 3
        step = 1 if order == "TimestampDescending" else -1
        wanted = [(NOW - timedelta(minutes=n), float(n)) for n in range(10)][::step]
        assert found == {"loss": wanted, "F1": wanted, "none": []}


def test_longer_periods_begin_at_their_multiples(cloudwatch, namespace):
    for n in range(30):
        put(cloudwatch, namespace, MetricName="loss", Value=1, Timestamp=NOW - timedelta(minutes=n))
    asked = [{"Id": "m", "MetricStat": stat(namespace, period=600)}]
    [result] = cloudwatch.get_metric_data(
        MetricDataQueries=asked, StartTime=NOW - timedelta(minutes=60), EndTime=END
    )["MetricDataResults"]
    assert result["StatusCode"] == "Complete"
    assert sum(result["Values"]) == 30
    assert all(at.minute % 10 == 0 for at in result["Timestamps"])
    assert result["Timestamps"] == sorted(result["Timestamps"], reverse=True)


def test_values_of_seconds(cloudwatch, namespace):
    start = NOW - timedelta(minutes=2)
    for n in range(10):
        at = start + timedelta(seconds=n)
        put(cloudwatch, namespace, MetricName="loss", Value=n, Timestamp=at, StorageResolution=1)
    span = {"StartTime": start, "EndTime": NOW, "Statistics": ["Sum"]}
    found = read(cloudwatch, namespace, Period=1, **span)
    assert [(each["Timestamp"] - start).seconds for each in found] == list(range(10))
    assert [each["Sum"] for each in found] == list(range(10))
    assert [each["Sum"] for each in read(cloudwatch, namespace, Period=5, **span)] == [10, 35]


def test_metrics_are_listed_in_pages_and_by_filters(cloudwatch, namespace):
    data = [
        {
            "MetricName": "loss",
            "Value": 1,
            "Dimensions": [
                {"Name": "Job", "Value": f"job-{number:03}"},
                {"Name": "Team", "Value": "a" if number % 2 else "b"},
            ],
        }
        for number in range(600)
    ]
    put(cloudwatch, namespace, *data)
    put(cloudwatch, namespace, MetricName="f1", Value=1)
    paginator = cloudwatch.get_paginator("list_metrics")
    pages = [page["Metrics"] for page in paginator.paginate(Namespace=namespace)]
    assert [len(page) for page in pages] == [500, 101]
    found = [each for page in pages for each in page]
    assert len({str(each) for each in found}) == 601
    assert found[0] == {"Namespace": namespace, "MetricName": "f1", "Dimensions": []}

    def count(**filters) -> int:
        pages = paginator.paginate(Namespace=namespace, RecentlyActive="PT3H", **filters)
        return sum(len(page["Metrics"]) for page in pages)

    assert count(MetricName="loss") == 600
    assert count(Dimensions=[{"Name": "Team", "Value": "a"}]) == 300
    both = [{"Name": "Team", "Value": "a"}, {"Name": "Job"}]
    assert count(Dimensions=both) == 300
    assert count(Dimensions=[{"Name": "Job", "Value": "job-007"}]) == 1
    assert count(Dimensions=[{"Name": "Nothing"}]) == 0


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
            "You have requested up to 7,205 datapoints, which exceeds the limit of 1,440. You may "
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
    code, text = refused(cloudwatch.describe_alarms)
    assert code == "UnknownOperationException"
    assert text == "Studio does not execute cloudwatch:DescribeAlarms yet."
