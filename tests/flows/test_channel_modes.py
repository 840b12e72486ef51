"""Channels and checkpoints of real jobs: how data comes in, and what survives."""

import gzip
import io
import json
import os
import signal
import sys
import tarfile
from typing import Any

import flow
import pytest
from botocore.exceptions import ClientError
from studios import run_studio
from waiting import eventually

BUCKET = "modes"
PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"
READER = """
import json, os, pathlib
ml = pathlib.Path("/opt/ml")
data = ml / "input/data"
config = json.loads((ml / "input/config/inputdataconfig.json").read_text())
seen = {"modes": {name: it["TrainingInputMode"] for name, it in config.items()}}
for name in ("rows", "mixed", "packed", "images"):
    seen[name] = [(data / f"{name}_{epoch}").read_bytes().hex() for epoch in (0, 1)]
fast = data / "fast"
seen["fast"] = {str(it.relative_to(fast)): it.read_text() for it in fast.rglob("*") if it.is_file()}
try:
    (fast / "deep/b").write_text("evil")
    seen["written"] = True
except OSError:
    seen["written"] = False
seen["left"] = sorted(it.name for it in data.iterdir())
(ml / "model/seen.json").write_text(json.dumps(seen))
"""
SAVER = """
import pathlib, signal, sys, time
folder = pathlib.Path("/opt/ml/checkpoints")
print("restored", sorted(str(it.relative_to(folder)) for it in folder.rglob("*") if it.is_file()))
def save(name, text):
    (folder / "deep").mkdir(exist_ok=True)
    (folder / "deep" / f".{name}").write_text(text)
    (folder / "deep" / f".{name}").rename(folder / "deep" / name)
def end(*_):
    save("last", "at the end")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
save("epoch-1", "one")
print("started", flush=True)
for number in range(20_000):
    save("latest", f"{number} " * 1000)
    time.sleep(0.05)
"""


