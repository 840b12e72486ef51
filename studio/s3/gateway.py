"""S3 over HTTP: one delegate a request, streaming in and out under back-pressure.

The event loop only parses and checks signatures; disk, hashes and the index are worker threads'.
"""

import asyncio
import time
import traceback
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog
from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from studio.identity.entry import Identity
from studio.identity.principals import Principal
from studio.s3 import acl, auth, checksums, cors, post, refused, routes
from studio.s3.access import Access, facts
from studio.s3.answer import Answer, refusal
from studio.s3.errors import S3Error
from studio.s3.intake import MAX_PUT_BYTES, MAX_XML_BYTES, Intake, declared_size
from studio.s3.message import Body, Call, Request, Response, parse_query, parse_target
from studio.s3.multipart import find as find_upload
from studio.s3.post import FormIntake
from studio.s3.routes import Route
from studio.s3.store import ObjectStore
from studio.settings import Settings
from studio.wire import sigv4

T = TypeVar("T")

_CHUNK = 1 << 20
_FRAMING_BYTES = 1 << 30  # what aws-chunked may add to the largest body
_UNREAD_BYTES = 16 << 20  # of a refused body; above that the connection is cut
_THREADS = 16
_SILENCE_SECONDS = 30.0  # in the middle of a body


log = structlog.get_logger()


