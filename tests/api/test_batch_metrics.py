"""sagemaker-metrics and series of trial components, asked by boto3."""

import datetime
import math
import threading

import numpy as np
import pytest
from botocore.exceptions import ClientError
from listening import ear
from plane import KEY, SECRET

AT = datetime.datetime(2026, 11, 21, 12, 0, tzinfo=datetime.UTC)
SECONDS = int(AT.timestamp())


@pytest.fixture
def component(plane, request) -> str:
    """Its name has a capital, as those that smexperiments makes."""
    name = f"TrialComponent-{request.node.name.replace('_', '-')}"[:100]
    plane.client("sagemaker").create_trial_component(TrialComponentName=name)
    return name


def datum(name: str, value: float, step: int | None = None, after: float = 0.0) -> dict:
    at = AT + datetime.timedelta(seconds=after)
    found = {"MetricName": name, "Timestamp": at, "Value": value}
    return found if step is None else {**found, "Step": step}


def put(plane, component: str, *data: dict) -> list[dict]:
    client = plane.client("sagemaker-metrics")
    return client.batch_put_metrics(TrialComponentName=component, MetricData=list(data))["Errors"]


def drawn(plane, component: str, *names: str, **asked) -> dict[str, dict]:
    answer = plane.client("studio").get_trial_component_series(
        TrialComponentNames=[component], MetricNames=list(names), **asked
    )
    columns = ("X", "Minima", "Means", "Maxima")
    return {
        it["MetricName"]: {**it, **{name: np.frombuffer(it[name]).tolist() for name in columns}}
        for it in answer["Series"]
    }


def test_more_than_ten_values_at_once(plane, component):
    rows = [datum("loss", float(step), step) for step in range(1000)]
    assert put(plane, component, *rows) == []
    found = drawn(plane, component, "loss", "no")
    assert list(found) == ["loss"]
    assert found["loss"]["Means"] == [float(step) for step in range(1000)]
    assert found["loss"]["Complete"]
    described = plane.client("sagemaker").describe_trial_component(TrialComponentName=component)
    summary = described["Metrics"][0]
    assert (summary["Count"], summary["Min"], summary["Max"]) == (1000, 0.0, 999.0)


def test_what_is_no_number_is_a_value(plane, component):
    values = (math.nan, math.inf, -math.inf, 1e308)
    assert put(plane, component, *(datum("m", it, at) for at, it in enumerate(values))) == []
    found = drawn(plane, component, "m")["m"]["Means"]
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf, 1e308]


def test_faults_are_told_by_their_index_and_the_rest_is_stored(plane, component):
    faulty = datum("x" * 256, 1.0)
    errors = put(plane, component, datum("m", 1.0), faulty, datum("m", 2.0), datum("m", 3, 2**60))
    told = [{"Code": "VALIDATION_ERROR", "MetricIndex": it} for it in (1, 3)]
    assert errors == told
    assert drawn(plane, component, "m")["m"]["Means"] == [1.0, 2.0]


def test_a_component_that_is_not_there(plane):
    with pytest.raises(ClientError, match="experiment-trial-component/nobody' does not exist"):
        put(plane, "nobody", datum("m", 1.0))


def test_a_call_that_is_repeated_counts_once(plane, component):
    client = plane.client("sagemaker-metrics")
    client.meta.events.register(
        "before-send.sagemaker-metrics.BatchPutMetrics", _twice(client), unique_id="twice"
    )
    client.batch_put_metrics(TrialComponentName=component, MetricData=[datum("m", 1.0)])
    assert drawn(plane, component, "m")["m"]["Total"] == 1


def _twice(client):
    def send(request, **_ignored):
        client._endpoint.http_session.send(request)

    return send


