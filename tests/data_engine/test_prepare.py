"""Channels for training: what is written to S3, and that the code beside it makes the same."""

import io
import json
import re
import subprocess
import sys

import pandas as pd
import pytest

from studio.data.documents import encoded
from studio.data.protocol.data import Condition, Source
from studio.data.protocol.tables import PrepareRequest

BUCKET = "prepared"
PEOPLE = pd.DataFrame(
    {
        "age": [31, 45, None, 22, 60, 38, 51, 29, 47, 33],
        "city": ["Bonn", "Köln", "Bonn", None, "Köln", "Bonn", "Köln", "Bonn", "Bonn", "Köln"],
        "member": [True, False, True, True, False, False, True, False, True, True],
        "since": pd.to_datetime(["2026-01-01"] * 10),
        "name": [f"person {number}" for number in range(10)],
        "buys": ["no", "yes", "no", "yes", "yes", "no", None, "no", "yes", "no"],
    }
)


@pytest.fixture(scope="module")
def s3(studio):
    client = studio.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def prepare(studio, tmp_path):
    """The last line that a worker with this environment answers."""
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    command = [sys.executable, "-m", "studio.data.worker", "--root", tmp_path]
    command += ["--cache", tmp_path / "cache"]

    def ask(request):
        with subprocess.Popen(
            command, env=studio.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as worker:
            line = {"id": "1", "verb": "prepare", "args": request}
            worker.stdin.write(encoded(line) + b"\n")
            worker.stdin.flush()
            while not (answer := json.loads(worker.stdout.readline())).get("final"):
                pass
            worker.stdin.close()
        return answer

    return ask


def table(s3, key):
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return pd.read_csv(io.BytesIO(body), header=None)


def request(**changes):
    values = {"source": Source(path="people.csv"), "to": f"s3://{BUCKET}/people", "target": "buys"}
    return PrepareRequest(**values | {"validation": 0.0} | changes)


def test_the_label_comes_first_and_texts_become_numbers(s3, prepare):
    answer = prepare(request(seed=3))["part"]
    written = table(s3, "people/train/train.csv")
    assert answer["features"] == ["age", "city=Bonn", "city=Köln", "member"]
    assert answer["classes"] == ["no", "yes"]
    assert {it["column"] for it in answer["left_out"]} == {"since", "name"}
    assert (answer["rows"], answer["dropped"]) == (9, 1)
    assert sorted(written[0]) == [0] * 5 + [1] * 4
    youngest = written[written[1] == 22].iloc[0].tolist()
    assert youngest == [1, 22, 0, 0, 1]
    described = json.loads(s3.get_object(Bucket=BUCKET, Key="people/columns.json")["Body"].read())
    assert described["label"] == "buys"
    assert described["features"] == answer["features"]
    assert [it["uri"] for it in answer["channels"]] == [f"s3://{BUCKET}/people/train/"]


@pytest.mark.parametrize("missing", ["keep", "drop", "median"])
def test_the_code_makes_the_same_tables(s3, prepare, tmp_path, missing):
    asked = request(
        to=f"s3://{BUCKET}/{missing}/",
        validation=0.3,
        seed=7,
        missing=missing,
        features=["age", "city", "member"],
        filters=[Condition("differs", "name", "person 0")],
    )
    answer = prepare(asked)["part"]
    subprocess.run([sys.executable, "-c", answer["code"]], cwd=tmp_path, check=True)
    for channel in answer["channels"]:
        written = table(s3, f"{missing}/{channel['name']}/{channel['name']}.csv")
        made = pd.read_csv(tmp_path / f"{channel['name']}.csv", header=None)
        pd.testing.assert_frame_equal(written, made, check_dtype=False)
        assert len(written) == channel["rows"]
    assert sum(it["rows"] for it in answer["channels"]) == answer["rows"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to": "people"}, "no place in S3"),
        ({"to": "s3://no-such-bucket-here/x"}, "NoSuchBucket"),
        ({"target": "since"}, "is a time"),
        ({"target": "colour"}, "There is no column colour"),
        ({"features": ["since"]}, "No column is left"),
        ({"validation": 1.0}, "share for validation"),
        ({"filters": [Condition("greater", "age", 100)]}, "No row|No column"),
    ],
)
def test_refusals_name_the_thing(s3, prepare, changes, words):
    answer = prepare(request(**changes))
    assert re.search(words, answer["error"]["message"])
