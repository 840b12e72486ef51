"""Objects of S3, read with what the environment says, against a control plane's port."""

import io

import numpy as np
import pandas as pd
import pytest

from studio.data import objects, store
from studio.data.errors import DataError
from studio.data.protocol.data import Source

FRAME = pd.DataFrame({"a": np.arange(3_000), "b": [f"row {it}" for it in range(3_000)]})


@pytest.fixture
def bucket(plane, monkeypatch):
    s3 = plane.client("s3")
    monkeypatch.setenv("AWS_ENDPOINT_URL", plane.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    credentials = s3._request_signer._credentials
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
    if "looked-at" not in [it["Name"] for it in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="looked-at")
    return s3


def put(bucket, key: str, frame: pd.DataFrame = FRAME) -> None:
    body = io.BytesIO()
    write = frame.to_parquet if key.endswith("parquet") else frame.to_csv
    write(body, index=False)
    bucket.put_object(Bucket="looked-at", Key=key, Body=body.getvalue())


@pytest.mark.parametrize("key", ["one/data.csv", "one/data.parquet", "a b/ü?#%.csv"])
def test_an_object(key, bucket, room) -> None:
    put(bucket, key)
    data = store.load(Source(uri=f"s3://looked-at/{key}"), room)
    pd.testing.assert_frame_equal(data.table.to_pandas(), FRAME, check_dtype=False)
    scope: dict[str, pd.DataFrame] = {}
    exec(data.facts.code, scope)
    pd.testing.assert_frame_equal(scope["df"], FRAME, check_dtype=False)


def test_a_prefix_is_one_data_set(bucket, room) -> None:
    for number in range(3):
        put(bucket, f"many/part-{number}.csv", FRAME[number::3])
    bucket.put_object(Bucket="looked-at", Key="many/_SUCCESS", Body=b"")
    put(bucket, "many-others/x.csv")
    data = store.load(Source(uri="s3://looked-at/many"), room)
    assert [it.name for it in data.facts.files] == [f"part-{it}.csv" for it in range(3)]
    assert sorted(data.table.column("a").to_pylist()) == list(range(3_000))
    scope: dict[str, pd.DataFrame] = {}
    exec(data.facts.code, scope)
    assert len(scope["df"]) == 3_000


def test_an_object_that_was_put_again_is_read_again(bucket, room) -> None:
    put(bucket, "changing.csv", FRAME[:10])
    assert store.load(Source(uri="s3://looked-at/changing.csv"), room).facts.rows == 10
    put(bucket, "changing.csv", FRAME[:20])
    assert store.load(Source(uri="s3://looked-at/changing.csv"), room).facts.rows == 20


def test_an_object_that_changes_while_it_is_read(bucket) -> None:
    bucket.put_object(Bucket="looked-at", Key="moving", Body=b"x" * 200_000)
    head = bucket.head_object(Bucket="looked-at", Key="moving")
    file = objects.ObjectFile(objects.client(), "looked-at", "moving", head["ETag"], 200_000)
    file.seek(1)  # not from its beginning: that is read on and on
    assert file.read(10) == b"x" * 10
    bucket.put_object(Bucket="looked-at", Key="moving", Body=b"y" * 200_000)
    file.seek(150_000)
    with pytest.raises(DataError, match="was changed while it was read"):
        file.read(10)


def test_any_place_of_an_object(bucket) -> None:
    body = np.random.default_rng(0).bytes(300_000)
    bucket.put_object(Bucket="looked-at", Key="bytes", Body=body)
    head = bucket.head_object(Bucket="looked-at", Key="bytes")
    file = objects.ObjectFile(objects.client(), "looked-at", "bytes", head["ETag"], len(body))
    rng = np.random.default_rng(1)
    for start, size in zip(rng.integers(0, 310_000, 60), rng.integers(0, 90_000, 60), strict=True):
        file.seek(int(start))
        assert file.read(int(size)) == body[start : start + size]


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("s3://looked-at/nothing.csv", "NotFound"),
        ("s3://no-such-bucket/x.csv", "NotFound"),
        ("http://looked-at/x.csv", "BadRequest"),
        ("s3://", "BadRequest"),
    ],
)
def test_what_is_not_there(uri, code, bucket, room) -> None:
    with pytest.raises(DataError) as caught:
        store.load(Source(uri=uri), room)
    assert caught.value.code == code
    assert uri in caught.value.message


def test_a_wrong_key(bucket, room, monkeypatch) -> None:
    put(bucket, "mine.csv")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(DataError) as caught:
        store.load(Source(uri="s3://looked-at/mine.csv"), room)
    assert caught.value.code == "AccessDenied"


def test_nobody_answers(bucket, room, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(DataError) as caught:
        store.load(Source(uri="s3://looked-at/mine.csv"), room)
    assert caught.value.code == "Unreachable"
