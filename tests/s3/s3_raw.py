"""Requests signed by botocore's signer and sent as they are, for what clients refuse to send."""

import hashlib
import http.client
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from s3_server import ACCESS_KEY, REGION, SECRET


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of an error document."""
        return ElementTree.fromstring(self.body).findtext("Code") if self.body else None


def sign(
    port: int,
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    payload: str | None = None,
    body: bytes = b"",
    **how: Any,
) -> dict[str, str]:
    """All headers of the signed request; `payload` is the declared hash of the body."""
    request = AWSRequest(method, f"http://127.0.0.1:{port}{target}", headers or {}, b"")
    signer = S3SigV4Auth(
        Credentials(how.get("key", ACCESS_KEY), how.get("secret", SECRET)),
        how.get("service", "s3"),
        how.get("region", REGION),
    )
    declared = payload or hashlib.sha256(body).hexdigest()
    moment = (how.get("now") or datetime.now(UTC)).replace(tzinfo=None)
    with (
        mock.patch.object(signer, "payload", return_value=declared),
        mock.patch("botocore.auth.get_current_datetime", return_value=moment),
    ):
        signer.add_auth(request)
    return dict(request.headers.items())


def send(port: int, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def call(
    port: int,
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    **how: Any,
) -> Answer:
    """Sign, add a Content-Length unless told the `length` header itself, send."""
    signed = sign(port, method, target, headers, body=body, **how)
    length = how.get("length", str(len(body)) if body or method in ("PUT", "POST") else None)
    if length is not None:
        signed["content-length"] = length
    return send(port, method, target, signed, body)
