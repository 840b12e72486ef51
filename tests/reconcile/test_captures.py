"""What was captured reaches S3, also when S3 refuses it at first, and goes when nobody asks."""

import os
from contextlib import closing
from types import SimpleNamespace

import pytest
from waiting import eventually

from studio.reconcile import captures
from studio.reconcile.captures import CaptureStore, stored
from studio.s3.client import LocalStorage
from studio.s3.store import ObjectStore
from studio.serving import capture
from studio.serving.table import EMPTY, write_table

BELOW = "e/v/2026/11/22/09/01-02-003-x.jsonl"


@pytest.fixture
def objects(tmp_path):
    store = ObjectStore(tmp_path / "s3")
    yield store
    store.close()


@pytest.fixture
def started(tmp_path, objects, monkeypatch):
    """The store of captures at work, in haste."""
    for name in ("_PAUSE_SECONDS", "_REFUSED_SECONDS"):
        monkeypatch.setattr(captures, name, 0.02)
    write_table(tmp_path, EMPTY)
    # Whose rights they are stored with is for the grants to say; here, everybody's.
    grants = SimpleNamespace(storage_of=lambda role, owner, storage: storage)
    with closing(CaptureStore(tmp_path, grants, LocalStorage(objects))) as store:
        yield store


def record(home, name: str):
    folder = capture.folder(home) / name
    path = folder / BELOW
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    capture.replace(
        folder / "capture.json", {"destination": "s3://bucket/p/", "role": "", "owner": ""}
    )
    return path


def test_what_s3_refuses_waits_and_says_why(tmp_path, objects, started):
    path = record(tmp_path, "r")
    growing = path.with_name(".growing.jsonl")
    growing.write_text("{")
    problem = eventually(lambda: stored(tmp_path, "r")["problem"])
    assert problem.startswith("NoSuchBucket")
    assert path.exists()
    objects.create_bucket("bucket", "us-east-1")
    eventually(lambda: stored(tmp_path, "r")["objects"])
    assert [each.key for each in objects.list("bucket", "")] == [f"p/{BELOW}"]
    eventually(lambda: not path.exists())
    assert growing.exists()
    assert stored(tmp_path, "r")["problem"] == ""


def test_what_no_deployment_has_goes_once_it_is_stored(tmp_path, objects, monkeypatch):
    objects.create_bucket("bucket", "us-east-1")
    waiting, done = record(tmp_path, "waiting"), record(tmp_path, "done")
    done.unlink()
    for each in (waiting.parents[6], done.parents[6], done.parent):
        os.utime(each, (0, 0))
    write_table(tmp_path, EMPTY)
    store = SimpleNamespace(_home=tmp_path)
    CaptureStore._sweep(store)
    assert [each.name for each in capture.folder(tmp_path).glob("*")] == ["waiting"]
    assert waiting.exists()
