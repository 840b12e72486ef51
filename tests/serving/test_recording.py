"""What follows an answer: captured data as AWS writes it, shadows that are asked the same."""

import base64
import json
import os
import signal
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from serving_support import Answer, exchange
from waiting import eventually

from studio.serving import capture, differences
from studio.serving.limits import Limits
from studio.serving.routes import Routes
from studio.serving.table import Capture, Table, Variant

TEXTS = {"csv": ("text/csv",), "json": ("application/json",)}


def captured(model, percent=100, shadows=(), **options) -> list[Variant]:
    config = Capture("record", percent, "s3://kept/here", "", "", **{**TEXTS, **options})
    return [Variant("V", 1.0, (model.address,), capture=config), *shadows]


def shadow(model, weight=1.0) -> Variant:
    return Variant("S", weight, (model.address,), shadow="record.S")


def ended(router) -> None:
    """Stopped as it is meant to be: all is written then."""
    router.process.terminate()
    assert router.process.wait(30) == 0


def lines(router) -> list[dict]:
    files = capture.finished(capture.folder(router.home) / "record")
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def state(router) -> dict:
    return json.loads((capture.folder(router.home) / "record" / "capture.json").read_text())


def test_requests_and_answers_are_captured_as_aws_writes_them(router, model):
    router.write({"echo": captured(model)})
    router.client().invoke_endpoint(
        EndpointName="echo", Body=b"fast:1,2", ContentType="text/csv; charset=utf-8",
        InferenceId="i-1", CustomAttributes="trace=6",
    )  # fmt: skip
    exchange(router, router.request(b"status:500"))
    exchange(router, router.request(b"fast:\xff", headers={"Content-Type": "text/csv"}.items()))
    exchange(router, router.request(b"echo", headers={"Content-Type": "a/b"}.items()))
    ended(router)
    first, binary, unknown = lines(router)
    event = dict(first["eventMetadata"])
    assert uuid.UUID(event.pop("eventId")).version == 4
    assert datetime.fromisoformat(event.pop("inferenceTime")).tzinfo == UTC
    assert event == {"customAttributes": ["trace=6"], "inferenceId": "i-1"}
    assert first["eventVersion"] == "0"
    assert first["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv; charset=utf-8",
            "mode": "INPUT",
            "data": "fast:1,2",
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "text/csv; charset=utf-8",
            "mode": "OUTPUT",
            "data": "one",
            "encoding": "CSV",
        },
    }
    for line, body in ((binary, b"fast:\xff"), (unknown, b"echo")):
        asked = line["captureData"]["endpointInput"]
        assert (asked["encoding"], base64.b64decode(asked["data"])) == ("BASE64", body)
    assert unknown["captureData"]["endpointOutput"]["encoding"] == "JSON"
    [path] = capture.finished(capture.folder(router.home) / "record")
    at = datetime.fromisoformat(first["eventMetadata"]["inferenceTime"])
    assert path.parts[-7:-1] == ("echo", "V", *at.strftime("%Y/%m/%d/%H").split("/"))
    assert path.name.startswith(at.strftime("%M-%S-"))
    told = state(router)
    assert (told["captured"], told["dropped"], told["destination"]) == (3, 0, "s3://kept/here")


def test_half_of_the_requests_and_their_answers_only(router, model):
    router.write({"echo": captured(model, 50, input=False)})
    request = router.request(b"fast")
    with router.connect() as connection, connection.makefile("rb") as file:
        for _ in range(400):
            connection.sendall(request)
            assert Answer(file).status == 200
    ended(router)
    found = lines(router)
    assert 130 < len(found) < 270  # seven standard deviations
    assert {tuple(line["captureData"]) for line in found} == {("endpointOutput",)}


def test_a_killed_router_loses_nothing_that_its_recorder_has(router, model):
    router.write({"echo": captured(model)})
    exchange(router, router.request(b"fast"))
    eventually(lambda: list(capture.folder(router.home).rglob("*.jsonl")))
    router.process.send_signal(signal.SIGKILL)
    eventually(lambda: len(lines(router)) == 1)  # also before it is started again
    router.restart()
    exchange(router, router.request(b"fast"))
    ended(router)
    assert len(lines(router)) == 2
    assert state(router)["captured"] == 2


def test_what_the_recorder_cannot_take_is_dropped_and_counted(start_router, model):
    router = start_router("--recorded-bytes", "1000")
    router.write({"echo": captured(model)})
    for size in (50, 2000, 50, 3000):
        assert exchange(router, router.request(b"fast:".ljust(size))).status == 200
    ended(router)
    assert (state(router)["captured"], state(router)["dropped"]) == (2, 2)


