"""CloudWatch Logs for both generations of the SDK: their own readers, replayed."""

import itertools

import pytest
from botocore.exceptions import ClientError
from logged_jobs import Job

from studio.runners import logs

JOBS = "/aws/sagemaker/TrainingJobs"
_numbers = itertools.count(1)


def version_2(client, group: str, stream: str, position: tuple[int, int], **limit):
    """What sagemaker 1 and 2 do at each poll: from a time on, without a token, skipping what was
    seen at that time. (events, next position)"""
    timestamp, skip = position
    token, seen = None, []
    while True:
        request = {"startTime": timestamp, "startFromHead": True, **limit}
        if token:
            request["nextToken"] = token
        answer = client.get_log_events(logGroupName=group, logStreamName=stream, **request)
        token = answer["nextForwardToken"]
        events = answer["events"]
        if not events:
            break
        if len(events) > skip:
            events, skip = events[skip:], 0
        else:
            skip -= len(events)
            events = []
        seen += events
    for event in seen:
        same = event["timestamp"] == position[0]
        position = (event["timestamp"], position[1] + 1 if same else 1)
    return [event["message"] for event in seen], position


def version_3(client, group: str, stream: str, token: str | None, **limit):
    """What sagemaker 3 does: it keeps the token, and stops at an empty page."""
    seen = []
    while True:
        request = {"nextToken": token} if token else {}
        answer = client.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True, **request, **limit
        )
        token = answer["nextForwardToken"]
        if not answer["events"]:
            return seen, token
        seen += [event["message"] for event in answer["events"]]


@pytest.fixture
def client(plane):
    return plane.client("logs")


@pytest.mark.parametrize("limit", [{}, {"limit": 1}, {"limit": 2}, {"limit": 3}])
@pytest.mark.parametrize("reader", [version_2, version_3])
def test_both_readers_see_every_line_once(plane, client, reader, limit):
    job = Job(plane.home, f"reader-{next(_numbers)}")
    position = (0, 0) if reader is version_2 else None
    written: list[str] = []
    seen: list[str] = []
    lines = (f"line {number}" for number in itertools.count())
    for together in (2, 0, 3, 1, 1, 4, 0, 5):
        said = list(itertools.islice(lines, together))
        if said:
            job.say(*said)
        written += said
        for _ in range(2):
            events, position = reader(client, JOBS, job.stream, position, **limit)
            seen += events
            assert seen == written


def test_streams_of_a_job(plane, client):
    first, second = Job(plane.home, "streams"), Job(plane.home, "streams-2")
    first.say("one", "two")
    answer = client.describe_log_streams(
        logGroupName=JOBS, logStreamNamePrefix="streams/", orderBy="LogStreamName", limit=1
    )
    (stream,) = answer["logStreams"]
    assert "nextToken" not in answer
    assert stream["logStreamName"] == first.stream
    assert stream["creationTime"] == first.created_at
    assert stream["firstEventTimestamp"] == stream["lastEventTimestamp"] == first.clock
    assert stream["storedBytes"] == 8
    assert stream["arn"].endswith(f":log-group:{JOBS}:log-stream:{first.stream}")
    empty = client.describe_log_streams(logGroupName=JOBS, logStreamNamePrefix="streams-2/")
    assert [it["logStreamName"] for it in empty["logStreams"]] == [second.stream]
    assert "lastEventTimestamp" not in empty["logStreams"][0]
    none = client.describe_log_streams(logGroupName=JOBS, logStreamNamePrefix="no_such/")
    assert none["logStreams"] == []


def test_streams_in_pages_and_orders(plane, client):
    jobs = [Job(plane.home, f"pages-{number}") for number in range(5)]
    for job in reversed(jobs):
        job.clock = 1_800_000_000_000 - int(job.name[-1]) * 1_000
        job.say("x")
    pages = client.get_paginator("describe_log_streams")

    def names(**request) -> list[str]:
        prefix = {} if "orderBy" in request else {"logStreamNamePrefix": "pages-"}
        found = pages.paginate(logGroupName=JOBS, limit=2, **prefix, **request)
        names = [it["logStreamName"] for page in found for it in page["logStreams"]]
        return [name for name in names if name.startswith("pages-")]

    by_name = [job.stream for job in jobs]
    assert names() == by_name
    assert names(descending=True) == by_name[::-1]
    assert names(orderBy="LastEventTime") == by_name[::-1]
    assert names(orderBy="LastEventTime", descending=True) == by_name


def test_events_between_two_times_and_backwards(plane, client):
    job = Job(plane.home, "between")
    for number in range(6):
        job.say(f"a{number}", f"b{number}")

    def events(**request):
        answer = client.get_log_events(logGroupName=JOBS, logStreamName=job.stream, **request)
        return [event["message"] for event in answer["events"]], answer

    first = job.created_at + 100
    found, _ = events(startFromHead=True, startTime=first + 200, endTime=first + 400)
    assert found == ["a2", "b2", "a3", "b3"]
    tail, answer = events(limit=3)
    assert tail == ["b4", "a5", "b5"]
    earlier, answer = events(limit=3, nextToken=answer["nextBackwardToken"])
    assert earlier == ["b2", "a3", "b3", "a4"][-3:]
    later, _ = events(limit=3, nextToken=answer["nextForwardToken"], startFromHead=True)
    assert later == ["b4", "a5", "b5"]
    by_identifier = client.get_log_events(
        logGroupIdentifier=f"arn:aws:logs:us-east-1:000000000000:log-group:{JOBS}",
        logStreamName=job.stream,
    )
    assert len(by_identifier["events"]) == 12


