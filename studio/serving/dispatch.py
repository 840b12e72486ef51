"""From a request to its answer: signature, endpoint, variant, server, and what went wrong.

It knows no sockets: protocol.py brings requests, upstream.py takes calls.
"""

import hashlib
import hmac
import random
import re
import time
import traceback
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from urllib.parse import unquote

from studio.errors import ApiError
from studio.serving import errors, exposition
from studio.serving.aftermath import Answer, asked, follow
from studio.serving.applications import Applications
from studio.serving.arms import Arms
from studio.serving.asynchronous import Acceptance
from studio.serving.connection import Connection
from studio.serving.counters import Counters
from studio.serving.exposition import Exposition
from studio.serving.limits import Limits
from studio.serving.log import Log
from studio.serving.protocol import Client
from studio.serving.recording import Recording
from studio.serving.request import Request
from studio.serving.routes import Routes, VariantRoute
from studio.serving.table import Key, Table
from studio.serving.trail import Trail
from studio.serving.upstream import Server
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

_BATCH = b"x-studio-batch"
_RETURNED = tuple(
    (name.lower().encode(), f"{name}: ".encode())
    for name in (
        "Content-Type",
        "X-Amzn-SageMaker-Custom-Attributes",
        "X-Amzn-SageMaker-New-Session-Id",
        "X-Amzn-SageMaker-Closed-Session-Id",
    )
)

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
            raise errors.payload_too_large(variant.most_body)
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
        from studio.serving import pipeline, streaming  # which build on this module

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


class Invocation:
    """One request on its way to a model server and back."""

    __slots__ = ("_dispatcher", "_request", "_sent", "_started", "_variant", "tried")
    streams = False

    def __init__(
        self, dispatcher: Dispatcher, request: Request, variant: VariantRoute, started: float
    ) -> None:
        self._dispatcher = dispatcher
        self._request = request
        self._variant = variant
        self._started = self._sent = started
        self.tried: tuple[Server, ...] = ()

    @property
    def wanted(self) -> bool:
        return self._request.client.connected

    def go(self) -> None:
        """Send to a server that has not been tried."""
        server = self._pick()
        if server is not None:
            server.send(self)
        elif self.tried:
            self._fail(errors.unreachable(self._variant.endpoint, self._variant.name, self.tried))
        else:
            limit = self._dispatcher.limits.in_flight
            self._fail(errors.at_capacity(self._variant.endpoint, self._variant.name, limit))

    def _pick(self) -> Server | None:
        """A server of the variant, or of a spare: of the same name for who named the variant."""
        variant, now = self._variant, monotonic()
        server = variant.pick(now, self.tried) if variant.servers else None
        if server is None and variant.spares:
            named = "x-amzn-sagemaker-target-variant" in self._request.headers
            for spare in variant.spares:
                if named and spare.name != variant.name:
                    continue
                server = spare.pick(now, self.tried)
                if server is not None:
                    self._variant = spare
                    break
        return server

    def message(self, host: bytes) -> Iterable[bytes]:
        self._sent = monotonic()
        return asked(self._request, host)

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        variant, now = self._variant, monotonic()
        if 200 <= status < 300:
            self._pass_on(headers, body)
        else:
            self._fail(self._refused(status, headers, body))
        if variant.capture or variant.shadows:
            model_us = int((now - self._sent) * 1e6)
            answer = Answer(variant, self._request, status, headers, body, model_us)
            follow(self._dispatcher, answer)

    def _pass_on(self, headers: dict[bytes, bytes], body: bytes) -> None:
        parts = [b"HTTP/1.1 200 OK\r\n", self._dispatcher.common_head(), self._variant.reply_head]
        for name, prefix in _RETURNED:
            value = headers.get(name)
            if value is not None:
                parts += (prefix, value, b"\r\n")
        self._observe(None)
        if _BATCH in headers:
            self._dispatcher.counters.count_batch(self._variant, headers[_BATCH])
        self._request.client.answer(b"".join(parts), body)

    def unreachable(self, server: Server) -> None:
        self.tried = (*self.tried, server)
        self.go()

    def broken(self, reason: str) -> None:
        self._fail(self._model_error(0, reason))

    def _refused(self, status: int, headers: dict[bytes, bytes], body: bytes) -> ApiError:
        variant = self._variant
        if variant.models:
            said = errors.of_front(headers, body, variant.endpoint, variant.log_arn)
            if said is not None:
                return said
        return self._model_error(status, body.decode("utf-8", "replace"))

    def _model_error(self, status: int, message: str) -> ApiError:
        variant = self._variant
        return errors.model_error(
            status, message, variant.endpoint, variant.log_arn, variant.container
        )

    def _fail(self, error: ApiError) -> None:
        self._observe(error)
        self._request.client.answer(*self._dispatcher.refusal(error))

    def _observe(self, error: ApiError | None) -> None:
        now = monotonic()
        model = now - self._sent
        overhead = self._sent - self._started
        variant, model_us = self._variant, int(model * 1e6)
        self._dispatcher.observe(variant, error, model_us, int(overhead * 1e6))
        if self._request.trail is not None:
            self._request.trail.note(variant=variant.name, modelLatencyMs=model_us / 1000)
        if variant.arm is not None:
            headers = self._request.headers
            self._dispatcher.arms.note(variant.arm, variant.name, headers, error is None, model_us)


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
