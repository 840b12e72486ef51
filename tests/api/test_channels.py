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


def staged(storage, it: dict, host: int = 0, hosts: int = 1, mode: str = "File"):
    return channels.stage(it, mode, "role", storage, channels.Share(host, hosts))


def names(storage, uri: str, kind: str = "S3Prefix") -> list[str]:
    found = staged(storage, channel(uri, kind)).inputs
    return sorted(each.path.removeprefix("input/data/train/") for each in found)


def source(it: dict) -> dict:
    return it["DataSource"]["S3DataSource"]


def told(storage, it: dict, host: int = 0, hosts: int = 1) -> list[tuple[str, ...]]:
    """The records of a Pipe channel: names of objects and texts."""
    (stream,) = staged(storage, {**it, "InputMode": "Pipe"}, host, hosts).streams
    return [tuple(part.name or part.text for part in record) for record in stream.records]


def put_text(storage, tmp_path, key: str, text: str) -> None:
    (tmp_path / "text").write_text(text)
    storage.put_file("data", key, tmp_path / "text")
    (tmp_path / "text").unlink()


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


def test_a_name_twice_in_a_manifest_is_one_file(storage, tmp_path):
    storage.put("rows/one")
    put_text(storage, tmp_path, "m", '[{"prefix": "s3://data/rows/"}, "one", "one"]')
    assert names(storage, "s3://data/m", "ManifestFile") == ["one"]
    assert len(told(storage, channel("s3://data/m", "ManifestFile"))) == 2


def test_a_manifest_names_what_is_not_there(storage, tmp_path):
    put_text(storage, tmp_path, "m", '[{"prefix": "s3://data/rows/"}, "gone", ""]')
    with pytest.raises(Rejected, match=r"names s3://data/rows/gone, which does not exist"):
        names(storage, "s3://data/m", "ManifestFile")


class Counted:
    """A storage that counts what it is asked for one by one."""

    def __init__(self, storage):
        self._storage = storage
        self.heads = 0

    def head(self, bucket, key):
        self.heads += 1
        return self._storage.head(bucket, key)

    def __getattr__(self, name):
        return getattr(self._storage, name)


def test_long_manifests_are_looked_up_by_lists(storage, tmp_path):
    wanted = [f"{n:04}" for n in range(300)]
    storage.put(*(f"rows/{name}" for name in wanted), "rows/other", *(f"z/{n}" for n in range(9)))
    rest = ", ".join(f'"{name}"' for name in wanted)
    put_text(storage, tmp_path, "m", f'[{{"prefix": "s3://data/rows/"}}, {rest}]')
    counted = Counted(storage)
    assert names(counted, "s3://data/m", "ManifestFile") == wanted
    assert counted.heads == 0


def test_shards_are_disjoint_and_together_everything(storage):
    storage.put(*(f"p/{n}" for n in range(7)))
    it = channel("s3://data/p/")
    source(it)["S3DataDistributionType"] = "ShardedByS3Key"
    shards = [[each.path[-1] for each in staged(storage, it, n, 3).inputs] for n in range(3)]
    assert shards == [["0", "3", "6"], ["1", "4"], ["2", "5"]]
    assert staged(storage, it, 9, 10).inputs == ()
    assert staged(storage, it, 9, 10).folders == ("input/data/train",)
    assert told(storage, it, 1, 3) == [("s3://data/p/1",), ("s3://data/p/4",)]
    source(it)["S3DataDistributionType"] = "FullyReplicated"
    assert len(staged(storage, it, 2, 3).inputs) == 7


def test_shuffled_shards_are_disjoint_too(storage):
    storage.put(*(f"p/{n:02}" for n in range(20)))
    it = channel("s3://data/p/", ShuffleConfig={"Seed": 5})
    source(it)["S3DataDistributionType"] = "ShardedByS3Key"
    shards = [[each.path for each in staged(storage, it, n, 2).inputs] for n in range(2)]
    assert [len(shard) for shard in shards] == [10, 10]
    assert len({*shards[0], *shards[1]}) == 20
    assert shards[0] != sorted(shards[0])
    (stream,) = staged(storage, {**it, "InputMode": "Pipe"}, 1, 2).streams
    assert (stream.seed, stream.host, stream.hosts, len(stream.records)) == (5, 1, 2, 20)


def test_what_a_stream_does_with_its_objects(storage):
    storage.put("p/a")
    it = channel("s3://data/p", CompressionType="Gzip", RecordWrapperType="RecordIO")
    (stream,) = staged(storage, it, mode="Pipe").streams
    assert (stream.gzip, stream.wrap, stream.path) == (True, True, "input/data/train")
    plain = staged(storage, {**it, "InputMode": "FastFile"}, mode="Pipe")
    assert (plain.streams, plain.linked) == ((), ("input/data/train",))
    assert staged(storage, channel("s3://data/p")).linked == ()


