"""Points s3fs's tests to Studio instead of a server of moto's.

Their buckets are made with the ACL `public-read`, which AWS has refused for new buckets since 2023
and moto takes without effect; that argument is left out.
"""

import os

import botocore.session
import moto.moto_server.threaded_moto_server as servers
import pytest
from leftovers import delete_buckets
from no_moto import RunningServer

servers.ThreadedMotoServer = RunningServer


@pytest.fixture(autouse=True)
def _a_clean_store() -> None:
    delete_buckets(botocore.session.get_session().create_client("s3"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from s3fs.tests import test_s3fs

    test_s3fs.endpoint_uri = os.environ["AWS_ENDPOINT_URL"]
    real = test_s3fs.get_boto3_client

    def client() -> object:
        made = real()
        made.meta.events.register("provide-client-params.s3.CreateBucket", _no_acl)
        return made

    test_s3fs.get_boto3_client = client


def _no_acl(params: dict, **_event: object) -> dict:
    return {name: value for name, value in params.items() if name != "ACL"}
