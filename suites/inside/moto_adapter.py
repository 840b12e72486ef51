"""Points moto's own tests, which can talk to a server, to Studio instead of moto's server.

Moto signs with a key of its own invention and asks its server to forget everything between tests.
Here requests carry the home's key, and what tests made is deleted as any client would.
"""

import os

import boto3
import pytest
from leftovers import delete_buckets
from moto.core import models
from moto.core.config import default_user_config

os.environ["TEST_SERVER_MODE_ENDPOINT"] = os.environ["AWS_ENDPOINT_URL"]
default_user_config["core"]["mock_credentials"] = False
_REAL_CLIENT = boto3.client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    models.ServerModeMockAWS.reset = _reset


@pytest.fixture(autouse=True)
def _clean_slate(request: pytest.FixtureRequest) -> None:
    """A test that failed may leave moto in the belief that no new one has begun."""
    if request.node.get_closest_marker("requires_clean_slate"):
        delete_buckets(_REAL_CLIENT("s3"))


def _reset(_mock: models.ServerModeMockAWS) -> None:
    delete_buckets(_REAL_CLIENT("s3"))
