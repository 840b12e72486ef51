"""From a request to its answer: signature, endpoint, variant, server, and what went wrong.

It knows no sockets: protocol.py brings requests, upstream.py takes calls.
"""

import hashlib
import hmac
import random
import re
import time
import traceback
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from urllib.parse import unquote

from studio.errors import ApiError
from studio.http.errors import payload_too_large
from studio.http.protocol import Client
from studio.http.request import Request
from studio.serving import errors, exposition, pipeline, streaming
from studio.serving.applications import Applications
from studio.serving.arms import Arms
from studio.serving.asynchronous import Acceptance
from studio.serving.connection import Connection
from studio.serving.counters import Counters
from studio.serving.exposition import Exposition
from studio.serving.invocation import Invocation
from studio.serving.limits import Limits
from studio.serving.log import Log
from studio.serving.recording import Recording
from studio.serving.routes import Routes, VariantRoute
from studio.serving.table import Key, Table
from studio.serving.trail import Trail
from studio.serving.waking import Waking
from studio.wire import sigv4
from studio.wire.signature import session_token

_SERVICES = frozenset({"sagemaker"})
_TARGET_MODEL = "x-amzn-sagemaker-target-model"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_LONGEST_NAME = 63

_STREAM = b"/invocations-response-stream"
_INVOKE, _INVOKE_ASYNC = "InvokeEndpoint", "InvokeEndpointAsync"
_OPERATIONS = {
    b"invocations": _INVOKE,
    b"invocations-response-stream": _INVOKE,  # the same right
    b"async-invocations": _INVOKE_ASYNC,
}

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class Dispatcher:
    """What lives as long as the router: routes, clients, and the calls in flight."""

    def __init__(self, home: Path, limits: Limits, log: Log, recording: Recording) -> None:
        self.limits = limits
        self.log = log
        self.counters = Counters(home)
        self.arms = Arms(home)
        self.recording = recording
        self.acceptance = Acceptance(home)
        self.clients: set[Client] = set()
        self.busy: set[Connection] = set()
        self.routes = Routes(limits, self.busy)
        self.waking = Waking(home, self.routes, limits, log, self.counters, self)
        self.applications = Applications(self)
        self.exposition = Exposition(self)
        self.draining = False
        self._date = b""
        self.tick()

    def take(self, table: Table) -> None:
        """Go by a new table from now on."""
        self.routes.update(table)
        self.applications.update(table.outside)
        self.counters.forget(set(table.endpoints))

    def handle(self, request: Request) -> None:
        """Answer `request`, now or when its model has."""
        started = monotonic()
        try:
            self._handle(request, started)
        except ApiError as error:
            request.client.answer(*self.refusal(error))
        except Exception as error:
            self.log("unexpected error", traceback="".join(traceback.format_exception(error)))
            internal = ApiError("InternalFailure", "The router failed; see logs/router.log.", 500)
            request.client.answer(*self.refusal(internal))

    def most_body(self, target: bytes) -> int:
        """Bytes that the body of a request for `target` may have."""
        parts = target.split(b"/", 3)
        named = parts[1:2] == [b"endpoints"] and len(parts) == 4
        return self.routes.most_body(parts[2].decode("latin-1") if named else "")

    def refusal(self, error: ApiError) -> tuple[bytes, bytes]:
        """Head and body of an error's answer."""
        reason = _REASONS.get(error.status, b"Error")
        kind = f"x-amzn-ErrorType: {error.code}\r\n".encode() if error.code else b""
        head = (
            b"HTTP/1.1 %d %s\r\n" % (error.status, reason)
            + self.common_head()
            + kind
            + b"Content-Type: application/json\r\n"
        )
        return head, errors.error_body(error)

    def common_head(self) -> bytes:
        """The headers of every answer."""
        digits = f"{random.getrandbits(128):032x}"
        return (
            f"x-amzn-RequestId: {digits[:8]}-{digits[8:12]}-{digits[12:16]}-"
            f"{digits[16:20]}-{digits[20:]}\r\n"
        ).encode() + self._date

    def tick(self) -> None:
        """What time brings: called several times a second."""
        self._date = f"Date: {formatdate(usegmt=True)}\r\n".encode()
        now = monotonic()
        for connection in [late for late in self.busy if late.deadline <= now]:
            connection.expire()
        for client in [late for late in self.clients if late.deadline <= now]:
            client.expire()
        for server in self.routes.servers.values():
            server.tend(now)
        self.counters.tick(now, self.routes.variants)
        self.arms.tick(now)
        self.waking.tick(now)
        self.applications.lines.flush()

    def observe(
        self, variant: VariantRoute, error: ApiError | None, model_us: int, overhead_us: int
    ) -> None:
        """Every invocation that reached a variant passes here once, with its outcome."""
        status = 200 if error is None else errors.original_status(error)
        self.counters.count(variant, status, model_us, overhead_us)
        if variant.sleep is not None:
            self.waking.answered(variant)
        if error is not None:
            self.log(
                "invocation failed",
                endpoint=variant.endpoint,
                variant=variant.name,
                status=error.status,
                model_us=model_us,
                overhead_us=overhead_us,
            )

    def close(self) -> None:
        """Write the rest of what was counted; nothing is handled afterwards."""
        self.acceptance.close()
        self.applications.lines.flush()
        self.counters.close()
        self.arms.close()

    def _handle(self, request: Request, started: float) -> None:
        path, _, query = request.target.partition(b"?")
        if path == b"/_studio/health" and request.method in (b"GET", b"HEAD"):
            # The control plane waits for its latest table to be in force.
            head = b"HTTP/1.1 200 OK\r\n" + self.common_head()
            version = f"X-Studio-Table-Version: {self.routes.table.version}\r\n".encode()
            content = b"Content-Type: application/json\r\n"
            request.client.answer(head + version + content, b"{}")
            return
        if not request.headers.get("authorization", "").startswith("AWS4-"):
            if path == exposition.PATH:
                self.exposition.answer(request)
                return
            if self.applications.handle(request, path, query, started):
                return
        key = self._authenticate(request, path, query)
        endpoint, operation = _asked_of(request.method, path)
        if self.applications.logged:
            self._log(request, endpoint, key)
        if not key.may_invoke(endpoint):
            table = self.routes.table
            arn = f"arn:aws:sagemaker:{table.region}:{table.account}:endpoint/{endpoint}"
            raise errors.access_denied(key.principal, operation, arn)
        if operation is _INVOKE_ASYNC:
            self.acceptance.take(self, request, endpoint)
        else:
            self.serve(request, endpoint, path, started)

    def serve(self, request: Request, endpoint: str, path: bytes, started: float) -> None:
        """Answer a request of somebody who may ask. Raises ApiError."""
        target = request.headers.get("x-amzn-sagemaker-target-variant")
        variant = self.routes.find(endpoint, target)
        if variant.most_body and len(request.body) > variant.most_body:
            raise payload_too_large(variant.most_body)
        if variant.plain and _TARGET_MODEL not in request.headers and not path.endswith(_STREAM):
            Invocation(self, request, variant, started).go()
        elif variant.sleep is None or not self.waking.takes(request, variant, started):
            self.forward(request, variant, started)

    def _log(self, request: Request, endpoint: str, key: Key) -> None:
        """Have the access log tell of the request, if the endpoint has one."""
        about = self.applications.logged.get(endpoint)
        if about is not None:
            request.trail = Trail(request, self.applications.lines, about)
            request.trail.note(endpoint=endpoint, principal=key.principal)

    def forward(self, request: Request, variant: VariantRoute, started: float) -> None:
        """Send any request to a variant that is awake. Raises ApiError."""
        if variant.models and _TARGET_MODEL not in request.headers:
            raise errors.target_model_required(variant.endpoint)
        if not variant.models and _TARGET_MODEL in request.headers:
            raise errors.no_target_model(variant.endpoint)
        if request.target.partition(b"?")[0].endswith(_STREAM):
            streaming.accepting(request)
            made = pipeline.stream if variant.stages else streaming.Stream
        else:
            made = pipeline.invocation if variant.stages else Invocation
        made(self, request, variant, started).go()

    def _authenticate(self, request: Request, path: bytes, query: bytes) -> Key:
        table = self.routes.table
        signed = sigv4.Request(
            request.method.decode(),
            path.decode("latin-1"),
            query.decode("latin-1"),
            request.headers,
        )
        try:
            verified = sigv4.verify(
                signed,
                table.secret_of,
                services=_SERVICES,
                region=table.region,
                now=time.time(),
                body_sha256=hashlib.sha256(request.body).hexdigest(),
            )
            token = session_token(signed)
        except sigv4.SignatureError as error:
            self.log("request refused", reason=error.kind)
            raise errors.signature_error(error) from None
        key = table.keys[verified.access_key_id]
        if not _shows(token, key.token_sha256):
            raise errors.INVALID_TOKEN
        if key.expires_at and time.time() * 1000 >= key.expires_at:
            raise errors.EXPIRED_TOKEN
        return key