def source(uri: str, kind: str = "S3Prefix", **values: Any) -> dict:
    return {"DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri, **values}}}


def job(name: str, script: str, channels: list[dict], **values: Any) -> dict:
    code = {"ChannelName": "code", "InputMode": "File", **source(f"s3://{BUCKET}/code/")}
    algorithm = {
        "TrainingImage": PYTHON,
        "TrainingInputMode": "Pipe",
        "ContainerEntrypoint": ["python3", f"/opt/ml/input/data/code/{script}"],
    }
    return flow.training(
        name,
        BUCKET,
        AlgorithmSpecification=algorithm,
        InputDataConfig=[code, *channels],
        HyperParameters={},
        **values,
    )


def lay_out(s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET)
    objects = {
        "code/reader.py": READER,
        "code/saver.py": SAVER,
        "rows/1": "1,2\n",
        "rows/2": "3,4\n",
        "packed/1": gzip.compress(b"one\n"),
        "fast/a": "A",
        "fast/deep/b": "B",
        "images/1.jpg": "first",
        "images/2.jpg": "second",
        "list": '{"source-ref": "s3://modes/images/1.jpg", "class": 7}\n'
        '{"source-ref": "s3://modes/images/2.jpg", "class": "cat"}\n',
        **{f"mixed/{n:02}": f"{n:02} " for n in range(12)},
    }
    for key, body in objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


CHANNELS = [
    {"ChannelName": "rows", **source("s3://modes/rows/")},
    {"ChannelName": "mixed", "ShuffleConfig": {"Seed": 3}, **source("s3://modes/mixed/")},
    {"ChannelName": "packed", "CompressionType": "Gzip", **source("s3://modes/packed/")},
    {
        "ChannelName": "images",
        "RecordWrapperType": "RecordIO",
        **source(
            "s3://modes/list", "AugmentedManifestFile", AttributeNames=["source-ref", "class"]
        ),
    },
    {"ChannelName": "fast", "InputMode": "FastFile", **source("s3://modes/fast/")},
]


def seen_by(s3: Any, done: dict) -> dict:
    assert done["TrainingJobStatus"] == "Completed", done
    key = done["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return json.load(tar.extractfile("seen.json"))


def frame(payload: bytes) -> bytes:
    header = (0xCED7230A).to_bytes(4, "little") + len(payload).to_bytes(4, "little")
    return header + payload + bytes(-len(payload) % 4)


def check_seen(seen: dict) -> None:
    assert seen["modes"] == {
        **dict.fromkeys(("rows", "mixed", "packed", "images"), "Pipe"),
        "code": "File",
        "fast": "FastFile",
    }
    read = {
        name: [bytes.fromhex(text) for text in seen[name]]
        for name in seen["modes"]
        if name not in ("code", "fast")
    }
    assert read["rows"] == [b"1,2\n3,4\n"] * 2
    assert read["packed"] == [b"one\n"] * 2
    assert read["images"] == [b"".join(map(frame, (b"first", b"7", b"second", b"cat")))] * 2
    assert read["mixed"][0] != read["mixed"][1]
    assert all(sorted(each.split()) == [b"%02d" % n for n in range(12)] for each in read["mixed"])
    assert seen["fast"] == {"a": "A", "deep/b": "B"}


@pytest.fixture(scope="module")
def lab(anywhere):
    lay_out(anywhere.client("s3"))
    return anywhere


@pytest.fixture
def own(lab):
    """The one whose objects are its own: what an external S3 changes is tried elsewhere."""
    if hasattr(lab, "objects"):
        pytest.skip("tried with the S3 of the home")
    return lab


def test_data_comes_in_by_every_mode(lab):
    sagemaker, s3 = lab.client("sagemaker"), lab.client("s3")
    sagemaker.create_training_job(**job("modes", "reader.py", CHANNELS))
    seen = seen_by(s3, flow.ended(sagemaker, "modes"))
    check_seen(seen)
    assert seen["written"] is False
    assert seen["left"] == ["code", "fast", "images_2", "mixed_2", "packed_2", "rows_2"]
    assert s3.get_object(Bucket=BUCKET, Key="fast/deep/b")["Body"].read() == b"B"


SHARES = """
import json, os
for epoch in (0, 1):
    with open(f"/opt/ml/input/data/mixed_{epoch}") as pipe:
        print("share", epoch, pipe.read(), flush=True)
"""


def test_shuffled_shards_of_two_hosts_are_dealt_out_anew(own):
    sagemaker = own.client("sagemaker")
    own.client("s3").put_object(Bucket=BUCKET, Key="code/shares.py", Body=SHARES)
    dealt = source("s3://modes/mixed/", S3DataDistributionType="ShardedByS3Key")
    channel = {"ChannelName": "mixed", "ShuffleConfig": {"Seed": 4}, **dealt}
    two = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    sagemaker.create_training_job(**job("shares", "shares.py", [channel], ResourceConfig=two))
    assert flow.ended(sagemaker, "shares")["TrainingJobStatus"] == "Completed"
    shares: dict[str, list[set]] = {"0": [], "1": []}
    for line in logged(own, "shares"):
        _, epoch, *names = line.split()
        shares[epoch].append({*names})
    for first, second in shares.values():
        assert (len(first), len(second), len(first | second)) == (6, 6, 12)
    assert shares["0"][0] not in shares["1"]


def test_a_manifest_of_what_is_not_there_fails_the_job_in_words(lab):
    sagemaker = lab.client("sagemaker")
    wrong = {
        "ChannelName": "images",
        **CHANNELS[3],
        **source("s3://modes/list", "AugmentedManifestFile", AttributeNames=["author"]),
    }
    sagemaker.create_training_job(**job("wrong", "reader.py", [wrong]))
    reason = flow.ended(sagemaker, "wrong")["FailureReason"]
    assert reason == (
        "ClientError: line 1 of the augmented manifest s3://modes/list has no attribute 'author'."
    )


def test_what_cannot_be_is_refused(lab):
    sagemaker = lab.client("sagemaker")
    packed = {**CHANNELS[2], "InputMode": "File"}
    with pytest.raises(ClientError, match="can only be used if the InputMode is Pipe") as refused:
        sagemaker.create_training_job(**job("never", "reader.py", [packed]))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def text_of(s3: Any, key: str) -> str:
    try:
        return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    except ClientError:
        return ""


def whole(text: str) -> bool:
    """Not torn: one number, a thousand times."""
    return len(text.split()) == 1000 and len({*text.split()}) == 1


def logged(studio: Any, name: str) -> list[str]:
    logs = studio.client("logs")
    events = logs.filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=name
    )
    return [event["message"] for event in events["events"]]


def test_checkpoints_are_stored_while_a_job_runs_and_restored_by_the_next(lab):
    sagemaker, s3 = lab.client("sagemaker"), lab.client("s3")
    config = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/kept"}}
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
    }
    sagemaker.create_training_job(**job("saver", "saver.py", [], **config, **spot))
    eventually(lambda: text_of(s3, "kept/deep/epoch-1") == "one")
    assert sagemaker.describe_training_job(TrainingJobName="saver")["TrainingJobStatus"] == (
        "InProgress"
    )
    s3.put_object(Bucket=BUCKET, Key="kept/later", Body=b"not pulled")
    sagemaker.stop_training_job(TrainingJobName="saver")
    assert flow.ended(sagemaker, "saver")["TrainingJobStatus"] == "Stopped"
    assert text_of(s3, "kept/deep/last") == "at the end"
    assert whole(text_of(s3, "kept/deep/latest"))

    sagemaker.create_training_job(**job("next", "saver.py", [], **config))
    eventually(lambda: "started" in logged(lab, "next"))
    restored = ["deep/epoch-1", "deep/last", "deep/latest", "later"]
    assert f"restored {restored}" in logged(lab, "next")
    sagemaker.stop_training_job(TrainingJobName="next")
    assert flow.ended(sagemaker, "next")["SecondaryStatus"] == "Stopped"


def test_checkpoints_survive_the_death_of_the_control_plane(start_studio):
    studio = start_studio()
    s3 = studio.client("s3")
    lay_out(s3)
    sagemaker = studio.client("sagemaker")
    config = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/kept/"}}
    limit = {"StoppingCondition": {"MaxRuntimeInSeconds": 5}}
    sagemaker.create_training_job(**job("saver", "saver.py", [], **config, **limit))
    eventually(lambda: "started" in logged(studio, "saver"))
    identity = json.loads((studio.home / "pid.json").read_text())
    os.kill(identity["pid"], signal.SIGKILL)
    # The job goes on, and ends, while nobody is there.
    eventually(lambda: list((studio.home / "runs").glob("*/exit.json")))
    run_studio("serve", "--home", studio.home, "--detach", env=studio.env)
    assert flow.ended(sagemaker, "saver")["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert text_of(s3, "kept/deep/epoch-1") == "one"
    assert text_of(s3, "kept/deep/last") == "at the end"
    assert whole(text_of(s3, "kept/deep/latest"))
    assert not list((studio.home / "runs").glob("*/handed/0/*"))
