"""Log groups of one's own, as `aws logs` and boto3 use them."""

import itertools
import time

import plane as planes
import pytest
from botocore.exceptions import ClientError

from studio.db.session import Database
from studio.logs import store

_numbers = itertools.count(1)
DAY = 86_400_000


@pytest.fixture(name="plane", scope="module", params=["sqlite", "postgresql"])
def plane_fixture(request, tmp_path_factory):
    changes = {}
    if request.param == "postgresql":
        changes["database_url"] = request.getfixturevalue("postgres").emptied()
    with planes.running(tmp_path_factory.mktemp("home"), **changes) as running:
        yield running


@pytest.fixture(name="logs")
def logs_fixture(plane):
    return plane.client("logs")


@pytest.fixture(name="stream")
def stream_fixture(logs) -> dict[str, str]:
    """Names of a new group and of a stream in it."""
    place = {"logGroupName": f"group-{next(_numbers)}", "logStreamName": "one"}
    logs.create_log_group(logGroupName=place["logGroupName"])
    logs.create_log_stream(**place)
    return place


def now() -> int:
    return time.time_ns() // 1_000_000


def put(logs, stream, *messages: str, at: int | None = None, step: int = 1) -> dict:
    first = now() - 60_000 if at is None else at
    events = [{"timestamp": first + n * step, "message": it} for n, it in enumerate(messages)]
    return logs.put_log_events(**stream, logEvents=events)


def messages(answer: dict) -> list[str]:
    return [event["message"] for event in answer["events"]]


def refused(call, **request) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"]


