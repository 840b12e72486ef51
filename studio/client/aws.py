"""Signed requests to Studio, from what is in the environment. Standard library only."""

import json
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    import http.client

_SECONDS = 20.0
_TARGETS = {"sagemaker": "SageMaker", "studio": "Studio"}
_fetched: dict[str, Any] = {}


class Refused(Exception):
    """The server's answer is an error; `status` 500 and beyond, and a 403 that is not `denied`, may
    pass."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code

    @property
    def denied(self) -> bool:
        """Whether no policy allows it: to ask again would change nothing."""
        return self.status == 403 and self.code in ("AccessDeniedException", "AccessDenied")


def url() -> str:
    """Where Studio listens, "" when the environment does not say."""
    return os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("STUDIO_URL", "")


def call(service: str, operation: str, document: dict[str, Any]) -> dict[str, Any]:
    """What an operation of `sagemaker` or `studio` answers. Raises Refused and OSError."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
    }
    answer = _send(url(), service, "POST", "/", headers, json.dumps(document).encode())
    found: dict[str, Any] = json.loads(answer or b"{}")
    return found


def upload(bucket: str, key: str, body: bytes) -> None:
    """Put an object; the bucket is made when there is none. Raises Refused and OSError."""
    place = os.environ.get("AWS_ENDPOINT_URL_S3") or url()
    path = f"/{bucket}/{quote(key)}"
    try:
        _send(place, "s3", "PUT", path, {}, body)
    except Refused as error:
        if error.status != 404:
            raise
        _send(place, "s3", "PUT", f"/{bucket}", {}, b"")
        _send(place, "s3", "PUT", path, {}, body)


def _send(
    to: str, service: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> bytes:
    import http.client  # slow to import, and needed here only

    parts = urlsplit(to)
    connection = _connection(parts.scheme, parts.netloc)
    try:
        whole = parts.path.rstrip("/") + path
        signed = _signed(service, method, whole, parts.netloc, headers, body)
        connection.request(method, whole, body, signed)
        answer = connection.getresponse()
        data = answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if answer.status >= 300:
        raise _refused(answer.status, data)
    return data


def _connection(scheme: str, place: str) -> "http.client.HTTPConnection":
    import http.client

    if scheme != "https":
        return http.client.HTTPConnection(place, timeout=_SECONDS)
    import ssl

    known = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    return http.client.HTTPSConnection(place, timeout=_SECONDS, context=known)


def _refused(status: int, data: bytes) -> Refused:
    try:
        said = json.loads(data)
        return Refused(status, str(said.get("__type", "")), str(said.get("message", "")))
    except (ValueError, AttributeError):
        text = data[:2000].decode(errors="replace")
        code, message = (_element(text, name) for name in ("Code", "Message"))
        return Refused(status, code, message or text[:500])


def _element(text: str, name: str) -> str:
    """What S3's XML says there; "" when it does not."""
    return text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]


def _signed(
    service: str, method: str, path: str, host: str, headers: dict[str, str], body: bytes
) -> dict[str, str]:
    """The headers, with a signature of version 4.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    """
    import hashlib  # not needed by a program that only logs
    import hmac

    key, secret, token = _credentials()
    now = time.gmtime()
    stamp, day = time.strftime("%Y%m%dT%H%M%SZ", now), time.strftime("%Y%m%d", now)
    digest = hashlib.sha256(body).hexdigest()
    more = {**headers, "Host": host, "X-Amz-Date": stamp, "X-Amz-Content-Sha256": digest}
    if token:
        more["X-Amz-Security-Token"] = token
    lines = sorted((name.lower(), value.strip()) for name, value in more.items())
    names = ";".join(name for name, _ in lines)
    head = "".join(f"{name}:{value}\n" for name, value in lines)
    request = "\n".join((method, path, "", head, names, digest))
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    link = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        link = hmac.new(link, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(link, text.encode(), hashlib.sha256).hexdigest()
    more["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return more


def _credentials() -> tuple[str, str, str]:
    """Key, secret and token: those of the environment, else those that a job's host gives."""
    key = os.environ.get("AWS_ACCESS_KEY_ID")
    if key:
        secret = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        return key, secret, os.environ.get("AWS_SESSION_TOKEN", "")
    where = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not where:
        raise OSError("there are no credentials in the environment; see `studio env`")
    if _fetched.get("until", 0.0) < time.time():
        _fetched.update(_of_the_host(where), until=time.time() + 300)
    return _fetched["AccessKeyId"], _fetched["SecretAccessKey"], _fetched["Token"]


def _of_the_host(where: str) -> dict[str, Any]:
    from urllib.request import Request, urlopen

    request = Request(where)
    token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if token:
        request.add_header("Authorization", token)
    with urlopen(request, timeout=_SECONDS) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found
