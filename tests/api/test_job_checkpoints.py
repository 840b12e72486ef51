"""Where checkpoints of a job lie, in S3 and in its folder."""

import pytest

from studio.api import checkpoints
from studio.errors import ValidationException
from studio.reconcile.steps import Rejected
from studio.s3.client import LocalStorage
from studio.s3.store import ObjectStore


def request(uri: str = "s3://data/c", **values) -> dict:
    return {"CheckpointConfig": {"S3Uri": uri, **values}}


@pytest.fixture
def storage(tmp_path):
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("data", "us-east-1")
    (tmp_path / "file").write_bytes(b"x")
    made = LocalStorage(store)
    for key in ("c/1", "c/deep/2", "c/deep/", "c2/other", "d/../x"):
        made.put_file("data", key, tmp_path / "file")
    yield made
    store.close()


@pytest.mark.parametrize("uri", ["s3://data/c", "s3://data/c/"])
def test_all_below_the_folder_is_restored(storage, uri):
    found = checkpoints.restored(request(uri, LocalPath="/opt/ml/mine/"), storage)
    assert sorted(each.path for each in found) == ["mine/1", "mine/deep/2"]
    assert checkpoints.prefix(request(uri)) == "s3://data/c/"


def test_nothing_to_restore_is_fine(storage):
    assert checkpoints.restored(request("s3://data/new"), storage) == []
    assert checkpoints.restored({}, storage) == []
    assert checkpoints.folder({}) == ""
    assert checkpoints.folder(request()) == "checkpoints"


def test_what_cannot_be_restored_fails_the_job(storage):
    with pytest.raises(Rejected, match="cannot be read: The specified bucket does not exist"):
        checkpoints.restored(request("s3://no-such-bucket/c"), storage)
    with pytest.raises(Rejected, match="cannot be a file's name"):
        checkpoints.restored(request("s3://data/d"), storage)


@pytest.mark.parametrize(
    "path", ["/etc", "/opt/ml", "/opt/ml/../x", "relative", "/opt/ml/model/x", "/opt/ml/input"]
)
def test_places_that_cannot_be_kept_are_refused(path):
    with pytest.raises(ValidationException, match="CheckpointConfig"):
        checkpoints.check(request(LocalPath=path))


def test_only_s3_is_a_place_for_checkpoints():
    with pytest.raises(ValidationException):
        checkpoints.check(request("https://host/x"))
