"""EventBridge's scheduler as boto3 asks it: paths, errors, pages, and what is refused."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/StudioExecutionRole"
TARGET = "arn:aws:scheduler:::aws-sdk:sagemaker:createTrainingJob"
JOB = {
    "TrainingJobName": "tick-<aws.scheduler.execution-id>",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": "python:latest", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://ticks/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@pytest.fixture(scope="module", name="scheduler")
def scheduler_fixture(plane: Any) -> Any:
    return plane.client("scheduler")


def _schedule(name: str, **more: Any) -> dict[str, Any]:
    target = {"Arn": TARGET, "RoleArn": ROLE, "Input": json.dumps(JOB)} | more.pop("Target", {})
    times = {"ScheduleExpression": "cron(0 8 * * ? *)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    return {"Name": name, **times, **more, "Target": target}


def _refused(call: Any, **request: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    response = raised.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return response["Error"]["Code"], response["Error"]["Message"], status


def test_the_life_of_a_schedule(scheduler: Any) -> None:
    arn = scheduler.create_schedule(**_schedule("a.b-c_1", Description="every day"))["ScheduleArn"]
    assert arn == "arn:aws:scheduler:us-east-1:000000000000:schedule/default/a.b-c_1"
    found = scheduler.get_schedule(Name="a.b-c_1", GroupName="default")
    assert (found["State"], found["Description"]) == ("ENABLED", "every day")
    assert found["Target"]["Input"] == json.dumps(JOB)
    taken = _refused(scheduler.create_schedule, **_schedule("a.b-c_1"))
    assert taken == ("ConflictException", "Schedule a.b-c_1 already exists.", 409)
    scheduler.update_schedule(**_schedule("a.b-c_1", State="DISABLED"))
    found = scheduler.get_schedule(Name="a.b-c_1")
    assert found["State"] == "DISABLED"
    assert "Description" not in found
    scheduler.delete_schedule(Name="a.b-c_1", GroupName="default", ClientToken="x")
    gone = _refused(scheduler.get_schedule, Name="a.b-c_1")
    assert gone == ("ResourceNotFoundException", "Schedule a.b-c_1 does not exist.", 404)


def test_lists(scheduler: Any) -> None:
    for number in range(3):
        state = "DISABLED" if number == 1 else "ENABLED"
        scheduler.create_schedule(**_schedule(f"list-{number}", State=state))
    pages = scheduler.get_paginator("list_schedules").paginate(
        NamePrefix="list-", PaginationConfig={"PageSize": 2}
    )
    names = [[each["Name"] for each in page["Schedules"]] for page in pages]
    assert names == [["list-0", "list-1"], ["list-2"]]
    paused = scheduler.list_schedules(State="DISABLED", GroupName="default")["Schedules"]
    assert [(it["Name"], it["Target"]) for it in paused] == [("list-1", {"Arn": TARGET})]
    assert [it["Name"] for it in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"ScheduleExpression": "cron(0 8 * * * *)"}, "exactly one must be ?"),
        ({"ScheduleExpressionTimezone": "Mars"}, "time zone"),
        ({"ScheduleExpression": "at(2020-01-01T00:00:00)"}, "never due"),
        ({"GroupName": "others"}, "group"),
        ({"Target": {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}}, "not executed"),
        ({"Target": {"Arn": TARGET.replace("sagemaker:c", "iam:c")}}, "not executed"),
        ({"Target": {"Arn": TARGET.replace("TrainingJob", "Pizza")}}, "not executed"),
        ({"Target": {"Input": "{"}}, "not valid JSON"),
        ({"Target": {"Input": '{"TrainingJobName": "n"}'}}, "must not be null"),
        ({"Target": {"RoleArn": ROLE.replace("Studio", "No")}}, "Could not assume role"),
        ({"Target": {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:q"}}}, "SQS"),
    ],
)
def test_refusals_say_why(scheduler: Any, more: dict[str, Any], says: str) -> None:
    code, message, _ = _refused(scheduler.create_schedule, **_schedule("refused", **more))
    assert says in message, (code, message)


def test_paths_that_lead_nowhere(scheduler: Any) -> None:
    assert _refused(scheduler.tag_resource, ResourceArn="arn", Tags=[])[2] == 400
    code, _, status = _refused(scheduler.list_schedules, MaxResults=1000)
    assert (code, status) == ("ValidationException", 400)


def test_what_the_page_shows(plane: Any, scheduler: Any) -> None:
    scheduler.create_schedule(**_schedule("shown", ScheduleExpressionTimezone="Asia/Tokyo"))
    studio = plane.client("studio")
    [shown] = studio.describe_schedules(Names=["shown", "nothing"])["Schedules"]
    assert [time.hour for time in shown["NextTimes"]] == [23] * 5  # in UTC
    assert shown["Runs"] == []
    scheduler.update_schedule(**_schedule("shown", State="DISABLED"))
    assert studio.describe_schedules(Names=["shown"])["Schedules"][0]["NextTimes"] == []
    asked = [studio.run_schedule(Name="shown")["ExecutionId"] for _ in range(2)]
    assert len(set(asked)) == 2
    times = studio.preview_schedule(ScheduleExpression="rate(1 hour)")["Times"]
    assert (times[4] - times[0]).total_seconds() == 4 * 3600
    assert "minutes" in _refused(studio.preview_schedule, ScheduleExpression="rate(1 s)")[1]
