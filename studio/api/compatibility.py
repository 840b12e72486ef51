"""docs/compatibility.md: every operation of the services that Studio speaks, and its state.

`python -m studio.api.compatibility > docs/compatibility.md`
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator

import botocore
from botocore.model import OperationModel

from studio.api import registry
from studio.s3 import routes
from studio.s3.errors import S3Error
from studio.s3.message import Request
from studio.wire import models

_TITLES = {
    "sagemaker": "SageMaker",
    "sagemaker-metrics": "SageMaker Metrics",
    "sagemaker-runtime": "SageMaker Runtime",
    "s3": "S3",
    "cloudwatch": "CloudWatch",
    "logs": "CloudWatch Logs",
    "sts": "Security Token Service",
    "iam": "Identity and Access Management",
    "scheduler": "EventBridge Scheduler",
    "application-autoscaling": "Application Auto Scaling",
    "sns": "Simple Notification Service",
    "studio": "Studio",
}
_STATES = ("executes", "stored", "not yet")
# The router serves these; it stands on its own and registers nothing here.
_ROUTED = ("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream")
_ELSEWHERE = {"ListDirectoryBuckets"}  # asks as ListBuckets does, at an address of its own

_HEAD = """\
# Compatibility

Every operation in the service models of botocore {version}, and of the service
[`studio`](reference/studio-service.md), which is Studio's own. *Executes*: the operation does what
AWS documents, within these [limits](reference/limits.md). *Stored*: Studio keeps what it is given
and returns it, no more. *Not yet*: the answer is the error `UnknownOperationException` (S3:
`NotImplemented`), HTTP status 4xx, which names the operation.

This page is generated: `python -m studio.api.compatibility > docs/compatibility.md`.

| service | operations | executes | stored | not yet |
| --- | --: | --: | --: | --: |
"""


def page() -> str:
    """The whole page, as Markdown."""
    registry.load()
    states = {service: dict(_states(service)) for service in _TITLES}
    parts = [_HEAD.format(version=botocore.__version__)]
    for service, title in _TITLES.items():
        counts = Counter(states[service].values())
        numbers = [len(states[service]), *(counts[state] for state in _STATES)]
        parts.append(f"| {title} | {' | '.join(map(str, numbers))} |\n")
    for service, title in _TITLES.items():
        parts.append(f"\n## {title}\n\n| operation | state |\n| --- | --- |\n")
        parts += [f"| {name} | {state} |\n" for name, state in states[service].items()]
    return "".join(parts)


def _states(service: str) -> Iterator[tuple[str, str]]:
    for name in sorted(models.service_model(service).operation_names):
        yield name, _state(service, name)


def _state(service: str, name: str) -> str:
    operation = registry.find(service, name)
    if operation is not None:
        return "stored" if operation.stored else "executes"
    if service == "s3":
        return "executes" if gateway_serves(name) else "not yet"
    return "executes" if service == "sagemaker-runtime" and name in _ROUTED else "not yet"


def gateway_serves(name: str) -> bool:
    """Whether the S3 gateway has a route for the request that a client makes of `name`."""
    operation = models.operation_model("s3", name)
    if operation is None or name in _ELSEWHERE:
        return False
    try:
        routes.find(_request(operation))
    except S3Error:
        return False
    return True


def _request(operation: OperationModel) -> Request:
    uri, _, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    required = [] if shape is None else [shape.members[name] for name in shape.required_members]
    named = {
        kind: {
            member.serialization["name"].lower()
            if kind == "header"
            else member.serialization["name"]: "x"
            for member in required
            if member.serialization.get("location") == kind
        }
        for kind in ("header", "querystring")
    }
    static = dict(re.findall(r"([^=&]+)=?([^&]*)", query))
    return Request(
        id="",
        method=operation.http["method"],
        path=uri,
        bucket="b" if uri != "/" else "",
        key="k" if "{Key+}" in uri else "",
        query=static | named["querystring"],
        headers=named["header"],
    )


if __name__ == "__main__":
    sys.stdout.write(page())
