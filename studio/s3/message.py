"""One request and one response of S3, as values. Knows nothing of sockets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from studio.identity.principals import Principal
from studio.s3.errors import S3Error, invalid_argument
from studio.s3.index import StoredObject
from studio.s3.integrity import Readable
from studio.s3.names import check_bucket, check_key
from studio.s3.store import Content, ObjectStore
from studio.s3.versions import check_id

if TYPE_CHECKING:
    from studio.s3.access import Access


@dataclass(frozen=True)
class Request:
    """`path` is raw as on the wire; bucket and key are "" where it names none."""

    id: str
    method: str
    path: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version that is asked for, "" for the present one. Raises S3Error."""
        version = self.query.get("versionId")
        return "" if version is None else check_id(version)


@dataclass(frozen=True)
class Form:
    """What a POST form says of its file; `headers` as if they had come with a PUT."""

    key: str
    headers: Mapping[str, str]
    redirect: str
    status: str


@dataclass(frozen=True)
class Body:
    """What came with a request: a blob in the store (from a form, with the form), or bytes."""

    data: bytes = b""
    content: Content | None = None
    form: Form | None = None

    def stored(self) -> Content:
        if self.content is None:
            raise RuntimeError("the route did not ask for a blob")
        return self.content


@dataclass(frozen=True)
class Call:
    """What a handler needs. Handlers run in worker threads and may block."""

    store: ObjectStore
    account: str
    region: str
    request: Request
    body: Body
    principal: Principal
    access: "Access"

    def permits(self, action: str, bucket: str, key: str = "") -> bool:
        """Whether whoever asks may also do this, such as `s3:DeleteObject`."""
        return self.access.allows(self.principal, action, bucket, key)


@dataclass(frozen=True)
class Slice:
    """`size` bytes of an open file from `start`; whoever sends them closes it."""

    file: Readable
    start: int
    size: int


@dataclass(frozen=True)
class Response:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Slice = b""


def parse_target(path: str) -> tuple[str, str]:
    """Bucket and key of a raw path, each percent-decoded by itself: `%2F` never splits."""
    if not path.startswith("/"):
        raise S3Error("InvalidURI", "Couldn't parse the specified URI.", URI=path)
    raw_bucket, _, raw_key = path[1:].partition("/")
    bucket, key = _decoded(raw_bucket), _decoded(raw_key)
    if bucket or key:
        check_bucket(bucket)
    if key:
        check_key(key)
    return bucket, key


def parse_query(query: str) -> dict[str, str]:
    """The first value of each parameter."""
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=256, separator="&"
        )
    except ValueError as error:
        raise invalid_argument("query", "", "The query string is not valid.") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name, value)
    return values


def parse_copy_source(value: str) -> tuple[str, str, str]:
    """Bucket, key and version ("" for the present one) of an `x-amz-copy-source` header."""
    path, _, query = value.partition("?")
    version = ""
    if query:
        name, _, version = query.partition("=")
        if name != "versionId":
            raise invalid_argument("x-amz-copy-source", value, "Invalid version id specified")
        check_id(version)
    bucket, key = parse_target(path if path.startswith("/") else f"/{path}")
    if not bucket or not key:
        raise invalid_argument(
            "x-amz-copy-source", value, "Copy Source must mention the source bucket and key"
        )
    return bucket, key, version


def quoted(stored: StoredObject) -> str:
    """The ETag as HTTP writes it."""
    return f'"{stored.etag}"'


def _decoded(raw: str) -> str:
    try:
        text = unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError as error:
        raise S3Error("InvalidURI", "Couldn't parse the specified URI.", URI=raw) from error
    if "\0" in text:
        raise S3Error("InvalidURI", "Couldn't parse the specified URI.", URI=raw)
    return text
