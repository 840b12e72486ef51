"""Many at once, and kills between the steps of an upload."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import s3_server
import s3_writer
from s3_crowd import Crowd
from s3_uploader import BODIES

from studio.s3 import index, multipart
from studio.s3.errors import S3Error
from studio.s3.index import NO_CHECKSUM
from studio.s3.multipart import Claim
from studio.s3.store import NO_ATTRIBUTES, ObjectStore
from studio.s3.versions import NO_CONDITION

HERE = Path(__file__).parent
WRITERS = 16
SECONDS = 2.0


@pytest.mark.parametrize("state", ["", "Enabled"])
def test_writers_readers_and_lists(gateway: Any, s3: Any, bucket: str, state: str) -> None:
    if state:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})
    crowd = Crowd(lambda: s3_server.client(gateway.url), bucket, WRITERS, 4, SECONDS)
    crowd.run()
    assert crowd.problems == []
    assert len(crowd.acknowledged) >= WRITERS
    if state:
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix="k")
        rows = [row for page in pages for row in page["Versions"]]
        assert len({row["VersionId"] for row in rows}) == crowd.counts["writes"]
        assert sum(row["IsLatest"] for row in rows) == 1
        times = [row["LastModified"] for row in rows]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("word", "delay"),
    [("created", 0.0), ("part 2", 0.01), ("completing", 0.0), ("completing", 0.02), ("done", 0.0)],
)
def test_killed_between_the_steps_of_an_upload(tmp_path: Path, word: str, delay: float) -> None:
    root, said = tmp_path / "s3", []
    command = [sys.executable, HERE / "s3_uploader.py", root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            if line.startswith(word):
                break
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().splitlines()
    assert process.returncode == -signal.SIGKILL
    store = ObjectStore(root)
    try:
        _check_after_the_kill(store, said[0].removeprefix("created "), said)
    finally:
        store.close()


def _check_after_the_kill(store: ObjectStore, upload: str, said: list[str]) -> None:
    with store.database.read() as connection:
        parts = index.find_parts(connection, upload)
        stored = index.find_object(connection, "bucket", "k")
    if stored is None:
        assert "done" not in said
        told = [line for line in said if line.startswith("part ")]
        assert len(parts) in (len(told), len(told) + 1)
        begun = multipart.find(store, "bucket", "k", upload)
        for number, body in list(enumerate(BODIES, 1))[len(parts) :]:
            multipart.put_part(store, begun, number, s3_writer.take(store, body))
        with store.database.read() as connection:
            parts = index.find_parts(connection, upload)
        claims = [Claim(part.number, part.etag) for part in parts]
        stored = multipart.complete(store, ("bucket", "k", upload), claims, NO_CONDITION).stored
    else:
        assert parts == []
    again = multipart.complete(store, ("bucket", "k", upload), [], NO_CONDITION).stored
    assert again.etag == stored.etag
    with store.open("bucket", "k")[1] as file:
        assert file.read() == b"".join(BODIES)
    files = [path for path in (store.root / "blobs").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [stored.blob]
    assert not list((store.root / "tmp").iterdir())


def test_complete_and_abort_at_once(tmp_path: Path) -> None:
    """One of both wins; what lost leaves nothing behind."""
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("bucket", "us-east-1")
    won = {"complete": 0, "abort": 0}
    for number in range(30):
        key = f"k{number}"
        begun = multipart.create(store, "bucket", key, NO_ATTRIBUTES, NO_CHECKSUM)
        part = multipart.put_part(store, begun, 1, s3_writer.take(store, os.urandom(1000)))
        barrier = threading.Barrier(3)

        def attempt(work: Any, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            try:
                work()
            except S3Error as error:
                return error.code
            return ""

        def complete(begun: Any = begun, part: Any = part) -> Any:
            target = ("bucket", begun.key, begun.id)
            return multipart.complete(store, target, [Claim(1, part.etag)], NO_CONDITION)

        def abort(begun: Any = begun) -> None:
            multipart.abort(store, "bucket", begun.key, begun.id)

        with ThreadPoolExecutor(3) as pool:
            results = [pool.submit(attempt, work) for work in (complete, complete, abort)]
            first, second, aborted = [each.result() for each in results]
        assert (first == "") is (second == "") is (aborted != "")
        assert {first, second, aborted} <= {"", "NoSuchUpload", "InvalidPart"}
        won["complete" if aborted else "abort"] += 1
        with store.database.read() as connection:
            assert (index.find_object(connection, "bucket", key) is None) is (aborted == "")
    assert sum(won.values()) == 30
    with store.database.read() as connection:
        named = index.blobs_in_use(connection)
    assert {path.name for path in (store.root / "blobs").rglob("*") if path.is_file()} == named
    assert len(named) == won["complete"]
    store.close()
