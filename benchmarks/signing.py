"""Signed requests of the services' protocols, to be sent by hand."""

import json
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import stored

_TARGETS = {"sagemaker": "SageMaker", "studio": "Studio"}


def unsigned(
    url: str, operation: str, request: dict[str, Any], service: str = "sagemaker"
) -> AWSRequest:
    headers = {
        "Host": urlsplit(url).netloc,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
    }
    return AWSRequest("POST", url, headers, json.dumps(request).encode())


def signer(env: dict[str, str], service: str = "sagemaker") -> SigV4Auth:
    """For the keys in an environment."""
    keys = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    return SigV4Auth(keys, service, stored.REGION)


def signed(
    url: str,
    env: dict[str, str],
    operation: str,
    request: dict[str, Any],
    service: str = "sagemaker",
) -> AWSRequest:
    made = unsigned(url, operation, request, service)
    signer(env, service).add_auth(made)
    return made


def signed_metrics(url: str, env: dict[str, str], request: dict[str, Any]) -> AWSRequest:
    """A BatchPutMetrics."""
    headers = {"Host": urlsplit(url).netloc, "Content-Type": "application/json"}
    body = json.dumps(request).encode()
    made = AWSRequest("PUT", f"{url.rstrip('/')}/BatchPutMetrics", headers, body)
    signer(env).add_auth(made)
    return made