def test_statistics_over_steps_and_periods(plane, component):
    rows = [datum("m", float(at), at // 2, after=30.0 * at) for at in range(8)]
    put(plane, component, *rows)
    sagemaker = plane.client("sagemaker")
    arn = sagemaker.describe_trial_component(TrialComponentName=component)["TrialComponentArn"]

    def asked(stat, period, axis, **more):
        query = {"MetricName": "m", "ResourceArn": arn, "MetricStat": stat, "Period": period}
        queries = [{**query, "XAxisType": axis, **more}]
        client = plane.client("sagemaker-metrics")
        found = client.batch_get_metrics(MetricQueries=queries)["MetricQueryResults"][0]
        assert found["Status"] == "Complete"
        return list(zip(found["XAxisValues"], found["MetricValues"], strict=True))

    by_step = asked("Avg", "IterationNumber", "IterationNumber")
    assert by_step == [(0, 0.5), (1, 2.5), (2, 4.5), (3, 6.5)]
    minutes = asked("Max", "OneMinute", "Timestamp")
    assert minutes == [(SECONDS + 60 * at, 2.0 * at + 1) for at in range(4)]
    assert asked("Count", "OneHour", "Timestamp") == [(SECONDS, 8.0)]
    assert asked("Last", "OneHour", "IterationNumber") == [(3, 7.0)]
    assert asked("Min", "OneHour", "Timestamp", Start=SECONDS + 60) == [(SECONDS, 2.0)]
    ((_, deviation),) = asked("StdDev", "OneHour", "Timestamp")
    assert deviation == pytest.approx(np.std(range(8), ddof=1))


def test_a_query_of_nothing(plane):
    arn = "arn:aws:sagemaker:us-east-1:000000000000:experiment-trial-component/gone"
    query = {"MetricName": "m", "ResourceArn": arn, "MetricStat": "Min", "Period": "OneHour"}
    client = plane.client("sagemaker-metrics")
    answer = client.batch_get_metrics(MetricQueries=[{**query, "XAxisType": "Timestamp"}])
    assert answer["MetricQueryResults"][0]["Status"] == "ValidationError"


def test_columns_and_axes(plane, component):
    column = np.arange(5)
    series = {
        "MetricName": "m",
        "Steps": (column * 10).tobytes(),
        "Timestamps": (SECONDS * 1000 + column).tobytes(),
        "Values": (column * 2.0).tobytes(),
    }
    studio = plane.client("studio")
    for _ in range(2):
        studio.put_trial_component_metrics(
            TrialComponentName=component, Series=[series], Source="file", Position=5
        )
    assert drawn(plane, component, "m")["m"]["X"] == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert drawn(plane, component, "m", XAxis="Time")["m"]["X"][0] == SECONDS * 1000.0
    since = drawn(plane, component, "m", XAxis="RelativeTime")["m"]["X"]
    assert since == [0.0, 1.0, 2.0, 3.0, 4.0]
    other = drawn(plane, component, "m", XAxis="Metric", XMetricName="m")["m"]
    assert other["X"] == other["Means"]
    some = drawn(plane, component, "m", Start=10, End=20)["m"]
    assert (some["X"], some["Total"]) == ([10.0, 20.0], 2)
    with pytest.raises(ClientError, match="must be of one length"):
        studio.put_trial_component_metrics(
            TrialComponentName=component, Series=[{**series, "Steps": b""}]
        )
    with pytest.raises(ClientError, match="XMetricName goes with the XAxis Metric"):
        drawn(plane, component, "m", XMetricName="m")


def test_who_listens_is_told(plane, component):
    with ear(plane.url, KEY, SECRET, "") as heard:
        put(plane, component, datum("m", 1.0))
        told = heard.wait(lambda it: it.type == "metrics" and it.data["Name"] == component)
    assert told.data["Kind"] == "experiment-trial-component"


def test_sixty_four_writers_lose_nothing(plane, component):
    client = plane.client("sagemaker-metrics")

    def write(number: int) -> None:
        for step in range(3):
            data = [datum(f"m{number % 4}", float(number), 3 * number + step)]
            client.batch_put_metrics(TrialComponentName=component, MetricData=data)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(64)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    found = drawn(plane, component, *(f"m{it}" for it in range(4)))
    assert sum(it["Total"] for it in found.values()) == 192
    assert sorted(x for it in found.values() for x in it["X"]) == list(range(192))
