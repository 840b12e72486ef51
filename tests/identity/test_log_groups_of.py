"""Log groups between people: one's own, and those that a policy names."""

import time

import pytest
from botocore.exceptions import ClientError
from people_of import ACCOUNT, Person, allow, document, user
from plane import Plane

GROUP = "ann-group"
ARN = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{GROUP}"
STREAM = {"logGroupName": GROUP, "logStreamName": "one"}


@pytest.fixture(scope="module", name="ann")
def ann_fixture(plane: Plane) -> Person:
    ann = user(plane, "ann", "AmazonSageMakerFullAccess")
    logs = ann.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(**STREAM)
    logs.put_log_events(**STREAM, logEvents=[event("ann's")])
    return ann


@pytest.fixture(scope="module", name="bob")
def bob_fixture(plane: Plane) -> Person:
    return user(plane, "bob", "AmazonSageMakerFullAccess")


def event(message: str) -> dict:
    return {"timestamp": time.time_ns() // 1_000_000, "message": message}


def groups(person) -> list[str]:
    return [it["logGroupName"] for it in person.client("logs").describe_log_groups()["logGroups"]]


def code(call, **request) -> str:
    try:
        call(**request)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


CALLS = {
    "delete_log_group": {"logGroupName": GROUP},
    "create_log_stream": {"logGroupName": GROUP, "logStreamName": "two"},
    "delete_log_stream": STREAM,
    "put_log_events": {**STREAM, "logEvents": [{"timestamp": 1, "message": "x"}]},
    "get_log_events": STREAM,
    "filter_log_events": {"logGroupIdentifier": ARN},
    "describe_log_streams": {"logGroupIdentifier": GROUP},
    "put_retention_policy": {"logGroupName": GROUP, "retentionInDays": 1},
    "delete_retention_policy": {"logGroupName": GROUP},
    "tag_log_group": {"logGroupName": GROUP, "tags": {"a": "b"}},
    "untag_log_group": {"logGroupName": GROUP, "tags": ["a"]},
    "list_tags_log_group": {"logGroupName": GROUP},
    "tag_resource": {"resourceArn": ARN, "tags": {"a": "b"}},
    "untag_resource": {"resourceArn": ARN, "tagKeys": ["a"]},
    "list_tags_for_resource": {"resourceArn": ARN},
}


@pytest.mark.parametrize("call", CALLS)
def test_a16_a_group_of_somebody_else_is_not_there(ann: Person, bob: Person, call: str):
    assert code(getattr(bob.client("logs"), call), **CALLS[call]) == "ResourceNotFoundException"
    events = ann.client("logs").get_log_events(**STREAM)["events"]
    assert [it["message"] for it in events] == ["ann's"]


def test_a16_groups_of_others_are_not_listed_and_their_names_are_taken(plane, ann, bob):
    assert GROUP in groups(ann)
    assert groups(bob) == []
    taken = code(bob.client("logs").create_log_group, logGroupName=GROUP)
    assert taken == "ResourceAlreadyExistsException"
    assert GROUP in groups(plane)
    assert GROUP in groups(user(plane, "root-of-logs", "AdministratorAccess"))


def test_a_policy_that_names_a_group_shares_it(plane, ann):
    policy = document(allow(["logs:Get*", "logs:Filter*"], f"{ARN}:*"))
    carl = user(plane, "carl", policy=policy).client("logs")
    assert len(carl.get_log_events(**STREAM)["events"]) == 1
    assert len(carl.filter_log_events(logGroupIdentifier=GROUP)["events"]) == 1
    assert code(carl.put_log_events, **CALLS["put_log_events"]) == "AccessDeniedException"


@pytest.mark.parametrize("named", [{"logGroupName": GROUP}, {"logGroupIdentifier": GROUP}])
def test_a_deny_holds_under_each_name_of_a_group(plane, ann, named: dict):
    """Of one's own as well: whichever member of the request names it."""
    deny = {**allow("logs:FilterLogEvents", f"{ARN}:*"), "Effect": "Deny"}
    iam = plane.client("iam")
    iam.put_user_policy(UserName="ann", PolicyName="deny", PolicyDocument=document(deny))
    try:
        found = code(ann.client("logs").filter_log_events, **named)
        assert found == "AccessDeniedException"
    finally:
        iam.delete_user_policy(UserName="ann", PolicyName="deny")
