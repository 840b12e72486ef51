"""Applications outside: they show a key instead of signing, and are held to its rate and its quota.

A key is found by its digest, so that how long that takes says nothing of it. It is taken from a
header alone: URLs end up in logs. Who signs pays for none of this.
"""

import hashlib
import json
import math
import time
from time import monotonic
from typing import TYPE_CHECKING

from studio.errors import ApiError
from studio.http.request import Request
from studio.serving import openapi, usage
from studio.serving.outside import NOBODY, ORIGIN, ApplicationKey, Outside
from studio.serving.trail import Lines, Trail, about
from studio.serving.usage import ADMITTED, OVER, THROTTLED

if TYPE_CHECKING:
    from studio.serving.dispatch import Dispatcher

_PARAMETERS = frozenset({b"x-api-key", b"api_key", b"apikey", b"api-key", b"access_token"})
_KINDS = (b"invocations", b"invocations-response-stream")
"""Not async-invocations: these name S3 objects, which nobody's rights would be asked for."""

FORBIDDEN = ApiError("ForbiddenException", "Forbidden", 403)
_IN_URL = ApiError(
    "ForbiddenException",
    "A key belongs into the header X-Api-Key: what stands in a URL ends up in logs.",
    403,
)
_TWO_KEYS = ApiError("ForbiddenException", "Show the key in one header.", 403)
_TOO_FAST = ApiError("TooManyRequestsException", "Too Many Requests", 429)
_OVER_QUOTA = ApiError("LimitExceededException", "Limit Exceeded", 429)


class Applications:
    """The keys of the table, and how far each is used."""

    def __init__(self, dispatcher: "Dispatcher") -> None:
        self._dispatcher = dispatcher
        self._usage = dispatcher.counters.usage
        self._outside = NOBODY
        self.logged: dict[str, bytes] = {}
        """Endpoint -> what the recorder has to know of its access log."""
        self.lines = Lines(dispatcher.recording)
        self._buckets: dict[str, _Bucket] = {}

    def update(self, outside: Outside) -> None:
        """Take the keys of a new table; who has used up a rate before has done so after."""
        self._outside = outside
        self.logged = {name: about(name, log) for name, log in outside.logged.items()}
        keys = {key.id: key for key in outside.keys.values()}
        self._buckets = {name: _Bucket(key, self._buckets.get(name)) for name, key in keys.items()}

    def names(self) -> dict[str, str]:
        """Id -> name of each key."""
        return {key.id: key.name for key in self._outside.keys.values()}

    def handle(self, request: Request, path: bytes, query: bytes, started: float) -> bool:
        """Answer a request that is not signed in its headers; False when it is none of these."""
        shown = _shown(request)
        if shown is None:
            if any(each.partition(b"=")[0].lower() in _PARAMETERS for each in query.split(b"&")):
                raise _IN_URL
            return request.method == b"OPTIONS" and self._preflight(request, path)
        key = self._key(shown)
        added = _crossing(request, key)
        endpoint, kind = _place(path)
        logged = self.logged.get(endpoint) if endpoint in key.endpoints else None
        if added or logged:
            request.trail = Trail(request, self.lines, logged, added)
            request.trail.note(endpoint=endpoint, principal=f"key/{key.name}")
        if endpoint not in key.endpoints:
            raise FORBIDDEN
        if kind == b"openapi.json":
            self._describe(request, endpoint)
        elif kind not in _KINDS:
            raise FORBIDDEN
        elif request.method != b"POST":
            raise ApiError("MethodNotAllowed", "Endpoints are invoked with POST.", 405)
        elif self._admitted(request, key):
            self._dispatcher.serve(request, endpoint, path, started)
        return True

    def _key(self, shown: str) -> ApplicationKey:
        """The key with this text. Raises ApiError."""
        digest = hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()
        key = self._outside.keys.get(digest)
        if key is None or (key.expires_at and time.time() * 1000 >= key.expires_at):
            self._dispatcher.log("request refused", reason="application key")
            raise FORBIDDEN
        return key

    def _admitted(self, request: Request, key: ApplicationKey) -> bool:
        """Whether the request may go on; else it is answered."""
        now = time.time()
        wait = self._buckets[key.id].wait(monotonic())
        if wait:
            self._usage.count(key.id, THROTTLED, now)
            self._limit(request, _TOO_FAST, wait)
            return False
        if key.quota:
            day = usage.today(now)
            first, following = usage.span(key.period, day)
            if self._usage.book.of(key.id).since(first) >= key.quota:
                self._usage.count(key.id, OVER, now)
                self._limit(request, _OVER_QUOTA, following * 86_400 - now)
                return False
        self._buckets[key.id].take()
        self._usage.count(key.id, ADMITTED, now)
        return True

    def _limit(self, request: Request, error: ApiError, wait: float) -> None:
        head, body = self._dispatcher.refusal(error)
        request.client.answer(head + b"Retry-After: %d\r\n" % math.ceil(wait), body)

    def _preflight(self, request: Request, path: bytes) -> bool:
        """Answer a browser that asks whether a page may use an endpoint with a key."""
        origin = request.headers.get("origin", "")
        if not origin or "access-control-request-method" not in request.headers:
            return False
        endpoint, _ = _place(path)
        keys = (it for it in self._outside.keys.values() if endpoint in it.endpoints)
        if not any(_allows(key, origin) for key in keys):
            raise FORBIDDEN
        head = b"HTTP/1.1 200 OK\r\n" + self._dispatcher.common_head() + _allowing(origin)
        request.client.answer(
            head
            + b"Access-Control-Allow-Methods: GET, POST\r\n"
            + b"Access-Control-Allow-Headers: Accept, Authorization, Content-Type, X-Api-Key, "
            + b"X-Amzn-SageMaker-Custom-Attributes, X-Amzn-SageMaker-Inference-Id, "
            + b"X-Amzn-SageMaker-Target-Model, X-Amzn-SageMaker-Target-Variant\r\n"
            + b"Access-Control-Max-Age: 600\r\n",
            b"",
        )
        return True

    def _describe(self, request: Request, endpoint: str) -> None:
        if request.method not in (b"GET", b"HEAD"):
            raise ApiError("MethodNotAllowed", "Descriptions are read with GET.", 405)
        told = openapi.document(endpoint, self._outside.accepts.get(endpoint, ()))
        head = b"HTTP/1.1 200 OK\r\n" + self._dispatcher.common_head()
        body = json.dumps(told).encode()
        request.client.answer(head + b"Content-Type: application/json\r\n", body)


