"""What people are told of each other's things: what they may look at, and no more."""

import contextlib

import pytest
from listening import ear
from people_of import ACCOUNT, IMAGE, allow, document, equip, model, user

POLICIES = ("AmazonSageMakerFullAccess", "AmazonS3FullAccess")


@pytest.fixture(scope="module", name="people")
def people_fixture(plane):
    """Ann, Bob, and Eve, who may describe Ann's model and list her bucket."""
    shared = document(
        allow("studio:StreamEvents"),
        allow("sagemaker:DescribeModel", f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/ann-*"),
        allow("s3:ListBucket", "arn:aws:s3:::ann-data"),
    )
    return {
        "ann": user(plane, "ann", *POLICIES),
        "bob": user(plane, "bob", *POLICIES),
        "eve": user(plane, "eve", policy=shared),
    }


def listen(plane, person):
    return ear(plane.url, person.keys["aws_access_key_id"], person.keys["aws_secret_access_key"])


def test_each_is_told_of_what_they_may_look_at(plane, people):
    with contextlib.ExitStack() as opened:
        heard = {name: opened.enter_context(listen(plane, it)) for name, it in people.items()}
        equip(people["ann"], "ann")
        for name in ("bob", "eve"):  # behind all of that, something that they are told of
            plane.client("sagemaker").add_tags(
                ResourceArn=f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/ann-model",
                Tags=[{"Key": "for", "Value": name}],
            )
        bare = model("bob-model", "", PrimaryContainer={"Image": IMAGE})
        people["bob"].client("sagemaker").create_model(**bare)
        heard["bob"].wait(lambda it: it.data.get("Name") == "bob-model")
        heard["eve"].wait(lambda it: it.data.get("Change") == "changed")
        heard["ann"].wait(lambda it: it.data.get("Kind") == "endpoint")
        kinds = {it["Kind"] for it in heard["ann"].of("resource")}
        component = "experiment-trial-component"  # of the job
        assert kinds == {"training-job", component, "model", "endpoint-config", "endpoint"}
        assert {it["Name"] for it in heard["bob"].of("resource")} == {"bob-model"}
        assert {it["Name"] for it in heard["eve"].of("resource")} == {"ann-model"}
        assert heard["bob"].of("object") == []
        assert {it["Bucket"] for it in heard["eve"].of("object")} == {"ann-data"}


def test_what_was_missed_is_told_to_whom_it_may_concern(plane, people):
    with listen(plane, people["eve"]) as heard:
        last = heard.events[-1].id
    sagemaker = people["ann"].client("sagemaker")
    for name in ("ann-missed", "hidden"):
        sagemaker.create_model(**model(name, "ann-data"))
    keys = people["eve"].keys
    with ear(plane.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], last) as heard:
        assert [it["Name"] for it in heard.of("resource")] == ["ann-missed"]


def test_the_queue_of_others_is_told_as_a_number(plane, people):
    with listen(plane, people["bob"]) as heard:
        load = heard.of("capacity")[0]
    assert (load["Waiting"], load["WaitingRuns"]) == (1, [])


def test_who_may_not_listen_is_told_so(plane):
    carl = user(plane, "carl", "AmazonS3FullAccess")
    with listen(plane, carl) as heard:
        assert heard.answer.status == 403
        assert heard.over
