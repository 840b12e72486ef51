"""Points s3fs's tests to Studio instead of a server of moto's.

Their buckets are made with the ACL `public-read`, which AWS has refused for new buckets since 2023 and moto
takes without effect; that argument is left out.
"""

import os
from typing import Any

import botocore.session
import moto.moto_server.threaded_moto_server as servers
import pytest
from leftovers import delete_buckets
from no_moto import RunningServer

servers.ThreadedMotoServer = RunningServer
_REAL_CLIENT = botocore.session.Session.create_client


@pytest.fixture(autouse=True)
def _a_clean_store(request: pytest.FixtureRequest) -> None:
    if request.module.__name__.endswith("test_s3fs"):
        delete_buckets(botocore.session.get_session().create_client("s3"))


@pytest.fixture(scope="class", autouse=True)
def _a_clean_store_for_a_class(request: pytest.FixtureRequest) -> None:
    if "derived" in request.module.__name__:
        delete_buckets(botocore.session.get_session().create_client("s3"))


def pytest_collection_modifyitems() -> None:
    from s3fs.tests import test_s3fs
    from s3fs.tests.derived import s3fs_fixtures

    for module in (test_s3fs, s3fs_fixtures):
        module.endpoint_uri = os.environ["AWS_ENDPOINT_URL"]
    botocore.session.Session.create_client = _client


def _client(session: botocore.session.Session, *arguments: object, **options: object) -> Any:
    made = _REAL_CLIENT(session, *arguments, **options)
    made.meta.events.register("provide-client-params.s3.CreateBucket", _no_acl)
    return made


def _no_acl(params: dict, **_event: object) -> dict:
    return {name: value for name, value in params.items() if name != "ACL"}
