"""Metrics between people: one's own, and those of jobs and endpoints that one may describe."""

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest
from people_of import ACCOUNT, Person, allow, document, equip, user
from plane import Plane

from studio.metrics import store
from studio.metrics.rows import row
from studio.metrics.store import Batch, Metric

_numbers = itertools.count(1)
JOBS = "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane: Plane) -> Person:
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    return ann


@pytest.fixture(scope="module", name="bob")
def bob_fixture(plane: Plane) -> Person:
    return user(plane, "bob", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")


@pytest.fixture(name="namespace")
def namespace_fixture() -> str:
    return f"team-{next(_numbers)}"


def put(person, namespace: str, value: float, name: str = "loss") -> None:
    person.client("cloudwatch").put_metric_data(
        Namespace=namespace, MetricData=[{"MetricName": name, "Value": value}]
    )


def values(person, namespace: str, name: str = "loss", dimensions: tuple = ()) -> list[float]:
    """Sums of the last minutes; both operations that read values must say the same."""
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
    }
    now = datetime.now(UTC)
    window = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(minutes=5)}
    client = person.client("cloudwatch")
    points = client.get_metric_statistics(
        **metric, **window, Period=86_400, Statistics=["Sum"], Unit="None"
    )["Datapoints"]
    stat = {"Metric": metric, "Period": 86_400, "Stat": "Sum"}
    queries = [{"Id": "q", "MetricStat": stat}]
    (data,) = client.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]
    found = sum(it["Sum"] for it in points)
    assert sum(data["Values"]) == pytest.approx(found)
    return [found] if points else []


def listed(person, namespace: str) -> list[str]:
    pages = person.client("cloudwatch").get_paginator("list_metrics")
    return [
        it["MetricName"] for page in pages.paginate(Namespace=namespace) for it in page["Metrics"]
    ]


def test_a16_what_ann_puts_bob_neither_lists_nor_reads(plane, ann, bob, namespace):
    put(ann, namespace, 1.0)
    assert (listed(ann, namespace), values(ann, namespace)) == (["loss"], [1.0])
    assert (listed(bob, namespace), values(bob, namespace)) == ([], [])


def test_values_of_two_people_under_one_name_do_not_mix(plane, ann, bob, namespace):
    put(ann, namespace, 1.0)
    put(bob, namespace, 10.0)
    put(bob, namespace, 10.0, "other")
    assert (listed(ann, namespace), values(ann, namespace)) == (["loss"], [1.0])
    assert (listed(bob, namespace), values(bob, namespace)) == (["loss", "other"], [10.0])
    for all_seeing in (plane, user(plane, f"root-{namespace}", "AdministratorAccess")):
        assert listed(all_seeing, namespace) == ["loss", "other"]
        assert values(all_seeing, namespace) == [11.0]


def test_pages_list_a_metric_of_several_people_once(plane, ann, bob, namespace, monkeypatch):
    monkeypatch.setattr("studio.api.cloudwatch._LISTED_AT_ONCE", 2)
    names = [f"m{number}" for number in range(5)]
    for person, name in itertools.product((ann, bob, plane), names):
        put(person, namespace, 1.0, name)
    for person in (ann, bob, plane):
        assert listed(person, namespace) == names


def test_metrics_of_a_job_are_seen_by_who_may_describe_it(plane, ann, bob):
    """As the reconciler and the router's collector store them: with the owner of the job."""
    for dimension, value in (("TrainingJobName", "ann-job"), ("Host", "ann-job/algo-1")):
        measured = Metric(ACCOUNT, "us-east-1", JOBS, "cpu", ((dimension, value),), "ann")
        batch = Batch(measured, "None", (row(time.time_ns() // 1_000_000, 5.0),))
        plane.context.db.write(lambda connection, it=batch: store.append(connection, [it]))
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/ann-*"
    policy = document(allow("sagemaker:DescribeTrainingJob", arn), allow("cloudwatch:*"))
    carl = user(plane, "carl", policy=policy)
    place = (("Host", "ann-job/algo-1"),)
    for person in (plane, ann, carl):
        assert values(person, JOBS, "cpu", place) == [5.0]
        assert listed(person, JOBS) == ["cpu", "cpu"]
    assert values(bob, JOBS, "cpu", place) == []
    assert listed(bob, JOBS) == []


def test_what_bob_puts_in_the_name_of_anns_job_is_not_shown_to_her(plane, ann, bob):
    dimensions = [{"Name": "TrainingJobName", "Value": "ann-job"}]
    forged = {"MetricName": "forged", "Value": 1.0, "Dimensions": dimensions}
    bob.client("cloudwatch").put_metric_data(Namespace=JOBS, MetricData=[forged])
    assert values(ann, JOBS, "forged", (("TrainingJobName", "ann-job"),)) == []
    assert "forged" not in listed(ann, JOBS)