class Gateway:
    """S3 for `store`, owned by the account of `settings`. `close` waits for the workers."""

    def __init__(
        self,
        store: ObjectStore,
        settings: Settings,
        identity: Identity,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.settings = settings
        self.identity = identity
        self.access = Access(identity.authority, partial(facts, store), store.policed)
        self.now = now
        self._workers = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")
        self._tasks: set[asyncio.Task[None]] = set()

    def message_delegate(
        self, start_line: RequestStartLine, headers: HTTPHeaders, connection: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Serves the one request with this head, which the caller hands on to the delegate.

        `HTTPServer.start_request` may pass its connection; the delegate's methods are then called
        as Tornado calls them, `headers_received` included.
        """
        return _Exchange(self, start_line, headers, connection)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine; the event loop itself would forget it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        self._workers.shutdown()

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """`work` in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, work, *arguments)


class _Exchange(HTTPMessageDelegate):
    """One request: head, body, answer."""

    def __init__(
        self,
        gateway: Gateway,
        start_line: RequestStartLine,
        headers: HTTPHeaders,
        connection: HTTPConnection,
    ) -> None:
        self._gateway = gateway
        self._connection = connection
        self._start_line = start_line
        lowered: dict[str, str] = {}
        for name, value in headers.get_all():
            key = name.lower()
            lowered[key] = f"{lowered[key]},{value}" if key in lowered else value
        self._headers = lowered
        self._id = uuid.uuid4().hex[:16].upper()
        self._path, _, self._query = start_line.path.partition("?")
        self._request: Request | None = None
        self._principal: Principal | None = None
        self._route: Route | None = None
        self._opener: Callable[[], Intake | FormIntake] | None = None
        self._intake: Intake | FormIntake | None = None
        self._failure: Exception | None = None
        self._closing = False
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._writing: asyncio.Future[None] | None = None
        self._heard = 0.0  # when the body last grew; 0.0 while we are the one who is slow
        self._alarm: asyncio.TimerHandle | None = None

    async def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        if isinstance(self._connection, HTTP1Connection):
            self._connection.set_max_body_size(MAX_PUT_BYTES + _FRAMING_BYTES)
        try:
            await self._accept()
        except Exception as error:
            self._failure = error
            if self._cuts_off():
                self._closing = True
                await self._answer()
        if self._headers.get("content-length", "0") != "0" or "transfer-encoding" in self._headers:
            self._heard = asyncio.get_running_loop().time()
            self._listen()

    async def data_received(self, chunk: bytes) -> None:
        self._heard = 0.0
        await self._take(chunk)
        self._heard = asyncio.get_running_loop().time()

    async def _take(self, chunk: bytes) -> None:
        if self._opener is None or self._failure is not None:
            return
        self._pending.append(chunk)
        self._pending_size += len(chunk)
        if self._pending_size >= _CHUNK:
            # One piece is written while the next arrives, never more.
            if self._writing is not None:
                await self._writing
            self._writing = asyncio.ensure_future(self._gateway.run(self._feed, self._taken()))

    def finish(self) -> None:
        self._stop_listening()
        self._gateway.spawn(self._answer())

    def on_connection_close(self) -> None:
        """The client went away in the middle of its request: nothing is left of it."""
        self._stop_listening()
        self._failure = self._failure or ConnectionError("the client went away")
        self._gateway.spawn(self._discard())

    def _listen(self) -> None:
        """Give up on a client that sends nothing more of its body."""
        loop = asyncio.get_running_loop()
        silence = loop.time() - self._heard if self._heard else 0.0
        if silence < _SILENCE_SECONDS:
            self._alarm = loop.call_later(_SILENCE_SECONDS - silence, self._listen)
        elif not self._closing:
            self._closing = True
            self._failure = self._failure or S3Error(
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the "
                "timeout period. Idle connections will be closed.",
            )
            self._gateway.spawn(self._answer())

    def _stop_listening(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    async def _accept(self) -> None:
        if self._headers.get("expect", "100-continue").lower() != "100-continue":
            raise S3Error("ExpectationFailed", "Only 100-continue can be expected.")
        if self._is_unsigned():
            return
        external = self._gateway.settings.external_url
        method = self._start_line.method
        raw = sigv4.Request(method, self._path, self._query, self._headers, external)
        verified, self._principal = auth.authenticate(
            raw, self._gateway.identity.keys, self._gateway.settings.region, self._gateway.now()
        )
        headers = self._headers
        if verified.scheme != "v4-header":
            # A client that presigns moves the headers into the query.
            moved = {name.lower(): value for name, value in parse_query(self._query).items()}
            headers = {n: v for n, v in moved.items() if n.startswith("x-amz-")} | headers
        request = self._parsed(headers)
        auth.check_owner(request.headers, self._gateway.settings.account)
        self._route = routes.find(request)
        name = routes.sub_resource(request.query)
        await self._refuse(request, name)
        if not self._gateway.access.is_free(self._principal, request):
            check = self._gateway.access.check_request
            await self._gateway.run(check, self._principal, request, name)
        self._request = request
        await self._expect_body(request, self._route, verified)

    async def _refuse(self, request: Request, name: str) -> None:
        gateway = self._gateway
        try:
            refused.check(request, name, gateway.settings.account)
        except S3Error as error:
            raise await gateway.run(acl.explained, gateway.store, request.bucket, error) from error

    def _is_unsigned(self) -> bool:
        """Whether the head needs no signature: a browser's question, or a form that has its own."""
        method = self._start_line.method
        if cors.is_preflight(method, self._headers):
            self._route, self._request = routes.PREFLIGHT, self._parsed(self._headers)
        elif post.is_form(method, self._headers):
            request = self._parsed(self._headers)
            if request.key or not request.bucket:
                return False
            declared_size(self._headers, False, MAX_PUT_BYTES + _FRAMING_BYTES)
            self._route, self._request = routes.FORM, request
            self._opener = partial(self._opened_form, request.bucket)
        return self._route is not None

    def _parsed(self, headers: Mapping[str, str]) -> Request:
        bucket, key = parse_target(self._path)
        query = parse_query(self._query)
        return Request(self._id, self._start_line.method, self._path, bucket, key, query, headers)

    def _opened_form(self, bucket: str) -> FormIntake:
        gateway = self._gateway
        by: list[sigv4.Verified] = []

        def allow(fields: Mapping[str, str], key: str) -> None:
            keys, region = gateway.identity.keys, gateway.settings.region
            verified, self._principal = auth.authenticate_form(fields, keys, region, gateway.now())
            gateway.access.check(self._principal, "s3:PutObject", bucket, key)
            by.append(verified)

        def opened(headers: Mapping[str, str]) -> Intake:
            gateway.store.bucket(bucket)
            return Intake(headers, by[0], None, gateway.store)

        kind = self._headers["content-type"]
        return FormIntake(bucket, kind, gateway.now(), allow, opened)

    async def _expect_body(self, request: Request, route: Route, verified: sigv4.Verified) -> None:
        """A large body is refused before it comes; a small one is cheaper to take at once."""
        if route.body == "none":
            return
        streaming = verified.payload.startswith("STREAMING-")
        limit = MAX_PUT_BYTES if route.body == "blob" else MAX_XML_BYTES
        if route.body == "memory" and not streaming and "content-length" not in request.headers:
            size = 0
        else:
            size = declared_size(request.headers, streaming, limit)
        self._opener = partial(self._opened, request, route, verified, size)
        if size > _CHUNK:
            self._intake = await self._gateway.run(self._opener)

    def _opened(
        self, request: Request, route: Route, verified: sigv4.Verified, size: int
    ) -> Intake:
        if route.body == "memory":
            headers = request.headers
            if "uploadId" in request.query:  # what it says of checksums is of the whole object
                headers = {n: v for n, v in headers.items() if n not in checksums.HEADERS}
            return Intake(headers, verified, size, None)
        store, algorithm = self._gateway.store, ""
        if "uploadId" in request.query:
            upload = request.query["uploadId"]
            algorithm = find_upload(store, request.bucket, request.key, upload).algorithm
        else:
            store.bucket(request.bucket)
        return Intake(request.headers, verified, size, store, algorithm)

    def _cuts_off(self) -> bool:
        """Whether to answer without reading the body: the client waits, or it is too long."""
        length = self._headers.get("content-length", "0")
        if "expect" in self._headers or "transfer-encoding" in self._headers:
            return True
        return not length.isdigit() or int(length) > _UNREAD_BYTES

    def _taken(self) -> bytes:
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        return data

    def _feed(self, data: bytes) -> None:
        try:
            if self._opener is None or self._failure is not None:
                return
            self._intake = self._intake or self._opener()
            self._intake.feed(data)
        except Exception as error:
            self._failure = error

    async def _answer(self) -> None:
        method = self._start_line.method
        answer = Answer(self._connection, method, self._id, self._closing, self._gateway.run)
        work = asyncio.ensure_future(self._response())
        try:
            if self._route is not None and self._route.slow:
                await answer.keep_alive(work)
            await answer.send(await work)
        except StreamClosedError:
            pass
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            log.error("s3 answer failed", request=self._id, exception=text)
            if isinstance(self._connection, HTTP1Connection):
                self._connection.close()

    async def _response(self) -> Response:
        try:
            if self._writing is not None:
                await self._writing
            response = await self._gateway.run(self._handled)
        except Exception as error:
            await self._discard()
            region = self._gateway.settings.region
            response = refusal(error, self._start_line.method, self._path, self._id, region)
        if "origin" in self._headers and self._route is not routes.PREFLIGHT:
            granted = await self._gateway.run(self._granted)
            response = replace(response, headers={**response.headers, **granted})
        return response

    def _granted(self) -> Mapping[str, str]:
        bucket = self._request.bucket if self._request is not None else ""
        kept = cors.kept(self._gateway.store, bucket)
        return cors.answer_headers(kept, self._start_line.method, self._headers)

    def _handled(self) -> Response:
        self._feed(self._taken())
        if self._failure is not None:
            raise self._failure
        if self._route is None or self._request is None:
            raise RuntimeError("a request without a head")
        body = self._intake.finish() if self._intake is not None else Body()
        if self._route is routes.PREFLIGHT:
            rules = cors.kept(self._gateway.store, self._request.bucket)
            return Response(headers=cors.preflight(rules, self._headers))
        if self._principal is None:
            raise S3Error("AccessDenied", "Access Denied")
        call = Call(
            store=self._gateway.store,
            account=self._gateway.settings.account,
            region=self._gateway.settings.region,
            request=self._request,
            body=body,
            principal=self._principal,
            access=self._gateway.access,
        )
        try:
            return self._route.handler(call)
        except S3Error:
            if call.body.content is not None:
                call.store.blobs.remove([call.body.content.blob])
            raise

    async def _discard(self) -> None:
        if self._writing is not None:
            await self._writing
        if self._intake is not None:
            await self._gateway.run(self._intake.discard)
