"""One asynchronous request: its input goes from S3 to a model server, the answer to the disk.

Nothing here knows of the queue: what comes of a request is an Answered, or one of the exceptions.
"""

import http.client
import io
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from studio import durable
from studio.errors import ApiError, ValidationException
from studio.s3.client import Storage, hosted_bucket, parse_uri
from studio.serving import errors
from studio.serving.backlog import Request

LARGEST = 1_073_741_824
"""Bytes of an input, and of an answer."""
_CHUNK = 1_048_576
_CONNECT_SECONDS = 2.0
_MOST_ERROR = 16_384
_HEADERS = {
    "content-type": "Content-Type",
    "accept": "Accept",
    "custom-attributes": "X-Amzn-SageMaker-Custom-Attributes",
}


class NoInput(Exception):
    """The input can't be had, and trying again will not help: a text for the client."""


class Unreachable(Exception):
    """The server accepts no connection: it has seen nothing of the request."""


class Broken(Exception):
    """The server has begun with the request, and gave no whole answer."""


class Unstorable(Exception):
    """The answer can't be written to the disk now."""


class Refused(Exception):
    """The model's answer is an error, or none in time: `status` is its own, 0 without any."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass(frozen=True)
class Answered:
    """The answer of a model; its body is on disk."""

    content_type: str
    size: int
    download_us: int
    """Time that the input took to come."""
    model_us: int


def invoke(
    request: Request, address: str, storage: Storage, target: Path, cafile: str | None = None
) -> Answered:
    """Ask the server at `address`, host:port, and write what it answers to `target`, durably.

    Raises NoInput, Unreachable, Broken, Refused, Unstorable.
    """
    begun = time.monotonic()
    with _input(request, storage, cafile) as (body, size):
        opened = time.monotonic()
        connection = _connected(address)
        try:
            content_type, length = _exchanged(request, connection, body, size, target)
        finally:
            connection.close()
    done = time.monotonic()
    return Answered(content_type, length, _us(opened - begun), _us(done - opened))


def location(uri: str) -> tuple[str, str]:
    """Bucket and key of an object, given as s3:// or as an https:// URL of Amazon S3. Raises
    NoInput."""
    try:
        if uri.startswith("s3://"):
            return parse_uri(uri)
        parts = urlsplit(uri)
        bucket = hosted_bucket(parts.netloc)
    except (ValidationException, ValueError) as error:
        raise NoInput(f"The input location {uri} is not valid.") from error
    if bucket is None:
        raise NoInput(f"The input location {uri} is not an address of Amazon S3.")
    return bucket, unquote(parts.path.lstrip("/"))


@contextmanager
def _input(
    request: Request, storage: Storage, cafile: str | None
) -> Iterator[tuple[IO[bytes], int]]:
    """The body for the model, and its size."""
    uri = request.spec["input"]
    if not uri:
        body = request.body or b""
        yield io.BytesIO(body), len(body)
        return
    bucket, key = location(uri)
    try:
        found = storage.head(bucket, key)
    except ApiError as error:  # S3's own are such too
        raise NoInput(f"The input {uri} could not be read: {error.message}") from error
    if found is None:
        raise NoInput(f"The input {uri} does not exist.")
    if found.size > LARGEST:
        raise NoInput(f"The input {uri} is larger than {LARGEST} bytes.")
    local, url = storage.source(found)
    with _opened(local, url, cafile) as file:
        yield file, found.size


def _opened(local: str, url: str, cafile: str | None) -> Any:
    if local:
        return Path(local).open("rb")
    context = ssl.create_default_context(cafile=cafile) if url.startswith("https:") else None
    return urllib.request.urlopen(url, timeout=60.0, context=context)


def _connected(address: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(address, timeout=_CONNECT_SECONDS, blocksize=_CHUNK)
    try:
        connection.connect()
    except OSError as error:
        raise Unreachable(str(error)) from error
    return connection


def _exchanged(
    request: Request,
    connection: http.client.HTTPConnection,
    body: IO[bytes],
    size: int,
    target: Path,
) -> tuple[str, int]:
    """Content type and size of the answer."""
    deadline = time.monotonic() + request.spec["seconds"]
    said: dict[str, str] = request.spec["headers"]
    headers = {_HEADERS[name]: value for name, value in said.items()}
    headers |= {"Content-Length": str(size), "Connection": "close"}
    headers["X-Amzn-SageMaker-Inference-Id"] = request.spec["inference_id"]
    socket = connection.sock
    try:
        socket.settimeout(request.spec["seconds"])
        connection.request("POST", "/invocations", body, headers)
        socket.settimeout(max(deadline - time.monotonic(), 0.001))
        answer = connection.getresponse()
        if not 200 <= answer.status < 300:
            text = answer.read(_MOST_ERROR).decode("utf-8", "replace")
            raise Refused(answer.status, text)
        length = _spooled(answer, socket, deadline, target)
    except TimeoutError as error:
        raise Refused(0, errors.TIMED_OUT) from error
    except (OSError, http.client.HTTPException) as error:
        raise Broken(errors.CLOSED) from error
    return answer.headers.get("Content-Type", "application/octet-stream"), length


def _spooled(answer: http.client.HTTPResponse, socket: Any, deadline: float, target: Path) -> int:
    """Write the body of an answer to a file, to stay; its size."""
    length = 0
    with target.open("wb") as file:
        while chunk := answer.read1(_CHUNK):
            length += len(chunk)
            if length > LARGEST:
                raise Refused(0, errors.TOO_LARGE.format(limit=LARGEST))
            _kept(file, chunk)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            socket.settimeout(left)
        if answer.length:  # the connection ended before the body did
            raise http.client.IncompleteRead(b"", answer.length)
        _kept(file, b"")
    target.chmod(0o600)
    durable.sync_dir(target.parent)
    return length


def _kept(file: IO[bytes], chunk: bytes) -> None:
    """Write to the disk, which is not to be blamed on the server; b"": all is written."""
    try:
        file.write(chunk)
        if not chunk:
            file.flush()
            durable.sync(file.fileno())
    except OSError as error:
        raise Unstorable(str(error)) from error


def _us(seconds: float) -> int:
    return int(seconds * 1e6)
