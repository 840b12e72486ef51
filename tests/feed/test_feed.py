"""The feed on a control plane's port: what is told, to a listener that stays or comes back."""

import contextlib
import json
import socket
import time
from functools import partial

import plane as planes
import pytest
from botocore.exceptions import ClientError
from listening import PATH, ear, signed
from plane import KEY, SECRET
from waiting import eventually

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def job(name: str) -> dict:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def model(name: str) -> dict:
    return {
        "ModelName": name,
        "PrimaryContainer": {"Image": IMAGE},
        "ExecutionRoleArn": ROLE,
    }


def listen(plane, last_id: str = ""):
    return ear(plane.url, KEY, SECRET, last_id)


def about(name: str, change: str):
    return lambda event: (event.data.get("Name"), event.data.get("Change")) == (name, change)


def test_the_life_of_a_resource(plane):
    sagemaker = plane.client("sagemaker")
    with listen(plane) as heard:
        arn = sagemaker.create_model(**model("life"))["ModelArn"]
        made = heard.wait(about("life", "created"))
        assert made.data["Kind"] == "model"
        assert made.data["Arn"] == arn
        assert abs(made.data["At"] - time.time()) < 600
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
        heard.wait(about("life", "changed"))
        sagemaker.delete_model(ModelName="life")
        heard.wait(about("life", "deleted"))
        assert len(heard.of("resource")) == 3


def test_where_something_came_from_is_told_once_it_is_known(plane):
    with listen(plane) as heard:
        arn = plane.client("sagemaker").create_model(**model("origin"))["ModelArn"]
        heard.wait(about("origin", "created"))
        plane.client("studio").put_provenance(Arn=arn, Provenance={"Kind": "interactive"})
        assert heard.wait(about("origin", "changed")).data["Arn"] == arn


def test_a_job_tells_its_status_and_who_waits(plane):
    with listen(plane) as heard:
        assert heard.of("capacity")[0]["Cpus"]["Total"] >= 1
        plane.client("sagemaker").create_training_job(**job("waits"))
        made = heard.wait(about("waits", "created")).data
        assert (made["Status"], made["SecondaryStatus"]) == ("InProgress", "Starting")
        load = heard.wait(lambda it: it.type == "capacity" and it.data["Waiting"]).data
        assert [each["Name"] for each in load["WaitingRuns"]] == ["waits"]
        plane.client("sagemaker").stop_training_job(TrainingJobName="waits")
        assert heard.wait(about("waits", "changed")).data["Status"] == "Stopping"


def test_what_is_refused_is_not_told(plane):
    sagemaker = plane.client("sagemaker")
    sagemaker.create_model(**model("taken"))
    with listen(plane) as heard:
        with pytest.raises(ClientError, match="already existing"):
            sagemaker.create_model(**model("taken"))
        with pytest.raises(ClientError, match="Could not find"):
            sagemaker.delete_model(ModelName="none")
        sagemaker.create_model(**model("behind"))
        heard.wait(about("behind", "created"))
        assert [each["Name"] for each in heard.of("resource")] == ["behind"]


def test_who_may_see_the_table_of_images_is_told_of_its_edits(plane):
    studio, iam = plane.client("studio"), plane.client("iam")
    iam.create_user(UserName="listener")
    may = {"Effect": "Allow", "Action": "studio:StreamEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": may})
    iam.put_user_policy(UserName="listener", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="listener")["AccessKey"]
    with (
        listen(plane) as heard,
        ear(plane.url, key["AccessKeyId"], key["SecretAccessKey"]) as other,
    ):
        studio.update_image_rows(Rows=[{"Pattern": "mine", "Target": "script:python"}])
        heard.wait(lambda it: it.type == "images")
        told = len(heard.events)
        (plane.home / "images.json").unlink()
        heard.wait(lambda it: it.type == "images", after=told)
        iam.attach_user_policy(
            UserName="listener", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerReadOnly"
        )
        studio.update_image_rows(Rows=[{"Pattern": "mine", "Target": "script:python"}])
        other.wait(lambda it: it.type == "images")
        assert len(other.of("images")) == 1
    studio.update_image_rows(Rows=[])


def test_who_comes_back_misses_nothing_and_hears_nothing_twice(plane):
    sagemaker = plane.client("sagemaker")
    with listen(plane) as heard:
        sagemaker.create_model(**model("before"))
        last = heard.wait(about("before", "created")).id
    for number in range(5):
        sagemaker.create_model(**model(f"missed-{number}"))
    with listen(plane, last) as heard:
        assert [each["Name"] for each in heard.of("resource")] == [f"missed-{n}" for n in range(5)]
        assert heard.of("reset") == []
        sagemaker.create_model(**model("after"))
        heard.wait(about("after", "created"))
        assert len(heard.of("resource")) == 6