def test_searching(plane, client):
    one, two = Job(plane.home, "search-1"), Job(plane.home, "search-2")
    one.say("epoch 1 loss=0.5", "warning: slow", "epoch 2 loss=0.25")
    two.say("epoch 1 loss=0.75", 'he said "two words"')
    pages = client.get_paginator("filter_log_events")

    def search(pattern: str, **request) -> list[str]:
        found = pages.paginate(
            logGroupName=JOBS, logStreamNamePrefix="search-", filterPattern=pattern, **request
        )
        events = [event for page in found for event in page["events"]]
        assert len({event["eventId"] for event in events}) == len(events)
        return [event["message"] for event in events]

    assert len(search("")) == 5
    assert len(search("", PaginationConfig={"PageSize": 1})) == 5
    assert search("epoch 2") == ["epoch 2 loss=0.25"]
    assert search("epoch -2") == ["epoch 1 loss=0.5", "epoch 1 loss=0.75"]
    assert search("?slow ?0.75") == ["warning: slow", "epoch 1 loss=0.75"]
    assert search('"two words"') == ['he said "two words"']
    assert search("nothing like it") == []
    named = client.filter_log_events(logGroupName=JOBS, logStreamNames=[two.stream])
    assert [it["message"] for it in named["events"]] == search("")[3:]
    assert search("", startTime=two.clock) == ["epoch 1 loss=0.75", 'he said "two words"']
    assert search("", endTime=two.clock - 1) == search("")[:3]
    assert search("", endTime=two.clock) == search("")


def test_a_search_of_much_answers_in_parts(plane, client, monkeypatch):
    monkeypatch.setattr("studio.api.log_runs._SCAN_BYTES", 1_000)
    monkeypatch.setattr(logs, "_READ", 100)
    monkeypatch.setattr(logs, "LINE_BYTES", 50)
    job = Job(plane.home, "much")
    job.say(*(f"line {number}" for number in range(1_000)))
    answer = client.filter_log_events(
        logGroupName=JOBS, logStreamNamePrefix="much/", filterPattern='"line 999"'
    )
    assert answer["events"] == []
    assert answer["nextToken"]
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=JOBS, logStreamNamePrefix="much/", filterPattern='"line 999"'
    )
    assert [event["message"] for page in pages for event in page["events"]] == ["line 999"]


def test_logs_of_an_endpoint(plane, client):
    group = "/aws/sagemaker/Endpoints/bank"
    server = Job(plane.home, "bank", "endpoint", "serve/1/AllTraffic/0")
    server.say("listening")
    (stream,) = client.describe_log_streams(logGroupName=group)["logStreams"]
    assert stream["logStreamName"] == f"AllTraffic/{server.run}"
    found = client.filter_log_events(logGroupName=group, logStreamNamePrefix="AllTraffic/")
    assert [event["message"] for event in found["events"]] == ["listening"]
    client.create_log_group(logGroupName="/aws/sagemaker-mine")
    listed = client.describe_log_groups(logGroupNamePrefix="/aws/sagemaker", limit=2)
    names = [it["logGroupName"] for it in listed["logGroups"]]
    assert names == ["/aws/sagemaker-mine", group]


def test_a_run_that_has_not_started_has_an_empty_stream(plane, client):
    job = Job(plane.home, "waiting")
    (job.folder / "log").unlink()
    job.folder.rmdir()
    answer = client.get_log_events(logGroupName=JOBS, logStreamName=job.stream)
    assert answer["events"] == []
    assert version_3(client, JOBS, job.stream, None)[0] == []
    assert (
        client.filter_log_events(logGroupName=JOBS, logStreamNamePrefix="waiting/")["events"] == []
    )


@pytest.mark.parametrize(
    ("call", "request_", "code"),
    [
        ("describe_log_streams", {"logGroupName": "/aws/other"}, "ResourceNotFoundException"),
        (
            "describe_log_streams",
            {"logGroupName": "/aws/sagemaker/Endpoints/none"},
            "ResourceNotFoundException",
        ),
        (
            "get_log_events",
            {"logGroupName": JOBS, "logStreamName": "no/stream"},
            "ResourceNotFoundException",
        ),
        ("get_log_events", {"logStreamName": "no/stream"}, "InvalidParameterException"),
        ("filter_log_events", {"logGroupName": "/aws/other"}, "ResourceNotFoundException"),
        (
            "filter_log_events",
            {"logGroupName": JOBS, "filterPattern": "[one, two]"},
            "InvalidParameterException",
        ),
        (
            "filter_log_events",
            {"logGroupName": JOBS, "filterPattern": '"open'},
            "InvalidParameterException",
        ),
        (
            "filter_log_events",
            {"logGroupName": JOBS, "nextToken": "../x"},
            "InvalidParameterException",
        ),
        (
            "describe_log_streams",
            {"logGroupName": JOBS, "nextToken": "x"},
            "InvalidParameterException",
        ),
    ],
)
def test_errors(client, call: str, request_: dict, code: str):
    with pytest.raises(ClientError) as caught:
        getattr(client, call)(**request_)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("token", ["x", "f/", "f/-1", "b/1e9", "f/1/2", "f/" + "9" * 19])
def test_tokens_that_nobody_gave(plane, client, token: str):
    job = Job(plane.home, f"token-{next(_numbers)}")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        client.get_log_events(logGroupName=JOBS, logStreamName=job.stream, nextToken=token)
