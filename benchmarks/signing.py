"""Signed requests of SageMaker's protocol, to be sent by hand."""

import json
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import stored


def unsigned(url: str, operation: str, request: dict[str, Any]) -> AWSRequest:
    headers = {
        "Host": urlsplit(url).netloc,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"SageMaker.{operation}",
    }
    return AWSRequest("POST", url, headers, json.dumps(request).encode())


def signer(env: dict[str, str]) -> SigV4Auth:
    """For the keys in an environment."""
    keys = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    return SigV4Auth(keys, "sagemaker", stored.REGION)


def signed(url: str, env: dict[str, str], operation: str, request: dict[str, Any]) -> AWSRequest:
    made = unsigned(url, operation, request)
    signer(env).add_auth(made)
    return made
