"""The log view's operations, as its page calls them, and as boto3 does."""

import pytest
from botocore.exceptions import ClientError
from logged_jobs import Job

TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nKeyError: 1'


@pytest.fixture(scope="module", name="panel")
def panel_fixture(plane):
    return plane.client("studio")


def of(name: str, kind: str = "training-job") -> dict[str, str]:
    return {"Kind": kind, "Name": name}


def test_a_log_from_nothing_to_its_end(plane, panel):
    job = Job(plane.home, "grows")
    told = panel.describe_log(**of("grows"))
    assert (told["Stream"], told["Lines"], told["Bytes"]) == (job.stream, 0, 0)
    assert not told["Ended"]
    job.say("one", "two")
    assert panel.describe_log(**of("grows"))["Lines"] == 2
    job.say("three")
    page = panel.get_log_lines(**of("grows"), Start=1)
    assert [line["Text"] for line in page["LogLines"]] == ["two", "three"]
    assert (page["Start"], page["Lines"]) == (1, 3)
    times = [line["Time"].timestamp() * 1000 for line in page["LogLines"]]
    assert times == pytest.approx([job.clock - 100, job.clock])
    job.end("succeeded")
    assert panel.describe_log(**of("grows"))["Ended"]


def test_errors_only_when_asked_for(plane, panel):
    job = Job(plane.home, "fails")
    job.say("fine", "KeyError: 0", *TRACEBACK.splitlines(), "bye")
    assert "FirstErrorLine" not in panel.describe_log(**of("fails"))
    told = panel.describe_log(**of("fails"), Errors=True)
    assert told["FirstErrorLine"] == 1
    assert told["Traceback"] == {"Line": 2, "Text": TRACEBACK}
    Job(plane.home, "does-well").say("fine")
    assert "FirstErrorLine" not in panel.describe_log(**of("does-well"), Errors=True)


def test_searching(plane, panel):
    job = Job(plane.home, "searched")
    job.say(*(f"step {number} loss={1 / (number + 1):.3f}" for number in range(100)))
    found = panel.search_log(**of("searched"), Query="STEP 9", Limit=3)
    assert (found["Matches"], found["Total"]) == ([9, 90, 91], 11)
    assert found["Searched"] == found["Lines"] == 100
    assert panel.search_log(**of("searched"), Query="STEP 9", CaseSensitive=True)["Total"] == 0
    found = panel.search_log(**of("searched"), Query=r"loss=0\.0[1-2]\d$", Regex=True, From=60)
    assert found["Matches"] == list(range(60, 100))


def test_patterns_that_nobody_can_use(plane, panel):
    Job(plane.home, "patterns").say("a" * 5_000)
    refused = (
        ("(", "not a regular expression"),
        ("(a|aa)+$.", "too long"),
        ("((a{99}){99}){11}", "repeats too often"),
    )
    for query, words in refused:
        with pytest.raises(ClientError, match=words):
            panel.search_log(**of("patterns"), Query=query, Regex=True)


def test_of_several_hosts_the_one_that_failed_first_is_shown(plane, panel):
    job = Job(plane.home, "hosts")
    job.say("I am one")
    job.end("failed", at=20)
    job.begin("train/algo-2")
    job.say("I am two")
    told = panel.describe_log(**of("hosts"))
    assert [stream["Host"] for stream in told["Streams"]] == ["algo-1", "algo-2"]
    assert "algo-1" in told["Stream"]
    job.end("failed", at=10)
    told = panel.describe_log(**of("hosts"))
    assert "algo-2" in told["Stream"]
    page = panel.get_log_lines(**of("hosts"), Stream=told["Streams"][0]["Name"], Start=0)
    assert page["LogLines"][0]["Text"] == "I am one"
    job.begin("train/algo-1/2")
    told = panel.describe_log(**of("hosts"))
    assert told["Stream"] == told["Streams"][-1]["Name"]


def test_the_log_of_an_endpoint(plane, panel):
    server = Job(plane.home, "bank", "endpoint", "serve/1/AllTraffic/0")
    server.say("listening")
    told = panel.describe_log(**of("bank", "endpoint"))
    assert told["Stream"] == f"AllTraffic/{server.run}"
    assert told["Streams"][0]["Host"] == "AllTraffic"


def test_a_line_that_is_cut_says_how_long_it_is(plane, panel):
    Job(plane.home, "wide").say("x" * 100_000, "short")
    first, second = panel.get_log_lines(**of("wide"), Start=0)["LogLines"]
    assert (len(first["Text"]), first["Bytes"]) == (16_384, 100_000)
    assert "Bytes" not in second


def test_the_bytes_of_a_log(plane, panel):
    job = Job(plane.home, "bytes")
    written = b"10%\r20%\n\xff\x00" * 400_000
    (job.folder / "log").write_bytes(written)
    read = b""
    while part := panel.read_log(**of("bytes"), Start=len(read))["Data"]:
        read += part
    assert read == written


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (of("nobody"), "Requested resource not found"),
        (of("nobody", "endpoint"), "Could not find endpoint"),
        (of("nobody", "model"), "has no runs"),
        ({**of("unknown"), "Stream": "x"}, "no log stream 'x'"),
    ],
)
def test_what_is_not_there(plane, panel, request_: dict[str, str], words: str):
    if request_["Name"] == "unknown":
        Job(plane.home, "unknown")
    with pytest.raises(ClientError, match=words):
        panel.get_log_lines(**request_, Start=0)
