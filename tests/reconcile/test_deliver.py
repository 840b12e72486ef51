"""Folders of checkpoints become objects, however often it is tried."""

from pathlib import Path

import pytest

from studio.reconcile.deliver import deliver
from studio.s3.client import LocalStorage
from studio.s3.errors import S3Error
from studio.s3.store import ObjectStore


@pytest.fixture
def storage(tmp_path):
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("kept", "us-east-1")
    yield LocalStorage(store)
    store.close()


def batch(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "batch"
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def contents(storage) -> dict[str, bytes]:
    return {it.key: storage.read("kept", it.key, 100) for it in storage.list("kept", "")}


def test_every_file_becomes_an_object_and_the_folder_goes(storage, tmp_path):
    folder = batch(tmp_path, a="one", deep__b="two", deep__deeper__c="")
    deliver(folder, "s3://kept/job/", storage)
    assert contents(storage) == {"job/a": b"one", "job/deep/b": b"two", "job/deep/deeper/c": b""}
    assert not folder.exists()
    deliver(folder, "s3://kept/job/", storage)
    deliver(batch(tmp_path, a="newer"), "s3://kept/job/", storage)
    assert contents(storage)["job/a"] == b"newer"


class Dying:
    """A storage whose process dies after the first file."""

    def __init__(self, storage):
        self._storage = storage
        self.left = 1

    def put_file(self, *args):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self._storage.put_file(*args)


def test_a_delivery_that_died_is_made_again(storage, tmp_path):
    folder = batch(tmp_path, a="one", b="two")
    with pytest.raises(KeyboardInterrupt):
        deliver(folder, "s3://kept/", Dying(storage))
    assert len(contents(storage)) == 1
    deliver(folder, "s3://kept/", storage)
    assert contents(storage) == {"a": b"one", "b": b"two"}


def test_what_is_refused_stays(storage, tmp_path):
    folder = batch(tmp_path, a="one")
    with pytest.raises(S3Error, match="bucket does not exist"):
        deliver(folder, "s3://no-such-bucket/", storage)
    assert (folder / "a").read_text() == "one"
