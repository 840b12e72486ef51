"""Channels against a real store: which objects, under which names."""

import pytest

from studio.api import channels
from studio.errors import ValidationException
from studio.reconcile.steps import Rejected
from studio.s3.client import LocalStorage
from studio.s3.store import ObjectStore


@pytest.fixture
def storage(tmp_path):
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("data", "us-east-1")
    source = tmp_path / "file"
    source.write_bytes(b"x")
    made = LocalStorage(store)
    made.put = lambda *keys: [made.put_file("data", key, source) for key in keys]
    yield made
    store.close()


def channel(uri: str, kind: str = "S3Prefix", **values) -> dict:
    source = {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}
    return {"ChannelName": "train", "DataSource": source, **values}


def names(storage, uri: str, kind: str = "S3Prefix") -> list[str]:
    found = channels.transfers(channel(uri, kind), "role", storage)
    return sorted(each.path.removeprefix("input/data/train/") for each in found)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://data/train", ["a.csv", "deep/b.csv", "train2/c.csv"]),
        ("s3://data/train/", ["a.csv", "deep/b.csv"]),
        ("s3://data/train/a.csv", ["a.csv"]),
        ("s3://data/train/a", ["a.csv"]),
        ("s3://data/train/deep", ["b.csv"]),
        ("s3://data", ["train/a.csv", "train/deep/b.csv", "train2/c.csv"]),
    ],
)
def test_names_follow_the_folder_that_the_prefix_names(storage, uri, expected):
    storage.put("train/a.csv", "train/deep/b.csv", "train/deep/", "train2/c.csv")
    assert names(storage, uri) == expected


def test_manifests_name_their_objects(storage, tmp_path):
    storage.put("rows/one", "rows/sub/two", "rows/three")
    manifest = tmp_path / "manifest"
    manifest.write_text('[{"prefix": "s3://data/rows/"}, "one", "sub/two"]')
    storage.put_file("data", "m.json", manifest)
    assert names(storage, "s3://data/m.json", "ManifestFile") == ["one", "sub/two"]


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '[{"prefix": "nowhere"}]', '["x"]'])
def test_broken_manifests_are_the_customers(storage, tmp_path, text):
    manifest = tmp_path / "manifest"
    manifest.write_text(text)
    storage.put_file("data", "m.json", manifest)
    with pytest.raises((Rejected, ValidationException)):
        names(storage, "s3://data/m.json", "ManifestFile")


@pytest.mark.parametrize("uri", ["s3://data/none", "s3://no-such-bucket/x"])
def test_nothing_there_is_said_in_awss_words(storage, uri):
    with pytest.raises(Rejected, match=f'No S3 objects found under S3 URL "{uri}"'):
        names(storage, uri)


@pytest.mark.parametrize("key", ["p/../../etc/passwd", "p//x", "p/./x", "p/" + "n" * 300])
def test_keys_that_are_no_file_names_are_refused(storage, key):
    storage.put(key)
    with pytest.raises(Rejected, match="cannot be a file's name"):
        names(storage, "s3://data/p/")


def test_a_file_cannot_be_a_folder_too(storage):
    storage.put("p/a", "p/a/b")
    with pytest.raises(Rejected, match="cannot be a folder too"):
        names(storage, "s3://data/p/")


@pytest.mark.parametrize(
    "bad",
    [
        [channel("s3://b/k"), channel("s3://b/k")],
        [{"ChannelName": "x", "DataSource": {"FileSystemDataSource": {}}}],
        [channel("file:///etc/passwd")],
        [channel("/etc/passwd")],
        [channel("s3://b/k", InputMode="Pipe")],
        [channel("s3://b/k", CompressionType="Gzip")],
        [channel("s3://b/k", "AugmentedManifestFile")],
    ],
)
def test_what_is_not_executed_is_refused_before_a_job_is_made(bad):
    with pytest.raises(ValidationException):
        channels.check(bad)