def _shows(token: str, wanted: str) -> bool:
    """Whether a request shows the token with the digest `wanted` ("": none)."""
    given = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest() if token else ""
    return hmac.compare_digest(given, wanted)


@lru_cache(maxsize=1024)
def _asked_of(method: bytes, path: bytes) -> tuple[str, str]:
    """The endpoint that is named, and the right to ask it so; ApiError for what is none of the
    runtime's."""
    parts = path.split(b"/")
    if len(parts) != 4 or parts[0] or parts[1] != b"endpoints":
        raise ApiError("UnknownOperationException", "The path is none of the runtime's.", 404)
    if parts[3] not in _OPERATIONS:
        raise ApiError("UnknownOperationException", "The path is none of the runtime's.", 404)
    if method != b"POST":
        raise ApiError("MethodNotAllowed", "Endpoints are invoked with POST.", 405)
    endpoint = unquote(parts[2].decode("latin-1"))
    if len(endpoint) > _LONGEST_NAME or not _NAME.fullmatch(endpoint):
        raise ApiError("ValidationError", _bad_name(endpoint))
    return endpoint, _OPERATIONS[parts[3]]


def _bad_name(endpoint: str) -> str:
    constraint = (
        f"Member must have length less than or equal to {_LONGEST_NAME}"
        if len(endpoint) > _LONGEST_NAME
        else f"Member must satisfy regular expression pattern: ^{_NAME.pattern}"
    )
    return (
        f"1 validation error detected: Value '{endpoint[:256]}' at 'endpointName' failed to "
        f"satisfy constraint: {constraint}"
    )
