"""A disk that fails: the old object stays, the client is told, and no sync is ever tried again."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import disk_faults
import pytest

from studio import durable
from studio.db.failures import Broken
from studio.s3.store import ObjectStore

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
FOLDER = Path(disk_faults.__file__)


@pytest.fixture
def root(tmp_path) -> Path:
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("bucket", "us-east-1")
    disk_faults.put(store, disk_faults.OLD)
    store.close()
    return tmp_path / "s3"


def outcome(root: Path, tmp_path: Path, fault: str) -> dict[str, str]:
    command = [
        "strace",
        "--seccomp-bpf",
        "-f",
        "-qq",
        "-o",
        tmp_path / "trace",
        "-e",
        f"inject={fault}",
    ]
    command += [sys.executable, FOLDER, root]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    told = dict(line for line in lines if line[0] in ("first", "second", "content", "failure"))
    return told | {"error": done.stderr}


def still_sound(root: Path) -> str:
    store = ObjectStore(root)
    try:
        with store.open("bucket", "key")[1] as file:
            data = file.read()
        return {disk_faults.OLD: "old", disk_faults.NEW: "new"}.get(data, "torn")
    finally:
        store.close()


# The first four syncs of a file or folder are those of the start; then come content and its folder.
@pytest.mark.parametrize("fault", ["fsync:error=EIO:when=5", "fsync:error=EIO:when=6"])
def test_after_a_failed_sync_nothing_more_is_stored(root, tmp_path, fault):
    told = outcome(root, tmp_path, fault)
    assert told["first"] == "Input/output error"
    assert told["second"] != "stored"
    assert (told["content"], told["failure"]) == ("old", "fsync: Input/output error")
    assert still_sound(root) == "old"


def test_a_failed_sync_of_the_index_ends_its_writes(root, tmp_path):
    # The first three are those of the start.
    told = outcome(root, tmp_path, "fdatasync:error=EIO:when=4+")
    assert told["first"] == told["second"] == "InternalFailure"
    assert told["content"] == "old"
    assert "disk" in told["failure"]
    assert still_sound(root) in ("old", "new")


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_failed_rename_leaves_the_old_object(root, tmp_path, error):
    told = outcome(root, tmp_path, f"rename:error={error}:when=1")
    assert told["first"] == os.strerror(getattr(errno, error))
    assert told["second"] == "stored"
    assert still_sound(root) == "new"
    assert not list((root / "tmp").iterdir())


def test_a_full_disk_in_the_middle_of_the_index(root, tmp_path):
    for number in (1, 3):
        told = outcome(root, tmp_path, f"pwrite64:error=ENOSPC:when={number}")
        if "first" in told:
            assert told["content"] in ("old", "new")
        assert still_sound(root) in ("old", "new")


def test_the_process_remembers(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, "_failures", [])
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("bucket", "us-east-1")
    disk_faults.put(store, disk_faults.OLD)
    real = os.fsync

    def fails(_fd: int) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="Input/output"):
        disk_faults.put(store, disk_faults.NEW)
    monkeypatch.setattr(os, "fsync", real)
    with pytest.raises(OSError, match="fsync"):
        disk_faults.put(store, disk_faults.NEW)
    with pytest.raises(Broken, match="started anew"):
        store.create_bucket("other", "us-east-1")
    with store.open("bucket", "key")[1] as file:
        assert file.read() == disk_faults.OLD
    store.close()
