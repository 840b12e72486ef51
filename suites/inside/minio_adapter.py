"""MinIO's functional tests are a program; pytest collects its functions, with what it sets up."""

import os
import urllib.parse
from pathlib import Path

import pytest
from minio import Minio

_MIB = 1024 * 1024


@pytest.fixture
def log_entry() -> dict:
    return {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    home = Path(os.environ["HOME"])
    sizes = {"_TEST_FILE": 1 * _MIB, "_LARGE_FILE": 11 * _MIB}
    for name, size in sizes.items():
        (home / name).write_bytes(os.urandom(size))
    for module in {item.module for item in items}:
        module._CLIENT = _client()
        module._IS_AWS = False
        for name in sizes:
            setattr(module, name, str(home / name))


def _client() -> Minio:
    return Minio(
        urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc,
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        secure=False,
    )
