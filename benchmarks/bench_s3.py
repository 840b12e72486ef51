"""The object store beside plain files: durable writes of 4 KiB, and 64 MiB to and fro."""

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import running
from benchmarks.clocks import each, seconds
from benchmarks.harness import Row, at_least, at_most

_SMALL = 300
_LARGE_BYTES = 64 << 20
_TARGET = {"Bucket": "bench", "Key": "large"}
_PEER = "write, fsync, rename"


def run() -> list[Row]:
    with running.studio() as it, tempfile.TemporaryDirectory(dir=it.home.parent) as folder:
        s3 = it.client("s3")
        s3.create_bucket(Bucket="bench")
        return [*_small(s3, Path(folder)), *_large(s3, Path(folder))]


def _small(s3: Any, folder: Path) -> list[Row]:
    body = os.urandom(4096)
    puts = each(lambda at: s3.put_object(Bucket="bench", Key=f"small/{at}", Body=body), _SMALL)
    gets = each(lambda at: s3.get_object(Bucket="bench", Key=f"small/{at}")["Body"].read(), _SMALL)
    files = each(lambda at: _write(folder / str(at), body), _SMALL)
    put, get, peer = (statistics.median(times) * 1000 for times in (puts, gets, files))
    return [
        Row("S3 PUT of 4 KiB, durable, p50", put, "ms", at_most(10), _PEER, peer, peer / put),
        Row("S3 GET of 4 KiB, p50", get, "ms"),
    ]


def _large(s3: Any, folder: Path) -> list[Row]:
    body, path = os.urandom(_LARGE_BYTES), folder / "large"
    written, read = _rate(lambda: _write(path, body)), _rate(path.read_bytes)
    put = _rate(lambda: s3.put_object(**_TARGET, Body=body))
    get = _rate(lambda: _read(s3))
    return [
        Row("S3 PUT of 64 MiB", put, "MB/s", at_least(120), _PEER, written, put / written),
        Row("S3 GET of 64 MiB", get, "MB/s", at_least(300), "read of a file", read, get / read),
    ]


def _read(s3: Any) -> bytes:
    body: bytes = s3.get_object(**_TARGET)["Body"].read()
    return body


def _write(path: Path, body: bytes) -> None:
    """What a program does that wants a file for sure."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def _rate(work: Callable[[], object]) -> float:
    """MB/s of something that moves the large body."""
    return _LARGE_BYTES / 1e6 / seconds(work)