@pytest.mark.parametrize("last_id", ["0123456789ab-7", "nonsense"])
def test_an_unknown_past_is_a_reset(plane, last_id):
    with listen(plane, last_id) as heard:
        assert heard.events[0].type == "reset"
        first = heard.events[0].id
    with listen(plane, first) as heard:
        assert heard.of("reset") == []


def test_objects_are_told_by_their_folders_and_together(plane):
    s3 = plane.client("s3")
    with listen(plane) as heard:
        s3.create_bucket(Bucket="heard")
        heard.wait(lambda it: it.data == {"Bucket": "heard", "Prefix": ""})
        for number in range(60):
            s3.put_object(Bucket="heard", Key=f"a/b/{number}", Body=b"")
        heard.wait(lambda it: it.data == {"Bucket": "heard", "Prefix": "a/b/"})
        s3.copy_object(
            Bucket="heard", Key="copy/of", CopySource={"Bucket": "heard", "Key": "a/b/1"}
        )
        heard.wait(lambda it: it.data == {"Bucket": "heard", "Prefix": "copy/"})
        told = len(heard.events)
        s3.delete_object(Bucket="heard", Key="a/b/7")
        heard.wait(lambda it: it.data.get("Prefix") == "a/b/", after=told)
        assert len(heard.of("object")) < 63


def test_very_many_folders_are_told_as_their_bucket(plane):
    s3 = plane.client("s3")
    s3.create_bucket(Bucket="many-folders")
    names = [f"{number}/x" for number in range(120)]
    for name in names:
        s3.put_object(Bucket="many-folders", Key=name, Body=b"")
    with listen(plane) as heard:
        targets = {"Objects": [{"Key": name} for name in names]}  # one write, 120 notes
        s3.delete_objects(Bucket="many-folders", Delete=targets)
        heard.wait(lambda it: it.data == {"Bucket": "many-folders", "Prefix": ""})
        assert len(heard.of("object")) < 10


def test_one_may_not_listen_without_a_signature(plane):
    with ear(plane.url, KEY, "not the secret") as refused:
        assert refused.answer.status == 403
    head = f"{PATH} HTTP/1.1\r\nHost: 127.0.0.1:{plane.port}\r\nConnection: close\r\n"
    assert plane.send(f"GET {head}\r\n".encode()).startswith(b"HTTP/1.1 403")
    others = signed(plane.url, KEY, SECRET)  # of a GET
    lines = "".join(f"{name}: {value}\r\n" for name, value in others.items())
    assert plane.send(f"DELETE {head}{lines}\r\n".encode()).startswith(b"HTTP/1.1 403")


@pytest.fixture(scope="module", name="hasty")
def hasty_fixture(tmp_path_factory):
    """A control plane whose listeners hear five beats a second."""
    with planes.running(tmp_path_factory.mktemp("hasty"), beat_seconds=0.2) as running:
        yield running


def test_silence_is_told_from_absence(hasty):
    with listen(hasty) as heard:
        heard.wait_beats(3)


def test_a_key_that_is_switched_off_hears_no_more(hasty):
    iam = hasty.client("iam")
    iam.create_user(UserName="ann")
    iam.attach_user_policy(
        UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerReadOnly"
    )
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    with ear(hasty.url, key["AccessKeyId"], key["SecretAccessKey"]) as heard:
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
        heard.wait_over()


def test_who_does_not_read_is_cut_off_and_resumes(hasty):
    sagemaker = hasty.client("sagemaker")
    with listen(hasty) as heard:
        last = heard.events[-1].id
    slow = socket.create_connection(("127.0.0.1", hasty.port))
    head = [f"GET {PATH} HTTP/1.1", f"Host: 127.0.0.1:{hasty.port}"]
    head += [f"{name}: {value}" for name, value in signed(hasty.url, KEY, SECRET).items()]
    with contextlib.closing(slow):
        slow.sendall("\r\n".join([*head, "", ""]).encode())
        [principal] = eventually(lambda: len(it := hasty.streams.principals) == 1 and list(it))
        filler = {principal: [(2**62, b":" + b"x" * 2**17 + b"\n\n")]}

        def cut() -> bool:
            hasty.streams.send(filler)
            return not hasty.streams.principals

        eventually(cut)
    sagemaker.create_model(**model("meanwhile"))
    with listen(hasty, last) as heard:
        heard.wait(about("meanwhile", "created"))


def test_hundreds_of_listeners_all_hear_and_leave(hasty):
    with contextlib.ExitStack() as opened:
        ears = [opened.enter_context(listen(hasty)) for _ in range(100)]
        hasty.client("sagemaker").create_model(**model("loud"))
        for each in ears:
            each.wait(about("loud", "created"))
    eventually(partial(_empty, hasty))


def _empty(plane) -> bool:
    return not plane.streams.principals
