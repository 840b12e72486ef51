"""What comes bit by bit: events of the control plane, answers about data."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from botocore.eventstream import EventStreamBuffer
from jupyters import kill_studio
from waiting import eventually

MODEL = {
    "ModelName": "streamed",
    "ExecutionRoleArn": "arn:aws:iam::000000000000:role/StudioExecutionRole",
    "PrimaryContainer": {"Image": "linear-learner", "ModelDataUrl": "s3://models/model.tar.gz"},
}
ROWS = "".join(f"{number},{number % 7}\n" for number in range(2000))


@pytest.fixture
def events(jupyter):
    jupyter.ready()
    with jupyter.ask("GET", "events", stream=True) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield read(answer)


def read(answer):
    """(type, data, id) of each event."""
    event = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        name, _, value = line.partition(": ")
        if line:
            event[name] = value
        elif "event" in event:
            yield event["event"], json.loads(event["data"]), event.get("id", "")
            event = {}


def until(events, wanted):
    return next(event for event in events if wanted(*event[:2]))


def test_what_changes_is_told(jupyter, events):
    jupyter.ask("PUT", "s3/models")
    jupyter.ask("PUT", "s3/models/model.tar.gz", data=b"never looked into")
    jupyter.call("CreateModel", MODEL)
    _, told, _ = until(events, lambda kind, data: kind == "resource")
    assert (told["Kind"], told["Name"], told["Change"]) == ("model", "streamed", "created")


def test_a_listener_goes_on_where_it_was(jupyter, events):
    jupyter.ask("PUT", "s3/seen")
    jupyter.ask("PUT", "s3/seen/first", data=b"1")
    *_, last = until(events, lambda kind, data: data.get("Bucket") == "seen")
    jupyter.ask("PUT", "s3/missed")
    jupyter.ask("PUT", "s3/missed/while-away", data=b"1")
    back = {"Last-Event-ID": last}
    with jupyter.ask("GET", "events", stream=True, headers=back) as answer:
        assert until(read(answer), lambda kind, data: data.get("Bucket") == "missed")


def test_a_death_ends_the_stream_and_the_next_one_tells_to_look_anew(jupyter, events):
    *_, last = until(events, lambda kind, data: kind == "capacity")
    kill_studio(jupyter.log.parent / "home")
    assert list(events) == []
    back = {"Last-Event-ID": last}
    with jupyter.ask("GET", "events", stream=True, headers=back) as answer:
        assert until(read(answer), lambda kind, data: kind == "reset")


def test_who_leaves_is_forgotten(jupyter):
    jupyter.ready()
    sockets = open_sockets(jupyter.process.pid)
    listeners = [jupyter.ask("GET", "events", stream=True) for _ in range(20)]
    assert open_sockets(jupyter.process.pid) > sockets + len(listeners)
    for each in listeners:
        each.close()
    eventually(lambda: open_sockets(jupyter.process.pid) <= sockets)


def open_sockets(pid: int) -> int:
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += str(entry.readlink()).startswith("socket:")
        except FileNotFoundError:
            pass  # closed in this moment
    return found


def test_data_is_answered_line_by_line(jupyter):
    (jupyter.root / "rows.csv").write_text("n,week\n" + ROWS)
    request = {"source": {"path": "rows.csv"}, "target": "week"}
    with jupyter.ask("POST", "data/profile", json=request, stream=True) as answer:
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in answer.iter_lines()]
    assert [line.get("final", False) for line in lines].count(True) == 1
    assert lines[-1]["final"]
    assert [column["name"] for column in lines[-1]["part"]["columns"]] == ["n", "week"]
    assert lines[-1]["part"]["data"]["rows"] == 2000


def test_data_in_s3_is_read_with_the_users_key(jupyter):
    jupyter.ready()
    jupyter.ask("PUT", "s3/tables")
    jupyter.ask("PUT", "s3/tables/rows.csv", data="n,week\n" + ROWS)
    window = {"source": {"uri": "s3://tables/rows.csv"}, "offset": 1000, "limit": 2}
    answer = jupyter.ask("POST", "data/rows", json=window).text.splitlines()
    assert json.loads(answer[-1])["part"]["rows"] == [[1000, 6], [1001, 0]]


def test_files_beyond_the_root_are_out_of_reach(jupyter):
    (jupyter.root.parent / "outside.csv").write_text("a\n1\n")
    for path in ("../outside.csv", str(jupyter.root.parent / "outside.csv")):
        answer = jupyter.ask("POST", "data/rows", json={"source": {"path": path}}).json()
        assert answer["error"]["code"] in ("AccessDenied", "NotFound", "BadRequest")


def test_nonsense_is_refused(jupyter):
    assert jupyter.ask("POST", "data/rows", data=b"{").status_code == 400
    unknown = jupyter.ask("POST", "data/nonsense", json={}).json()
    assert unknown["error"]["code"] == "BadRequest"


def test_a_worker_that_died_is_replaced(jupyter):
    (jupyter.root / "rows.csv").write_text("n,week\n" + ROWS)
    request = {"source": {"path": "rows.csv"}}
    assert "error" not in jupyter.ask("POST", "data/rows", json=request).text
    first = worker_of(jupyter.process.pid)
    os.kill(first, 9)
    eventually(lambda: not Path(f"/proc/{first}/cwd").exists())
    eventually(lambda: "error" not in jupyter.ask("POST", "data/rows", json=request).text)
    assert worker_of(jupyter.process.pid) != first


def worker_of(pid: int) -> int:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"studio.data.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    raise AssertionError("no worker")


ENDLESS = """
import itertools

def model_fn(model_dir):
    return "words"

def transform_fn(model, body, content_type, accept):
    return (f"{number} " for number in itertools.count()), "text/plain"
"""


def test_an_answer_comes_in_pieces_until_the_browser_leaves(jupyter):
    jupyter.ready()
    deploy(jupyter)
    for _ in range(2):  # its one process is free again once nobody reads
        with jupyter.ask(
            "POST", "endpoints/words/invocations-response-stream", stream=True, data=b"x"
        ) as answer:
            assert answer.headers["X-Amzn-SageMaker-Content-Type"] == "text/plain"
            frames, said = EventStreamBuffer(), b""
            for piece in answer.iter_content(64):
                frames.add_data(piece)
                said += b"".join(frame.payload for frame in frames)
                if len(said) > 1_000:
                    break
            assert said.startswith(b"0 1 2 3 ")


def deploy(jupyter) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(ENDLESS)
        archive.addfile(member, io.BytesIO(ENDLESS.encode()))
    jupyter.ask("PUT", "s3/words")
    jupyter.ask("PUT", "s3/words/model.tar.gz", data=packed.getvalue())
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    container = {
        "Image": image,
        "ModelDataUrl": "s3://words/model.tar.gz",
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
    }
    jupyter.call("CreateModel", {**MODEL, "ModelName": "words", "PrimaryContainer": container})
    variant = {"VariantName": "v", "ModelName": "words", "InstanceType": "ml.m5.large"}
    config = {"EndpointConfigName": "words", "ProductionVariants": [variant]}
    jupyter.call("CreateEndpointConfig", config)
    jupyter.call("CreateEndpoint", {"EndpointName": "words", "EndpointConfigName": "words"})

    def status() -> str:
        return jupyter.call("DescribeEndpoint", {"EndpointName": "words"})["EndpointStatus"]

    eventually(lambda: status() != "Creating")
    assert status() == "InService"
