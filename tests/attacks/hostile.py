"""What attacks are made of: raw connections, signatures of botocore's, and what must not change."""

import contextlib
import hashlib
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import apsw
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from studios import RunningStudio

_PATIENCE_SECONDS = 15.0

SAGEMAKER = {"Content-Type": "application/x-amz-json-1.1"}


@cache
def _context(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


@dataclass(frozen=True)
class Answer:
    """What came back, raw; `status` is 0 where the connection was closed in silence."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {
            name.lower(): value.strip() for name, _, value in (it.partition(":") for it in lines)
        }

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def is_whole(self) -> bool:
        length = self.headers.get("content-length", "0")
        return b"\r\n\r\n" in self.raw and len(self.body) >= int(length)

    @property
    def code(self) -> str:
        """The error's code, in whichever of AWS's formats it came."""
        if "x-amzn-errortype" in self.headers:
            return self.headers["x-amzn-errortype"]
        if self.body.startswith(b"{"):
            return str(json.loads(self.body).get("__type", ""))
        return self.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


@dataclass(frozen=True)
class Port:
    """A door of a Studio."""

    host: str
    port: int
    ca: str = ""

    @classmethod
    def at(cls, url: str, ca: str = "") -> "Port":
        parts = urlsplit(url)
        return cls(str(parts.hostname), int(parts.port or 0), ca)

    @property
    def netloc(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.ca else 'http'}://{self.netloc}"

    def send(self, data: bytes, to_the_end: bool = True) -> Answer:
        """The answer to `data`; it ends with the connection, or where its length says so."""
        received = b""
        with socket.create_connection((self.host, self.port), timeout=_PATIENCE_SECONDS) as plain:
            stream: socket.socket = plain
            if self.ca:
                stream = _context(self.ca).wrap_socket(plain, server_hostname=self.host)
            with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError), stream:
                stream.sendall(data)
                while piece := stream.recv(65536):
                    received += piece
                    if not to_the_end and Answer(received).is_whole:
                        break
        return Answer(received)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request on a connection of its own."""
        return self.send(message(method, path, {"Host": self.netloc, **(headers or {})}, body))


@dataclass(frozen=True)
class Signer:
    """Signs as botocore does, at any moment and for anything."""

    key: str
    secret: str
    token: str | None = None

    def headers(
        self,
        port: Port,
        method: str = "POST",
        path: str = "/",
        body: bytes = b"",
        service: str = "sagemaker",
        **how: Any,
    ) -> dict[str, str]:
        """All headers of the request. `headers`, `region`, `now` and `payload` may be given."""
        request = AWSRequest(method, port.url + path, dict(how.get("headers") or {}), body)
        request.headers["Host"] = how.get("host", port.netloc)
        kind = S3SigV4Auth if service == "s3" else SigV4Auth
        signer = kind(
            Credentials(self.key, self.secret, self.token), service, how.get("region", "us-east-1")
        )
        moment = (how.get("now") or datetime.now(UTC)).replace(tzinfo=None)
        declared = how.get("payload", hashlib.sha256(body).hexdigest())
        with (
            mock.patch.object(signer, "payload", return_value=declared),
            mock.patch("botocore.auth.get_current_datetime", return_value=moment),
        ):
            signer.add_auth(request)
        return dict(request.headers.items())

    def ask(
        self,
        port: Port,
        method: str = "POST",
        path: str = "/",
        body: bytes = b"",
        service: str = "sagemaker",
        **how: Any,
    ) -> Answer:
        signed = self.headers(port, method, path, body, service, **how)
        return port.send(message(method, path, signed, body))

    def call(self, port: Port, operation: str, document: Any, **how: Any) -> Answer:
        """An operation of SageMaker's."""
        more = {**SAGEMAKER, "X-Amz-Target": f"SageMaker.{operation}", **how.pop("headers", {})}
        return self.ask(port, body=json.dumps(document).encode(), headers=more, **how)


def message(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as given; its length and the end of the connection are added."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if "content-length" not in {name.lower() for name in headers}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


def refused(answer: Answer, *statuses: int, code: str | None = None) -> None:
    """Refused as asked for, in few words that give nothing away."""
    assert answer.status in statuses, answer.raw[:600]
    if code is not None:
        assert answer.code == code, answer.raw[:600]
    assert len(answer.body) <= 1024
    assert {"x-amzn-requestid", "x-amz-request-id"} & answer.headers.keys(), answer.raw[:600]
    for sign in (b"Traceback", b'File "', b"site-packages", b"sqlite", b"/home/", b".py"):
        assert sign not in answer.raw, answer.raw[:600]
    assert not [name for name in answer.headers if name.startswith("access-control")]


def state(home: Path) -> tuple[Any, ...]:
    """Rows, files and runs of a home: equal when nothing has happened in between."""
    rows = _rows(home / "studio.db", "resource", "run", "access_key", "call")
    index = _rows(home / "s3" / "index.db", "bucket", "object", "upload", "part")
    blobs = [*(home / "s3" / "blobs").rglob("*"), *(home / "s3" / "tmp").iterdir()]
    files = frozenset((str(it), it.stat().st_size) for it in blobs if it.is_file())
    return rows, index, files, frozenset(home.glob("runs/*"))


def _rows(path: Path, *tables: str) -> tuple[Any, ...]:
    with contextlib.closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as db:
        return tuple(sorted(db.execute(f"select * from {it}"), key=repr) for it in tables)


@contextlib.contextmanager
def nothing_happens(home: Path) -> Iterator[None]:
    before = state(home)
    yield
    assert state(home) == before


def untouched(studio: RunningStudio) -> contextlib.AbstractContextManager[None]:
    """Neither rows, nor objects, nor files, nor runs."""
    return nothing_happens(studio.home)
