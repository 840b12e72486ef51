"""What people learn of the machine and of each other's waiting jobs."""

import pytest
from botocore.exceptions import ClientError
from people_of import equip, user


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane):
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    return ann


def test_who_waits_and_why(plane, ann):
    told = plane.client("studio").describe_capacity()
    assert told["Cpus"]["Total"] >= 1
    assert told["Cpus"]["Used"] == told["Running"] == told["RunningJobs"] == 0
    assert 0 < told["Memory"]["AvailableInMB"] <= told["Memory"]["TotalInMB"]
    assert told["Waiting"] == 1
    [waiting] = told["WaitingRuns"]
    assert (waiting["Kind"], waiting["Name"]) == ("training-job", "ann-job")
    assert waiting["Arn"].endswith(":training-job/ann-job")
    assert waiting["Priority"] == 0


def test_others_are_counted_and_not_named(plane, ann):
    bob = user(plane, "bob", "AmazonSageMakerReadOnly")
    told = bob.client("studio").describe_capacity()
    assert (told["Waiting"], told["WaitingRuns"]) == (1, [])
    assert len(ann.client("studio").describe_capacity()["WaitingRuns"]) == 1


def test_a_policy_is_needed(plane):
    carl = user(plane, "carl", "AmazonS3FullAccess")
    with pytest.raises(ClientError, match=r"studio:DescribeCapacity"):
        carl.client("studio").describe_capacity()
