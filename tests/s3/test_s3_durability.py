"""What a crash may do: acknowledged objects stay, others are old or new, nothing is left over."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3_writer
from waiting import eventually

from studio.s3 import index
from studio.s3.store import Content, ObjectStore, Target

HERE = Path(__file__).parent


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    opened = ObjectStore(tmp_path / "s3")
    opened.create_bucket("bucket", "us-east-1")
    yield opened
    opened.close()


def blobs(root: Path) -> set[str]:
    return {path.name for path in (root / "blobs").rglob("*") if path.is_file()}


def named(store: ObjectStore) -> set[str]:
    with store.database.read() as connection:
        return index.blobs_in_use(connection)


def put(store: ObjectStore, key: str, data: bytes) -> None:
    store.put("bucket", key, s3_writer.take(store, data))


@pytest.mark.parametrize("seconds", [0.3, 0.7, 1.1])
def test_kill_in_the_middle_of_writes(tmp_path: Path, seconds: float) -> None:
    root, log = tmp_path / "s3", tmp_path / "acknowledged"
    with log.open("wb") as output:
        writer = subprocess.Popen(
            [sys.executable, HERE / "s3_writer.py", root], stdout=output, cwd=HERE
        )
        eventually(lambda: log.stat().st_size > 100)
        time.sleep(seconds)
        writer.kill()
        assert writer.wait() == -9
    acknowledged: dict[str, int] = {}
    for line in log.read_text().splitlines():
        key, number = line.split()
        acknowledged[key] = int(number)
    store = ObjectStore(root)
    try:
        for key, number in acknowledged.items():
            _, file = store.open("bucket", key)
            with file:
                data = file.read()
            # The next write may have been committed though nobody was told.
            assert data in (s3_writer.body(number), s3_writer.body(number + 1))
        assert blobs(root) == named(store)
        assert not list((root / "tmp").iterdir())
    finally:
        store.close()


def test_the_sweep_takes_only_what_nobody_names(tmp_path: Path) -> None:
    root = tmp_path / "s3"
    store = ObjectStore(root)
    store.create_bucket("bucket", "us-east-1")
    put(store, "kept", b"kept")
    kept = named(store)
    s3_writer.take(store, b"a crash came before the index was written")
    store.writer().write(b"unfinished")
    assert len(blobs(root)) == 2
    store.close()
    again = ObjectStore(root)
    assert blobs(root) == kept
    assert not list((root / "tmp").iterdir())
    _, file = again.open("bucket", "kept")
    with file:
        assert file.read() == b"kept"
    again.close()


def test_replaced_and_deleted_blobs_go_at_once(store: ObjectStore, tmp_path: Path) -> None:
    for number in range(3):
        put(store, "k", str(number).encode())
    _, file = store.open("bucket", "k")
    store.delete("bucket", [Target("k")])
    assert blobs(tmp_path / "s3") == set()
    assert file.read() == b"2"
    file.close()


def test_a_refused_write_leaves_no_blob(store: ObjectStore, tmp_path: Path) -> None:
    content = s3_writer.take(store, b"x")
    with pytest.raises(Exception, match="NoSuchBucket"):
        store.put("absent", "k", content)
    assert blobs(tmp_path / "s3") == set()


def test_blobs_cannot_be_written_by_accident(store: ObjectStore) -> None:
    put(store, "k", b"x")
    found, file = store.open("bucket", "k")
    file.close()
    assert store.blobs.path(found.stored.blob).stat().st_mode & 0o777 == 0o444


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_file_and_folder_are_synced_before_the_index(tmp_path: Path) -> None:
    """The order in which the kernel is asked: sync file, rename, sync folder, sync the log."""
    root, trace = tmp_path / "s3", tmp_path / "trace"
    store = ObjectStore(root)
    store.create_bucket("bucket", "us-east-1")
    store.close()
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import s3_writer\n"
        "from pathlib import Path; from studio.s3.store import ObjectStore\n"
        "store = ObjectStore(Path(sys.argv[2]))\n"
        "store.put('bucket', 'k', s3_writer.take(store, b'x' * 100_000))\n"
        "import os; os.write(2, b'ACKNOWLEDGED')\n"
    )
    command = ["strace", "-f", "-y", "-o", trace, "-e", "trace=fsync,fdatasync,rename,write"]
    subprocess.run(
        [*command, sys.executable, "-c", program, HERE, root], check=True, stderr=subprocess.DEVNULL
    )
    events = [
        event
        for line in trace.read_text().splitlines()
        for event, pattern in _EVENTS.items()
        if re.search(pattern, line)
    ]
    start = events.index("rename")
    assert events[start - 1] == "file"
    assert events[start + 1] == "folder"
    rest = events[start + 2 :]
    assert rest.index("index") < rest.index("acknowledged")


_EVENTS = {
    "file": r"fsync\(\d+<[^>]*/tmp/\w{32}>",
    "rename": r"rename\(\"[^\"]*/tmp/\w{32}\", \"[^\"]*/blobs/",
    "folder": r"fsync\(\d+<[^>]*/blobs/\w\w>",
    "index": r"f(data)?sync\(\d+<[^>]*/index\.db-wal>",
    "acknowledged": r"ACKNOWLEDGED",
}


def test_a_full_disk_keeps_the_old_object(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "k", b"old")

    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        put(store, "k", b"new")
    monkeypatch.undo()
    found, file = store.open("bucket", "k")
    assert file.read() == b"old"
    file.close()
    assert found.stored == store.head("bucket", "k")


def test_content_without_a_blob_is_an_error_not_a_hang(store: ObjectStore) -> None:
    store.put("bucket", "k", Content("0" * 32, 1, "0"))
    with pytest.raises(Exception, match="InternalError"):
        store.open("bucket", "k")
