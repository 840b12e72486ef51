"""Load tests: what begins one, that there is one at a time, and what ends it."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from people_of import allow, document, equip, user
from plane import Plane
from waiting import eventually

from studio import durable
from studio.api import endpoints, load_tests, store

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/ann-endpoint"
LOAD = {"DurationInSeconds": 60, "Body": b"1", "EndpointName": "ann-endpoint"}


@pytest.fixture(scope="module")
def ann(plane: Plane) -> Any:
    """Ann's endpoint says that it serves; of the router there is the port, and nobody at it."""
    ann = user(plane, "ann", "AmazonSageMakerFullAccess", "AmazonS3FullAccess")
    equip(ann, "ann")
    served(plane, "InService")
    (plane.home / "router").mkdir(exist_ok=True)
    durable.write_json(plane.home / "router" / "port", 9)
    return ann


def served(plane: Plane, status: str) -> None:
    store.change(
        plane.context, endpoints.NOUN, "ann-endpoint", lambda it: replace(it, status=status)
    )


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value)


def test_one_runs_at_a_time_and_can_be_stopped(plane: Plane, ann: Any):
    studio = ann.client("studio")
    studio.start_load_test(LoadTestName="one", RequestsPerSecond=5, **LOAD)
    assert "(ResourceInUse)" in refused(
        studio.start_load_test, LoadTestName="two", Connections=1, **LOAD
    )
    eventually(lambda: studio.describe_load_test(LoadTestName="one")["Requested"])
    studio.stop_load_test(LoadTestName="one")
    told = studio.describe_load_test(LoadTestName="one")
    assert (told["LoadTestStatus"], told["Answered"]) == ("Stopped", 0)
    assert "Body" not in told
    studio.stop_load_test(LoadTestName="one")
    # It is over: the next may begin, and the last ten stay.
    for number in range(9):
        spec = {"EndpointName": "ann-endpoint", "DurationInSeconds": 1, "Connections": 1}
        store.create(plane.context, load_tests.NOUN, f"more-{number}", spec, status="Completed")
    studio.start_load_test(LoadTestName="last", Connections=1, **LOAD)
    studio.stop_load_test(LoadTestName="last")
    listed = plane.client("studio").list_load_tests(EndpointName="ann-endpoint")["LoadTests"]
    assert len(listed) == 10
    assert listed[0]["LoadTestName"] == "last"
    assert studio.list_load_tests(EndpointName="other")["LoadTests"] == []
    assert "(ResourceNotFound)" in refused(studio.describe_load_test, LoadTestName="one")


def test_one_that_nobody_hears_is_over(plane: Plane, ann: Any):
    studio, ctx = ann.client("studio"), plane.context
    studio.start_load_test(LoadTestName="unheard", Connections=1, **LOAD)
    test = store.require(ctx, load_tests.NOUN, "unheard")
    later = load_tests.plan(test, [], test.modified_at + 1_000)
    assert (later.resource, later.look_ms) == (test, 14_000)
    after = load_tests.plan(test, [], test.modified_at + 15_000).resource
    assert (after.status, after.due_at) == ("Failed", None)
    studio.stop_load_test(LoadTestName="unheard")


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({}, "Give RequestsPerSecond, or Connections"),
        ({"Connections": 65}, "less than or equal to 64"),
        ({"RequestsPerSecond": 2_001.0}, "less than or equal to 2000"),
        ({"Connections": 1, "DurationInSeconds": 61}, "less than or equal to 60"),
        ({"Connections": 1, "ContentType": "a\r\nX-Amzn-Evil: 1"}, "regular expression"),
        ({"Connections": 1, "TargetVariant": "B"}, 'has no variant "B"'),
        ({"Connections": 1, "EndpointName": "none"}, "Could not find endpoint"),
    ],
)
def test_bounds(ann: Any, request_: dict, text: str):
    request = {"LoadTestName": "bad", **LOAD, **request_}
    with pytest.raises((ClientError, ParamValidationError), match=text):
        ann.client("studio").start_load_test(**request)


def test_who_may_not_ask_may_not_ask_often(plane: Plane, ann: Any):
    may = document(allow("studio:*"), allow("sagemaker:DescribeEndpoint", ARN))
    bob = user(plane, "bob", policy=may).client("studio")
    request = {"LoadTestName": "bobs", "Connections": 1, **LOAD}
    assert "Could not find endpoint" in refused(bob.start_load_test, **request)
    named = document(allow("studio:*", "*"), allow("studio:StartLoadTest", ARN))
    plane.client("iam").put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=named)
    assert "sagemaker:InvokeEndpoint" in refused(bob.start_load_test, **request)
    served(plane, "Creating")
    assert "takes no requests" in refused(ann.client("studio").start_load_test, **request)
    served(plane, "InService")