def test_shadows_are_asked_the_same_and_change_nothing(router, model, start_model):
    other = start_model("other")
    router.write({"echo": captured(model, shadows=[shadow(other)])})
    headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": "i-7"}.items()
    answer = exchange(router, router.request(b"fast", headers=headers))
    assert (answer.body, answer.headers["x-amzn-invoked-production-variant"]) == (b"one", "V")
    assert exchange(router, router.request(b"slow:0")).body == b"slept"
    assert exchange(router, router.request(b"status:400")).status == 424
    eventually(lambda: len(other.bodies()) == 3)
    with pytest.raises(router.client().exceptions.ClientError, match="Variant S"):
        router.client().invoke_endpoint(EndpointName="echo", Body=b"", TargetVariant="S")
    ended(router)
    found = differences.read(router.home, "record.S")
    counts = [found[it] for it in ("Compared", "Same", "Different", "Failed", "Dropped")]
    assert counts == [3, 2, 1, 0, 0]
    [example] = found["Examples"]
    told = [example[it] for it in ("Input", "Output", "ShadowOutput", "InferenceId", "Outcome")]
    assert told == ["fast", "one", "other", "i-7", "Different"]


def test_a_shadow_that_hangs_or_is_gone_costs_the_answers_nothing(start_router, model, start_model):
    router = start_router("--mirrors", "2", "--model-seconds", "20")
    other = start_model("other")
    router.write({"echo": captured(model, shadows=[shadow(other)])})
    other.process.send_signal(signal.SIGSTOP)
    request = router.request(b"fast")
    with router.connect() as connection, connection.makefile("rb") as file:
        for _ in range(10):
            connection.sendall(request)
            assert Answer(file).body == b"one"
    other.process.kill()  # while it is stopped: it answers none of them
    eventually(lambda: differences.read(router.home, "record.S")["Failed"] == 2)
    eventually(lambda: differences.read(router.home, "record.S")["Dropped"] == 8)
    found = differences.read(router.home, "record.S")
    assert found["Compared"] == 2
    assert "closed the connection" in found["Examples"][0]["ShadowOutput"]


@pytest.mark.parametrize(
    ("production", "shadowed", "outcome"),
    [
        (b"0.5,1", b"0.50000001, 1.0", (True, 1e-8)),
        (b"0.5", b"0.75", (False, 0.25)),
        (b'{"a": [1, {"b": 2}]}', b'{"a":[1,{"b":2.0}]}', (True, 0.0)),
        (b'{"a": 1}', b'{"b": 1}', (False, None)),
        (b"[1, 2]", b"[[1], 2]", (False, None)),
        (b"NaN", b"nan", (True, 0.0)),
        (b"cat", b"dog", (False, None)),
        (b"1", b"1,2", (False, None)),
        (b"[" * 100_000, b"0", (False, None)),
    ],
)
def test_answers_are_compared_by_what_they_say(production, shadowed, outcome):
    same, largest = differences.compared(production, shadowed)
    assert (same, largest and round(largest, 12)) == outcome


@pytest.mark.parametrize(("weight", "share"), [(0.0, 0.0), (1.0, 0.25), (9.0, 1.0)])
def test_a_shadow_is_asked_its_weights_share_of_production(weight, share):
    routes = Routes(Limits(), set())
    variants = [Variant(name, w, ("127.0.0.1:1",)) for name, w in (("A", 3.0), ("B", 1.0))]
    other = Variant("S", weight, ("127.0.0.1:2",), shadow="record.S")
    routes.update(Table(1, "0" * 12, "us-east-1", {}, {"echo": (*variants, other)}))
    for name in ("A", "B"):
        assert [it.share for it in routes.find("echo", name).shadows] == [share]
    assert {routes.find("echo", None).name for _ in range(100)} == {"A", "B"}


def test_a_killed_recorder_is_started_again_and_finishes_its_files(router, model):
    router.write({"echo": captured(model)})
    exchange(router, router.request(b"fast"))
    record = capture.folder(router.home) / "record"
    eventually(lambda: any(path.stat().st_size for path in record.rglob("*.jsonl")))
    pid = router.process.pid
    [recorder] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(recorder), signal.SIGKILL)
    eventually(lambda: '"recorder lost"' in router.log())
    exchange(router, router.request(b"fast"))
    ended(router)
    assert len(lines(router)) == 2
