"""CloudWatch's operations with real clients, in every protocol that botocore has spoken to it."""

import random
from datetime import timedelta

import pytest
from cloudwatch_calls import END, NOW, START, client_of, put, read, stat


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


def test_labels_tell_statistics_of_one_metric_apart(cloudwatch, namespace):
    put(cloudwatch, namespace, MetricName="loss", Values=[1, 3])
    asked = [
        {"Id": "sum", "MetricStat": stat(namespace, "loss", "Sum")},
        {"Id": "mean", "MetricStat": stat(namespace, "loss", "Average")},
        {"Id": "most", "MetricStat": stat(namespace, "loss", "Maximum"), "Label": "mine"},
    ]

    def labels(*queries):
        told = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=START, EndTime=END)
        return [each["Label"] for each in told["MetricDataResults"]]

    assert labels(*asked) == ["loss Sum", "loss Average", "mine"]
    assert labels(asked[0]) == ["loss"]
