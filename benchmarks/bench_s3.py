"""The object store: durable writes, large contents, an upload in parts, a list of many keys."""

import os
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from benchmarks import running
from benchmarks.harness import Row, median_of
from studio.db.session import Database
from studio.s3 import index
from studio.s3.index import StoredObject

_SMALL = 300
_LARGE_BYTES = 64 << 20
_PART_BYTES = 8 << 20
_PARTS = 640
_KEYS = 100_000
_LISTS = 200
_TARGET = {"Bucket": "bench", "Key": "large"}


def run() -> list[Row]:
    with running.studio() as it:
        s3 = it.client("s3")
        s3.create_bucket(Bucket="bench")
        return [*_small(s3), *_large(s3), _in_parts(s3, it.pid), *_lists(s3, it.home)]


def _small(s3: Any) -> list[Row]:
    body = os.urandom(4096)
    puts = _timed(lambda at: s3.put_object(Bucket="bench", Key=f"small/{at}", Body=body), _SMALL)
    gets = _timed(
        lambda at: s3.get_object(Bucket="bench", Key=f"small/{at}")["Body"].read(), _SMALL
    )
    return [
        Row("S3 PUT of 4 KiB, durable, p50", statistics.median(puts) * 1000, "ms", "10 ms"),
        Row("S3 GET of 4 KiB, p50", statistics.median(gets) * 1000, "ms", ""),
    ]


def _large(s3: Any) -> list[Row]:
    body = os.urandom(_LARGE_BYTES)

    def put() -> float:
        return _rate(lambda: s3.put_object(**_TARGET, Body=body))

    def get() -> float:
        return _rate(lambda: _read(s3))

    return [
        Row("S3 PUT of 64 MiB", median_of(put), "MB/s", "120 MB/s"),
        Row("S3 GET of 64 MiB", median_of(get), "MB/s", "300 MB/s"),
    ]


def _in_parts(s3: Any, pid: int) -> Row:
    """How much the control plane grows; the client sends one part after the other."""
    body = os.urandom(_PART_BYTES)
    before = _resident(pid)
    upload = s3.create_multipart_upload(Bucket="bench", Key="parts")["UploadId"]
    target = {"Bucket": "bench", "Key": "parts", "UploadId": upload}
    parts, most = [], before
    for number in range(1, _PARTS + 1):
        etag = s3.upload_part(**target, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
        most = max(most, _resident(pid))
    s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    most = max(most, _resident(pid))
    s3.delete_object(Bucket="bench", Key="parts")
    size = f"{_PARTS * _PART_BYTES / (1 << 30):.2g} GiB"
    return Row(f"S3 upload of {size} in parts, growth of memory", most - before, "MiB", "32 MiB")


def _lists(s3: Any, home: Path) -> list[Row]:
    s3.create_bucket(Bucket="many")
    database = Database(f"sqlite:///{home / 's3' / 'index.db'}")
    database.write(_fill)
    database.close()

    def url(at: int, **more: str) -> str:
        where = {"Bucket": "many", "StartAfter": f"key/{at * 500:08d}", **more}
        return str(s3.generate_presigned_url("list_objects_v2", Params=where))

    with requests.Session() as session:
        urls = [url(at % 190) for at in range(_LISTS)]
        plain = _timed(lambda at: session.get(urls[at]).raise_for_status(), _LISTS)
        urls = [url(0, Delimiter="/", StartAfter="") for _ in range(20)]
        grouped = _timed(lambda at: session.get(urls[at]).raise_for_status(), 20)
    p99 = statistics.quantiles(plain, n=100)[-1] * 1000
    name = f"S3 list of 1,000 of {_KEYS:,} keys"
    return [
        Row(f"{name}, p99 of {_LISTS}", p99, "ms", "100 ms"),
        Row(f"{name}, p50", statistics.median(plain) * 1000, "ms", ""),
        Row(f"{name} under one common prefix, p50", statistics.median(grouped) * 1000, "ms", ""),
    ]


def _fill(connection: Any) -> None:
    for number in range(_KEYS):
        key = f"key/{number:08d}"
        index.insert_object(connection, StoredObject("many", key, 1, "0" * 32, 1, f"{number:032x}"))


def _read(s3: Any) -> bytes:
    body: bytes = s3.get_object(**_TARGET)["Body"].read()
    return body


def _timed(ask: Callable[[int], object], times: int) -> list[float]:
    taken = []
    for at in range(times):
        begun = time.perf_counter()
        ask(at)
        taken.append(time.perf_counter() - begun)
    return taken


def _rate(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return _LARGE_BYTES / 1e6 / (time.perf_counter() - begun)


def _resident(pid: int) -> float:
    """Memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(match[1]) / 1024 if match else 0.0
