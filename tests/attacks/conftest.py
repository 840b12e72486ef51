"""`studio`: one of these tests' own, so that nothing else moves in it. `ports`: its three doors."""

import json
from collections.abc import Iterator

import pytest
from hostile import Port, Signer
from studios import RunningStudio, run_studio, running_studio


@pytest.fixture(scope="package")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("attacked") / "home") as running:
        running.client("s3").create_bucket(Bucket="castle")
        running.client("s3").put_object(Bucket="castle", Key="k", Body=b"old")
        yield running


@pytest.fixture(scope="package")
def ports(studio: RunningStudio) -> dict[str, Port]:
    """The control plane's port, the same over TLS, and the router's."""
    told = run_studio("env", "--tls", "--format", "json", "--home", studio.home, env=studio.env)
    values = json.loads(told)
    return {
        "plain": Port.at(studio.url),
        "tls": Port.at(values["AWS_ENDPOINT_URL"], values["AWS_CA_BUNDLE"]),
        "router": Port.at(studio.router_url),
    }


@pytest.fixture(scope="package")
def owner(studio: RunningStudio) -> Signer:
    return Signer(studio.env["AWS_ACCESS_KEY_ID"], studio.env["AWS_SECRET_ACCESS_KEY"])