LINES = """{"source-ref": "s3://data/i/1.jpg", "class": 1, "other-ref": "nowhere"}

{"class": "cat", "source-ref": "s3://data/i/2.jpg"}
{"source-ref": "s3://data/i/1.jpg", "class": [1, {"x": null}]}
"""


def augmented(uri: str, *attributes: str) -> dict:
    it = channel(uri, "AugmentedManifestFile")
    source(it)["AttributeNames"] = list(attributes)
    return it


def test_augmented_manifests_stream_objects_and_texts_in_the_order_of_the_names(storage, tmp_path):
    storage.put("i/1.jpg", "i/2.jpg")
    put_text(storage, tmp_path, "m", LINES)
    assert told(storage, augmented("s3://data/m", "source-ref", "class")) == [
        ("s3://data/i/1.jpg", "1"),
        ("s3://data/i/2.jpg", "cat"),
        ("s3://data/i/1.jpg", '[1, {"x": null}]'),
    ]
    assert told(storage, augmented("s3://data/m", "class"))[1] == ("cat",)
    it = augmented("s3://data/m", "class")
    source(it)["S3DataDistributionType"] = "ShardedByS3Key"
    assert told(storage, it, 1, 2) == [("cat",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "line 1 .* is not JSON"),
        ('{"a": 1, "b-ref": "s3://data/x"}\n[1]', "line 2 .* is not a JSON object"),
        ('{"a-ref": 1}', "line 1 .* has no attribute 'a'"),
        ('{"a": 1, "b-ref": "/etc/passwd"}', "'b-ref' is not an S3 URI"),
        ('{"a": 1, "b-ref": 5}', "'b-ref' is not an S3 URI"),
        ('{"a": 1, "b-ref": "s3://data/gone"}', "names s3://data/gone, which does not exist"),
        ('{"a": 1, "b-ref": "s3://data"}', "which does not exist"),
        ("[" * 100_000, "is not JSON"),
        ("\n\n", "No S3 objects found"),
    ],
)
def test_broken_augmented_manifests_are_the_customers(storage, tmp_path, text, said):
    put_text(storage, tmp_path, "m", text)
    with pytest.raises(Rejected, match=said):
        told(storage, augmented("s3://data/m", "a", "b-ref"))


def test_a_manifest_that_is_not_there(storage):
    for it in (augmented("s3://data/m", "a"), channel("s3://data/m", "ManifestFile")):
        with pytest.raises(Rejected, match='No S3 objects found under S3 URL "s3://data/m"'):
            told(storage, it)


@pytest.mark.parametrize(
    "bad",
    [
        [channel("s3://b/k"), channel("s3://b/k")],
        [{"ChannelName": "x", "DataSource": {"FileSystemDataSource": {}}}],
        [channel("file:///etc/passwd")],
        [channel("/etc/passwd")],
        [channel("s3://b/k", CompressionType="Gzip")],
        [channel("s3://b/k", RecordWrapperType="RecordIO", InputMode="FastFile")],
        [augmented("s3://b/k", "a")],
        [{**augmented("s3://b/k"), "InputMode": "Pipe"}],
        [channel("s3://b/k", "ManifestFile", InputMode="FastFile")],
        [channel("s3://b/k", "Converse")],
        [{**channel("s3://b/k"), "ChannelName": ".."}],
        [channel("s3://b/k", InputMode="Pipe"), {**channel("s3://b/k"), "ChannelName": "train_0"}],
    ],
)
def test_what_is_not_executed_is_refused_before_a_job_is_made(bad):
    with pytest.raises(ValidationException):
        channels.check(bad)


@pytest.mark.parametrize(
    "good",
    [
        channel("s3://b/k", InputMode="Pipe", CompressionType="Gzip", RecordWrapperType="RecordIO"),
        channel("s3://b/k", CompressionType="None", RecordWrapperType="None"),
        {**augmented("s3://b/k", "a"), "InputMode": "Pipe"},
        channel("s3://b/k", InputMode="FastFile"),
        channel("s3://b/k", ShuffleConfig={"Seed": 1}),
    ],
)
def test_what_is_executed(good):
    channels.check([good, {**good, "ChannelName": "other"}])


def test_the_mode_of_the_job_is_that_of_its_channels():
    it = channel("s3://b/k", CompressionType="Gzip")
    channels.check([it], "Pipe")
    with pytest.raises(ValidationException, match="it is FastFile"):
        channels.check([it], "FastFile")