def test_a_group_from_its_making_to_its_end(logs):
    name = f"group-{next(_numbers)}"
    logs.create_log_group(logGroupName=name, tags={"team": "a"})
    assert refused(logs.create_log_group, logGroupName=name) == "ResourceAlreadyExistsException"
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{name}"
    assert (group["logGroupName"], group["arn"], group["logGroupArn"]) == (name, f"{arn}:*", arn)
    assert (group["storedBytes"], group["logGroupClass"]) == (0, "STANDARD")
    assert "retentionInDays" not in group
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    assert refused(logs.put_retention_policy, logGroupName=name, retentionInDays=8) == (
        "InvalidParameterException"
    )
    logs.tag_log_group(logGroupName=name, tags={"team": "b", "more": ""})
    logs.tag_resource(resourceArn=arn, tags={"x": "y"})
    logs.untag_log_group(logGroupName=name, tags=["more"])
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"team": "b", "x": "y"}
    logs.untag_resource(resourceArn=arn, tagKeys=["x"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "b"}
    (group,) = logs.describe_log_groups(logGroupNamePattern=name[1:])["logGroups"]
    assert group["retentionInDays"] == 7
    logs.delete_retention_policy(logGroupName=name)
    assert (
        "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    )
    stream = {"logGroupName": name, "logStreamName": "s"}
    logs.create_log_stream(**stream)
    assert refused(logs.create_log_stream, **stream) == "ResourceAlreadyExistsException"
    put(logs, stream, "before")
    logs.delete_log_group(logGroupName=name)
    assert refused(logs.delete_log_group, logGroupName=name) == "ResourceNotFoundException"
    assert refused(logs.get_log_events, **stream) == "ResourceNotFoundException"
    logs.create_log_group(logGroupName=name)
    assert logs.describe_log_streams(logGroupName=name)["logStreams"] == []
    logs.create_log_stream(**stream)
    assert messages(logs.get_log_events(**stream)) == []
    logs.delete_log_stream(**stream)
    assert refused(logs.get_log_events, **stream) == "ResourceNotFoundException"


def test_groups_in_pages(logs):
    mark = f"pages{next(_numbers)}"
    names = sorted(f"{mark}/{letter}" for letter in "aBc-_.9")
    for name in reversed(names):
        logs.create_log_group(logGroupName=name)
    pages = logs.get_paginator("describe_log_groups")
    for request in ({"logGroupNamePrefix": mark}, {"logGroupNamePattern": f"{mark[1:]}/"}):
        found = pages.paginate(**request, limit=2)
        assert [it["logGroupName"] for page in found for it in page["logGroups"]] == names


def test_acknowledged_events_are_on_the_disk(plane, logs, stream):
    """Another process would find them, whatever became of this one."""
    put(logs, stream, "kept")
    other = Database(plane.context.settings.database)
    try:
        with other.read() as connection:
            group = store.find_group(connection, "0" * 12, "us-east-1", stream["logGroupName"])
            assert store.find_stream(connection, group.id, "one").events == 1
    finally:
        other.close()


def test_reading_both_ways_and_following(logs, stream):
    put(logs, stream, *(str(number) for number in range(10)), at=now() - 5_000)
    tail = logs.get_log_events(**stream, limit=3)
    assert messages(tail) == ["7", "8", "9"]
    before = logs.get_log_events(**stream, limit=3, nextToken=tail["nextBackwardToken"])
    assert messages(before) == ["4", "5", "6"]
    again = logs.get_log_events(**stream, limit=3, nextToken=before["nextForwardToken"])
    assert messages(again) == ["7", "8", "9"]
    end = logs.get_log_events(**stream, nextToken=tail["nextForwardToken"])
    assert messages(end) == []
    assert end["nextForwardToken"] == tail["nextForwardToken"]
    last = logs.get_log_events(**stream, nextToken=end["nextBackwardToken"], limit=1)
    assert messages(last) == ["9"]
    put(logs, stream, "a", "b")
    put(logs, stream, "10", "11", at=now())
    more = logs.get_log_events(**stream, nextToken=end["nextForwardToken"])
    assert messages(more) == ["10", "11"]
    head = logs.get_log_events(**stream, startFromHead=True, limit=3)
    assert messages(head) == ["a", "b", "0"]
    event = head["events"][0]
    assert event["ingestionTime"] > event["timestamp"]
    window = {"startTime": event["timestamp"] + 1, "endTime": head["events"][2]["timestamp"]}
    assert messages(logs.get_log_events(**stream, **window)) == ["b"]
    # Of a search, the end is part of the time.
    assert messages(logs.filter_log_events(logGroupName=stream["logGroupName"], **window)) == [
        "b",
        "0",
    ]


def test_following_a_stream_that_is_empty_at_first(logs, stream):
    first = logs.get_log_events(**stream)
    put(logs, stream, "x")
    assert messages(logs.get_log_events(**stream, nextToken=first["nextForwardToken"])) == ["x"]


def test_searching_all_streams_in_order(logs, stream):
    group, at = stream["logGroupName"], now() - 1_000
    two = {**stream, "logStreamName": "two"}
    logs.create_log_stream(**two)
    put(logs, stream, "a 1", "a 2", "a 3", at=at, step=2)
    put(logs, two, '{"n": 1}', '{"n": 2, "s": "a"}', at=at + 1, step=2)
    pages = logs.get_paginator("filter_log_events")

    def search(pattern: str = "", **request) -> list[str]:
        found = pages.paginate(logGroupName=group, filterPattern=pattern, **request)
        events = [event for page in found for event in page["events"]]
        assert len({event["eventId"] for event in events}) == len(events)
        return [event["message"] for event in events]

    everything = ["a 1", '{"n": 1}', "a 2", '{"n": 2, "s": "a"}', "a 3"]
    assert search() == search(PaginationConfig={"PageSize": 1}) == everything
    assert search("a") == ["a 1", "a 2", '{"n": 2, "s": "a"}', "a 3"]
    assert search("a -2") == ["a 1", "a 3"]
    assert search("?1 ?3") == ["a 1", '{"n": 1}', "a 3"]
    assert search('"a 2"') == ["a 2"]
    assert search("{ $.n > 1 && $.s = a }") == ['{"n": 2, "s": "a"}']
    assert search(logStreamNames=["two"]) == search(logStreamNamePrefix="t") == everything[1:4:2]
    assert refused(logs.filter_log_events, logGroupName=group, filterPattern="{ $.a") == (
        "InvalidParameterException"
    )


def test_what_a_batch_may_be(logs, stream):
    at = now()

    def events(*pairs: tuple[int, str]) -> dict:
        made = [{"timestamp": when, "message": text} for when, text in pairs]
        return {**stream, "logEvents": made}

    for wrong in (
        events((at, "x"), (at - 1, "y")),
        events((at - DAY - 1, "x"), (at, "y")),
        events((at, "x" * 2**20)),
        events(*([(at, "x")] * 10_001)),
    ):
        assert refused(logs.put_log_events, **wrong) == "InvalidParameterException"
    hour = DAY // 24
    answer = logs.put_log_events(
        **events((at - 15 * DAY, "old"), (at, "now"), (at + hour, "soon"), (at + 3 * hour, "late"))
    )
    rejected = {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3}
    assert answer["rejectedLogEventsInfo"] == rejected
    assert messages(logs.get_log_events(**stream)) == ["now", "soon"]
    largest = "ä" * ((2**20 - 26) // 2)
    logs.put_log_events(**events((at + 1, largest)))
    page = logs.get_log_events(**stream, startTime=at + 1, startFromHead=True)
    assert messages(page) == [largest], "an answer holds no more"
    logs.put_log_events(**events(*([(at, "x")] * 10_000)))
    (group,) = logs.describe_log_groups(logGroupNamePrefix=stream["logGroupName"])["logGroups"]
    assert group["storedBytes"] == 10_000 * 27 + 2**20 + 29 + 30


def test_text_of_any_kind_comes_back(plane, logs, stream):
    odd = ["\x00\x1b[31m", "line\nline", "\U0001f600", '{"a": "\\u0000"}', " "]
    put(logs, stream, *odd)
    assert messages(logs.get_log_events(**stream)) == odd


def test_expired_events_leave(plane, logs, stream):
    group = stream["logGroupName"]
    put(logs, stream, "old", at=now() - 2 * DAY)
    put(logs, stream, "new")
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert messages(logs.get_log_events(**stream)) == ["new"]
    assert messages(logs.filter_log_events(logGroupName=group)) == ["new"]
    answer = put(logs, stream, "too late", at=now() - 2 * DAY)
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}


def test_groups_of_runs_are_not_written(logs):
    managed = "/aws/sagemaker/TrainingJobs"
    for call, more in (
        (logs.create_log_group, {}),
        (logs.delete_log_group, {}),
        (logs.create_log_stream, {"logStreamName": "x"}),
        (logs.delete_log_stream, {"logStreamName": "x"}),
        (
            logs.put_log_events,
            {"logStreamName": "x", "logEvents": [{"timestamp": now(), "message": "x"}]},
        ),
        (logs.put_retention_policy, {"retentionInDays": 1}),
        (logs.tag_log_group, {"tags": {"a": "b"}}),
    ):
        assert refused(call, logGroupName=managed, **more) == "InvalidParameterException"
    assert logs.list_tags_log_group(logGroupName=managed)["tags"] == {}


def test_a_repeated_call_is_done_once(plane, logs, stream):
    """As an SDK repeats it whose answer was lost: with the same invocation id."""

    def same(context, **_event) -> None:
        context.setdefault("retries", {})["invocation-id"] = "the-same"

    client = plane.client("logs")
    client.meta.events.register("before-call.logs.*", same)
    name = {"logGroupName": f"again-{next(_numbers)}"}
    for _ in range(2):
        client.create_log_group(**name)
    event = [{"timestamp": now(), "message": "once"}]
    for _ in range(2):
        client.put_log_events(**stream, logEvents=event)
    assert messages(logs.get_log_events(**stream)) == ["once"]
    for _ in range(2):
        client.delete_log_group(**name)


@pytest.mark.parametrize("token", ["x", "f/1", "f/-1/1", "b/1/1/1", "f/" + "9" * 19 + "/1"])
def test_tokens_that_nobody_gave(logs, stream, token: str):
    assert refused(logs.get_log_events, **stream, nextToken=token) == "InvalidParameterException"
    group = stream["logGroupName"]
    for call in (logs.filter_log_events, logs.describe_log_streams):
        assert refused(call, logGroupName=group, nextToken=token) == "InvalidParameterException"


def test_names_that_exclude_each_other(logs, stream):
    group = stream["logGroupName"]
    for call, request in (
        (logs.describe_log_streams, {"logGroupName": group, "logGroupIdentifier": group}),
        (
            logs.describe_log_streams,
            {"logGroupName": group, "orderBy": "LastEventTime", "logStreamNamePrefix": "a"},
        ),
        (
            logs.filter_log_events,
            {"logGroupName": group, "logStreamNames": ["a"], "logStreamNamePrefix": "a"},
        ),
        (logs.describe_log_groups, {"logGroupNamePrefix": "a", "logGroupNamePattern": "a"}),
    ):
        assert refused(call, **request) == "InvalidParameterException"
