"""Fixtures: `gateway` (a running server), `s3` (boto3), `bucket` (a fresh one)."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from s3_server import Running, client, serve


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from serve(tmp_path_factory.mktemp("s3"))


@pytest.fixture(scope="module")
def s3(gateway: Running) -> Iterator[Any]:
    made = client(gateway.url)
    yield made
    made.close()


_names = itertools.count()


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"test-{next(_names)}"
    s3.create_bucket(Bucket=name)
    return name
