"""Points aiobotocore's tests to Studio instead of servers of moto's, with the home's key."""

import os

import moto.server
import pytest
from no_moto import RunningServer

moto.server.ThreadedMotoServer = RunningServer
# Taken now: the tests empty the environment of whatever begins with AWS_.
_AUTH = {
    "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
}


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """The key in the place of the one that moto does not look at."""
    if fixturedef.argname != "aws_auth":
        return None
    fixturedef.cached_result = (_AUTH, fixturedef.cache_key(request), None)
    return _AUTH