class _Bucket:
    """Tokens, of which every request takes one; `rate` come back each second, up to `burst`."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, key: ApplicationKey, before: "_Bucket | None") -> None:
        self._rate, self._burst = key.rate, max(key.burst, 1)
        self._at: float = before._at if before else monotonic()
        self._tokens: float = min(before._tokens, self._burst) if before else self._burst

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0: there is one."""
        if not self._rate:
            return 0.0
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate

    def take(self) -> None:
        self._tokens -= 1


def _shown(request: Request) -> str | None:
    """The key that a request shows; None when it shows none. Raises ApiError."""
    header = request.headers.get("x-api-key")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    if header is not None and bearer is not None:
        raise _TWO_KEYS
    return header if bearer is None else bearer


def _place(path: bytes) -> tuple[str, bytes]:
    """(endpoint, what of it) of a path; ("", b"") for one of another form."""
    parts = path.split(b"/")
    if len(parts) != 4 or parts[0] or parts[1] != b"endpoints":
        return "", b""
    return parts[2].decode("latin-1"), parts[3]


def _crossing(request: Request, key: ApplicationKey) -> bytes:
    """What the answer to a page's request has to say. Raises ApiError for a page that may not."""
    origin = request.headers.get("origin")
    if origin is None:
        return b""
    if not _allows(key, origin):
        raise FORBIDDEN
    return _allowing(origin) + b"Access-Control-Expose-Headers: *\r\n"


def _allows(key: ApplicationKey, origin: str) -> bool:
    return "*" in key.origins or origin in key.origins


def _allowing(origin: str) -> bytes:
    """What is no origin by its form, as `null`, comes where any may: it is not repeated."""
    named = origin if ORIGIN.fullmatch(origin) else "*"
    return f"Access-Control-Allow-Origin: {named}\r\nVary: Origin\r\n".encode()
