"""Lists of a bucket with 100,000 keys, beside SQLite's reading of the same rows."""

import sqlite3
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from benchmarks import running
from benchmarks.clocks import each
from benchmarks.harness import Row, at_most
from studio.db.session import Database
from studio.s3 import index

_KEYS = 100_000
_LISTS = 200
_ROWS = "SELECT * FROM object WHERE bucket = 'many' AND key > ? ORDER BY key LIMIT 1000"


def run() -> list[Row]:
    with running.studio() as it, requests.Session() as session:
        s3, path = it.client("s3"), it.home / "s3" / "index.db"
        s3.create_bucket(Bucket="many")
        s3.put_object(Bucket="many", Key="first", Body=b"1")
        _fill(path)
        urls = [_url(s3, StartAfter=_key(at % 190 * 500)) for at in range(_LISTS)]
        plain = each(lambda at: session.get(urls[at]).raise_for_status(), _LISTS)
        url = _url(s3, Delimiter="/")
        grouped = each(lambda _: session.get(url).raise_for_status(), 20)
        p99, peer = _p99(plain), _p99(_peer(path))
    name, middle = f"S3 list of 1,000 of {_KEYS:,} keys", statistics.median(plain) * 1000
    grouped_p50 = statistics.median(grouped) * 1000
    return [
        Row(f"{name}, p99", p99, "ms", at_most(100), "SQLite, p99", peer, peer / p99),
        Row(f"{name}, p50", middle, "ms"),
        Row(f"S3 list of {_KEYS:,} keys under one common prefix, p50", grouped_p50, "ms"),
    ]


def _peer(path: Path) -> list[float]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return each(lambda at: connection.execute(_ROWS, [_key(at % 190 * 500)]).fetchall(), _LISTS)
    finally:
        connection.close()


def _p99(seconds: list[float]) -> float:
    """In milliseconds."""
    return statistics.quantiles(seconds, n=100)[-1] * 1000


def _url(s3: Any, **where: str) -> str:
    return str(s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "many", **where}))


def _key(number: int) -> str:
    return f"key/{number:08d}"


def _fill(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    try:
        database.write(_insert)
    finally:
        database.close()


def _insert(connection: Any) -> None:
    """Keys of one content, which is there."""
    first = index.find_object(connection, "many", "first")
    assert first is not None
    for number in range(_KEYS):
        index.insert_object(connection, replace(first, key=_key(number)))
