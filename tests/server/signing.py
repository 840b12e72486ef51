"""Requests as raw bytes, signed or not: what no polite client would send."""

import datetime
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from plane import KEY, SECRET, Plane


def raw(
    plane: Plane,
    method: str = "POST",
    path: str = "/",
    body: bytes = b"{}",
    service: str = "sagemaker",
    region: str = "us-east-1",
    **headers: str,
) -> bytes:
    """A signed request. Keyword `X_Amz_Target` is the header X-Amz-Target."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method=method, url=plane.url + path, data=body, headers=named)
    request.headers["Host"] = urlsplit(plane.url).netloc
    botocore.auth.SigV4Auth(Credentials(KEY, SECRET), service, region).add_auth(request)
    return message(method, path, dict(request.headers.items()), body)


def message(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as given, but for its length and the end of the connection."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def target(operation: str) -> dict[str, str]:
    return {
        "X_Amz_Target": f"SageMaker.{operation}",
        "Content_Type": "application/x-amz-json-1.1",
    }


def timestamp(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y%m%dT%H%M%SZ")


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0
