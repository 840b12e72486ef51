"""Tables of the panels: rows as they are shown, of what the caller may list."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from people_of import IMAGE, equip, job, user


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    tags = [{"Key": "team", "Value": "blue"}]
    for number in range(12):
        request = job(f"ann-more-{number:02}", "ann-data", Tags=tags if number < 3 else [])
        ann.client("sagemaker").create_training_job(**request)
    ann.client("sagemaker").stop_training_job(TrainingJobName="ann-more-00")
    return ann


def rows(person, kind: str = "training-job", **request) -> list[dict]:
    return person.client("studio").query_resources(Kind=kind, **request)["Rows"]


def names(person, **request) -> list[str]:
    return [row["Name"] for row in rows(person, **request)]


def test_a_row_holds_what_a_table_shows(ann):
    [row] = rows(ann, Text="ANN-JOB")
    assert (row["Status"], row["SecondaryStatus"]) == ("InProgress", "Starting")
    assert (row["Image"], row["InstanceType"]) == (IMAGE, "ml.m5.large")
    assert row["InstanceCount"] == 1
    assert row["Tags"] == []
    assert "DurationSeconds" not in row


def test_rows_of_the_other_kinds(ann):
    [model] = rows(ann, "model")
    assert (model["Image"], model["ModelDataUrl"]) == (IMAGE, "s3://ann-data/model.tar.gz")
    for kind in ("endpoint", "endpoint-config"):
        [row] = rows(ann, kind)
        [variant] = row["Variants"]
        assert (variant["ModelName"], variant["Weight"]) == ("ann-model", 1.0)


def test_any_window_and_its_counts(ann):
    answer = ann.client("studio").query_resources(
        Kind="training-job", Text="more", SortBy="Name", SortOrder="Ascending", Offset=4, Limit=3
    )
    assert [row["Name"] for row in answer["Rows"]] == [f"ann-more-{n:02}" for n in (4, 5, 6)]
    assert (answer["Total"], answer["Unfiltered"]) == (12, 13)
    assert answer["CountsByStatus"] == {"InProgress": 11, "Stopping": 1}


def test_statuses_narrow_the_rows_and_not_the_counts(ann):
    answer = ann.client("studio").query_resources(Kind="training-job", Statuses=["Stopping"])
    assert [row["Name"] for row in answer["Rows"]] == ["ann-more-00"]
    assert answer["Total"] == 1
    assert answer["CountsByStatus"]["InProgress"] == 12


def test_times_and_tags(ann):
    blue = {"Tags": [{"Key": "team", "Value": "blue"}]}
    assert len(names(ann, **blue)) == 3
    later = datetime.now(UTC) + timedelta(hours=1)
    assert names(ann, CreatedAfter=later) == []
    assert len(names(ann, CreatedBefore=later, **blue)) == 3


def test_each_sees_their_own_and_the_owner_everything(plane, ann):
    bob = user(plane, "bob", "AmazonSageMakerReadOnly")
    assert rows(bob) == []
    counts = {it["Kind"]: it["Total"] for it in bob.client("studio").count_resources()["Counts"]}
    assert set(counts.values()) == {0}
    owner = plane.client("studio")
    assert owner.query_resources(Kind="training-job")["Total"] == 13
    counts = {it["Kind"]: it["Total"] for it in owner.count_resources()["Counts"]}
    assert counts == {
        "training-job": 13,
        "processing-job": 0,
        "transform-job": 0,
        "endpoint": 1,
        "endpoint-config": 1,
        "model": 1,
        "model-package-group": 0,
        "experiment": 0,
        "schedule": 0,
    }


def test_nonsense_is_refused(ann):
    for wrong in ({"Kind": "bucket"}, {"Kind": "model", "SortBy": "Colour"}):
        with pytest.raises(ClientError, match="ValidationException"):
            ann.client("studio").query_resources(**wrong)
