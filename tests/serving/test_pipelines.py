"""Variants of several containers, on a real router before real servers."""

import json

import pytest
from botocore.exceptions import ClientError

from studio.serving.table import Container, Variant


@pytest.fixture
def containers(start_model) -> tuple[Container, ...]:
    names = ("first", "second")
    return tuple(Container(name, (start_model(name).address,)) for name in names)


def variant(containers, **more) -> Variant:
    return Variant("AllTraffic", 1.0, containers[0].servers, containers=containers, **more)


def ask(router, body: bytes, **more) -> dict:
    client = router.client()
    return client.invoke_endpoint(
        EndpointName="row", Body=body, ContentType="text/x-first", Accept="text/last", **more
    )


def test_what_one_container_answers_the_next_is_asked(start_router, containers):
    router = start_router()
    router.write({"row": [variant(containers)]})
    answer = ask(router, b"echo")
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    second = json.loads(answer["Body"].read())
    first = json.loads(second["body"])
    assert (first["server"], first["headers"]["Content-Type"]) == ("first", "text/x-first")
    assert (second["server"], second["headers"]["Content-Type"]) == ("second", "application/json")
    assert second["headers"]["Accept"] == "text/last"


def test_an_error_ends_the_row_and_names_its_container(start_router, containers):
    router = start_router()
    router.write({"row": [variant(containers)]})
    with pytest.raises(ClientError, match="from first with message") as caught:
        ask(router, b"status:503")
    assert caught.value.response["OriginalStatusCode"] == 503


def test_a_request_names_its_container(start_router, containers):
    router = start_router()
    router.write({"row": [variant(containers, direct=True)]})
    answer = ask(router, b"echo", TargetContainerHostname="second")
    assert json.loads(answer["Body"].read())["server"] == "second"
    for more, said in (({}, "must have"), ({"TargetContainerHostname": "third"}, "no container")):
        with pytest.raises(ClientError, match=said):
            ask(router, b"echo", **more)
