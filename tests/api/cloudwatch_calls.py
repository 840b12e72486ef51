"""`cloudwatch`: a client for each protocol that botocore has spoken to CloudWatch; `client`: the
one of this botocore; `namespace`: a fresh one. And what the tests ask of them all the time."""

import copy
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from plane import KEY, SECRET, Plane

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
# The tests may run long after they were collected.
START, END = NOW - timedelta(minutes=30), NOW + timedelta(hours=1)
# 2019 to 2025 query, then JSON; CBOR is what the model prefers. None: what this botocore chooses.
PROTOCOLS = ("query", "json", "smithy-rpc-v2-cbor", None)


def client_of(plane: Plane, protocol: str | None = None, **config: Any):
    """A client whose model knows one protocol only."""
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def only(service, kind, *args, **kwargs):
        model = load(service, kind, *args, **kwargs)
        if service != "cloudwatch" or kind != "service-2" or protocol is None:
            return model
        model = copy.deepcopy(model)
        model["metadata"] |= {"protocol": protocol, "protocols": [protocol]}
        if protocol == "query":
            del model["metadata"]["awsQueryCompatible"]
        return model

    loader.load_service_model = only
    return boto3.Session(botocore_session=session).client(
        "cloudwatch",
        region_name="us-east-1",
        endpoint_url=plane.url,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


@pytest.fixture(scope="module", params=PROTOCOLS, ids=str, name="cloudwatch")
def cloudwatch_fixture(plane, request):
    return client_of(plane, request.param)


@pytest.fixture(scope="module", name="client")
def client_fixture(plane):
    return client_of(plane)


@pytest.fixture(name="namespace")
def namespace_fixture():
    return f"team/{uuid.uuid4().hex[:8]}"


def refused(call, **arguments) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["Error"]["Message"]


def without_none(request: dict) -> dict:
    return {name: value for name, value in request.items() if value is not None}


def put(client, namespace, *data, **datum):
    client.put_metric_data(Namespace=namespace, MetricData=data or [datum])


def read(client, namespace, name="loss", dimensions=(), **changes) -> list[dict]:
    request = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": list(dimensions),
        "StartTime": START,
        "EndTime": END,
        "Period": 60,
        "Statistics": ["Average"],
    }
    answer = client.get_metric_statistics(**without_none(request | changes))
    assert answer["Label"] == name
    return answer["Datapoints"]


def stat(namespace, name="loss", statistic="Sum", period=60, **more) -> dict:
    metric = {"Namespace": namespace, "MetricName": name, **more}
    return {"Metric": metric, "Period": period, "Stat": statistic}
