"""`anywhere`: a Studio with its own S3, and one whose S3 is another's, over https."""

import outside
import pytest


@pytest.fixture(scope="session", params=["own", "https"])
def anywhere(request, tmp_path_factory):
    if request.param == "own":
        yield request.getfixturevalue("studio")
    else:
        with outside.running(tmp_path_factory.mktemp("outside"), request.param) as running:
            yield running
