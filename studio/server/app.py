"""The one port of the control plane: heads are routed, whole requests answered by threads.

Tornado's HTTP server without its web framework, so that the S3 gateway can stream.
"""

import asyncio
import json
import ssl
import time
import traceback
import uuid
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import responses
from typing import Any, Protocol

import structlog
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from studio import leadership
from studio.errors import ApiError
from studio.server import edge, forward, routing
from studio.server.dispatch import ANSWERS, Answer, Call, Services, listener
from studio.server.edge import Server
from studio.server.events import Streams
from studio.wire import protocols
from studio.wire.protocols import Response, rest_json_error

log = structlog.get_logger()

_THREADS = 64
_LARGEST_BODY = 10 * 1024 * 1024
_LARGEST_HEAD = 64 * 1024
_LARGEST_OBJECT = 5 * 1024**4
_BODY_SECONDS = 30.0
# SDKs poll every 5, 10 and 30 seconds: a connection must not be closed at the moment of a poll.
_IDLE_SECONDS = 25.0


class Gateway(Protocol):
    """What serves S3."""

    def message_delegate(
        self, start_line: RequestStartLine, headers: HTTPHeaders, connection: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Serves the one request with this head."""
        ...


class App(HTTPServerConnectionDelegate):
    """Routes the requests of every connection. `close` waits for the operations under way."""

    def __init__(
        self,
        services: Services,
        gateway: Gateway,
        streams: Streams,
        router_address: Callable[[], tuple[str, int] | None],
        problems: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.services = services
        self.gateway = gateway
        self.streams = streams
        self.router_address = router_address
        self.problems = problems
        self._workers = ThreadPoolExecutor(_THREADS, thread_name_prefix="operation")
        self._tasks: set[asyncio.Task[None]] = set()

    def http_server(self, context: ssl.SSLContext | None = None) -> HTTPServer:
        """A server to which the caller adds sockets; with a `context` it speaks TLS."""
        server = Server(
            self,
            ssl_options=context,
            max_header_size=_LARGEST_HEAD,
            max_body_size=_LARGEST_OBJECT,
            idle_connection_timeout=_IDLE_SECONDS + 1,
        )
        if context is None:
            # Ours comes first, and says so; Tornado's also covers the handshake of TLS.
            server.conn_params.header_timeout = None
        return server

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)
        return _Exchange(self, request_conn)

    def answer(self, answer: Answer, call: Call, done: Callable[[Response], None]) -> None:
        """Have `done` told the answer to a whole request, which a worker thread finds.

        Plain calls: a coroutine that waits for the thread takes three rounds of the event loop.
        """
        loop = asyncio.get_running_loop()

        def find() -> None:
            try:
                response = answer(self.services, call)
            except Exception:
                response = _failure(call.id)
            loop.call_soon_threadsafe(done, response)

        self._workers.submit(find)

    async def stream(self, connection: HTTP1Connection, call: Call) -> None:
        """Answer with events. Raises ApiError, before anything is said, to whom none are told."""
        loop = asyncio.get_running_loop()
        caller = await loop.run_in_executor(self._workers, listener, self.services, call)
        last_id = call.headers.get("last-event-id", "")
        await self.streams.serve(connection, caller, last_id, self._workers)

    def spawn(self, work: Any) -> None:
        """Run a coroutine; the event loop itself would forget it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        self._workers.shutdown(cancel_futures=True)


class _Exchange(HTTPMessageDelegate):
    """One request on a connection, and its answer."""

    def __init__(self, app: App, connection: HTTP1Connection) -> None:
        self._app = app
        self._connection = connection
        self._id = str(uuid.uuid4())
        self._inner: HTTPMessageDelegate | None = None
        self._part: routing.Part = "health"
        self._chunks: list[bytes] = []
        self._size = 0
        self._over = False
        loop = asyncio.get_running_loop()
        self._slow = loop.call_later(_IDLE_SECONDS, edge.cut_slow_head, connection.stream)

    def headers_received(
        self, start_line: Any, headers: HTTPHeaders
    ) -> "asyncio.Future[None] | None":
        self._slow.cancel()
        settings = self._app.services.context.settings
        start_line = routing.origin_form(start_line, headers)
        start_line = routing.inside(start_line, headers, settings.external_url)
        self._start_line: RequestStartLine = start_line
        self._headers = headers
        refusal = self._refusal()
        if refusal is not None:
            self._write(_plain(*refusal))
            return None
        self._path, _, self._query = start_line.path.partition("?")
        self._joined: dict[str, str] = {}
        for name, value in headers.get_all():
            key = name.lower()
            self._joined[key] = f"{self._joined[key]},{value}" if key in self._joined else value
        self._part = routing.part_for(self._path, self._query, self._joined)
        if self._part == "s3":
            gateway = self._app.gateway
            self._inner = gateway.message_delegate(start_line, headers, self._connection)
            return self._inner.headers_received(start_line, headers)  # type: ignore[return-value]
        self._slow = asyncio.get_running_loop().call_later(_BODY_SECONDS, self._cut_slow_body)
        return None

    def data_received(self, chunk: bytes) -> Any:
        if self._inner is not None:
            return self._inner.data_received(chunk)
        self._size += len(chunk)
        if self._size > _LARGEST_BODY and not self._over:
            text = f"The body of a request must not exceed {_LARGEST_BODY} bytes."
            self._write(rest_json_error(ApiError("RequestEntityTooLargeException", text, 413)))
        if not self._over:
            self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        self._slow.cancel()
        if self._inner is not None:
            self._inner.finish()
        elif not self._over:
            self._answer()

    def on_connection_close(self) -> None:
        self._over = True
        self._slow.cancel()
        if self._inner is not None:
            self._inner.on_connection_close()

    def _cut_slow_body(self) -> None:
        text = f"The body of the request did not come within {_BODY_SECONDS:.0f} seconds."
        self._write(rest_json_error(ApiError("RequestTimeout", text, 408)))

    def _refusal(self) -> tuple[int, str] | None:
        if not self._start_line.path.startswith("/"):
            return 400, "Ask for a path, or for a URL at the host that the Host header names."
        hosts = self._headers.get_list("Host")
        if len(hosts) != 1:
            return 400, "Send one Host header."
        if self._connection.stream.closed():
            return 400, "The client has gone."
        address = self._connection.stream.socket.getsockname()
        settings = self._app.services.context.settings
        allowed = routing.allowed_hosts(settings.host, address[:2], settings.external_url)
        host = hosts[0].lower()
        if host not in allowed and host not in leadership.hosts(settings.home):
            return 421, "Studio does not serve that host."
        return None

    def _answer(self) -> None:
        try:
            if self._part == "health":
                self._write(self._health())
            elif self._part == "router":
                self._app.spawn(self._guarded(self._forward()))
            elif self._part == "events":
                self._app.spawn(self._guarded(self._stream()))
            else:
                self._app.answer(ANSWERS[self._part], self._call(), self._told)
        except Exception:
            self._fail()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self._fail()

    def _told(self, response: Response) -> None:
        try:
            self._write(response)
        except Exception:
            self._fail()

    def _fail(self) -> None:
        failure = _failure(self._id)
        if self._over:
            # The answer itself failed: nobody may wait for the rest of it.
            self._connection.close()
        self._write(failure)

    def _call(self) -> Call:
        return Call(
            self._id,
            self._start_line.method,
            self._path,
            self._query,
            self._joined,
            b"".join(self._chunks),
        )

    async def _stream(self) -> None:
        try:
            await self._app.stream(self._connection, self._call())
        except ApiError as error:
            self._write(rest_json_error(error))
        finally:
            self._over = True

    def _health(self) -> Response:
        if self._start_line.method not in ("GET", "HEAD"):
            return _plain(405, "Only GET is allowed here.")
        problems = list(self._app.problems())
        told = {"status": "degraded", "problems": problems} if problems else {"status": "ready"}
        return Response(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    async def _forward(self) -> None:
        address = self._app.router_address()
        try:
            if address is None:
                raise ConnectionError("the router does not run")
            router = await forward.connect(address)
        except (OSError, TimeoutError):
            text = "The router of endpoints does not answer; studio doctor tells more."
            self._write(rest_json_error(ApiError("ServiceUnavailable", text, 503)))
            return
        body = b"".join(self._chunks)
        line = self._start_line
        head = forward.head(line.method, line.path, self._headers.get_all(), len(body))
        self._over = True
        await forward.exchange(router, head + body, self._connection.detach())

    def _write(self, response: Response) -> None:
        if self._over:
            return
        self._over = True
        headers = HTTPHeaders(
            {
                **response.headers,
                "Content-Length": str(len(response.body)),
                "Date": protocols.date(int(time.time())),
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "x-amzn-RequestId": self._id,
            }
        )
        line = ResponseStartLine("HTTP/1.1", response.status, responses.get(response.status, ""))
        body = None if self._start_line.method == "HEAD" else response.body
        self._connection.write_headers(line, headers, body)
        self._connection.finish()


def _failure(request_id: str) -> Response:
    """Of the exception that is being handled: of a bug the client learns nothing."""
    log.error("request failed", request=request_id, exception=traceback.format_exc())
    return rest_json_error(ApiError("InternalFailure", "An internal error occurred.", 500))


def _plain(status: int, text: str) -> Response:
    return Response(status, f"{text}\n".encode(), {"Content-Type": "text/plain"})
