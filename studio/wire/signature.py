"""What the kinds of signature have in common: the question, the answer, the refusal."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

Kind = Literal["missing", "malformed", "unknown_key", "mismatch", "skewed", "expired", "scope"]

DUMMY_SECRET = "the secret of a key that does not exist"
"""Signs in place of an unknown key's secret, so that both cost the same."""

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)


class Request(NamedTuple):
    """What a signature covers, but for the body.

    Path and query are as on the wire; header names are lower-case, values are the wire's bytes
    decoded as Latin-1, and those of a repeated header are joined with ",".
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    external: str = ""
    """URL under which a proxy shows this server: clients may have signed for its host and path."""

    def outside(self) -> "list[Request]":
        """What a client of the proxy may have sent for this to arrive; [] without a proxy."""
        if not self.external:
            return []
        parts = urlsplit(self.external)
        prefix = parts.path.rstrip("/")
        # Of a URL alone, some proxies cut the last slash off, some add one.
        paths = [prefix + self.path, *([prefix] if prefix and self.path == "/" else [])]
        headers = {**self.headers, "host": parts.netloc}
        return [self._replace(path=path, headers=headers, external="") for path in paths]


@dataclass(frozen=True)
class Verified:
    """Who signed, and what it takes to check the chunks of a streamed body."""

    access_key_id: str
    service: str
    scheme: str
    """`v4-header`, `v4-query` or `v2-query`."""
    payload: str
    """The declared hash of the body or its mode (`UNSIGNED-PAYLOAD`, `STREAMING-...`); "" for
    v2. Without `body_sha256` it is the caller who compares it with the body."""
    signature: str
    signing_key: bytes = field(repr=False)
    timestamp: str
    scope: str


class SignatureError(Exception):
    """`kind`: missing | malformed | unknown_key | mismatch | skewed | expired | scope.

    `scheme` is that of Verified, "" where there is no signature at all.
    """

    def __init__(self, kind: Kind, message: str, scheme: str = "") -> None:
        super().__init__(message)
        self.kind: Kind = kind
        self.message = message
        self.scheme = scheme


def check_signature(given: str, right: str, secret: str | None, scheme: str) -> None:
    """Raises SignatureError unless `given` is `right` and there is a secret."""
    equal = hmac.compare_digest(given.encode("utf-8", "backslashreplace"), right.encode())
    if secret is None:
        raise SignatureError(
            "unknown_key", "The security token included in the request is invalid.", scheme
        )
    if not equal:
        raise SignatureError("mismatch", MISMATCH, scheme)


def session_token(request: Request) -> str:
    """The security token of a verified request, "" without one. Raises SignatureError.

    It is signed wherever it is: headers that begin with x-amz- must be, and so is the query.
    """
    header = request.headers.get("x-amz-security-token")
    found = set() if header is None else {decoded(header)}
    for name, value in pairs(request.query):
        if name.lower() == "x-amz-security-token":
            found.add(unquote(value))
    if len(found) > 1:
        raise SignatureError("malformed", "The request holds several security tokens.")
    return found.pop() if found else ""


def pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of a query, still encoded."""
    if not query:
        return []
    return [(name, value) for name, _, value in (p.partition("=") for p in query.split("&") if p)]


def decoded(value: str) -> str:
    """Clients sign text as UTF-8, whichever of UTF-8 and Latin-1 they send it in."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
