"""The model server of the algorithms: /ping, /invocations, /execution-parameters.

It speaks HTTP and knows no algorithm; predictions run in a pool of threads.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from tornado import httpserver, netutil, web
from tornado.iostream import StreamClosedError

from studio.algorithms.base import cpus

_MEGABYTE = 1 << 20
_DEFAULT_PAYLOAD_MB = 6
_DRAINED = 64 * _MEGABYTE
_GRACE_SECONDS = 25.0
_MOST_STREAMS = 256
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invocation:
    """One request: headers that are absent are empty."""

    body: bytes
    content_type: str
    accept: str
    wanted: Callable[[], bool] = lambda: True
    """Whether somebody still waits for the answer."""


class Pieces(Protocol):
    """A body that comes in pieces. `close` frees who makes them, also before their end."""

    def __iter__(self) -> "Pieces": ...

    def __next__(self) -> bytes:
        """The next piece, which may take its time. Raises RequestError when no more come."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Answer:
    """A prediction on the wire."""

    body: bytes | Pieces
    content_type: str
    batch: str = ""
    """With how many it was predicted, itself among them, and the microseconds that it waited."""


class RequestError(Exception):
    """The request is answered with `status` and one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


Predict = Callable[[Invocation], Answer]
Ask = Callable[[Executor, Invocation], "asyncio.Future[Answer]"]
"""The answer to come, which threads of the executor find."""


def serve(ask: Ask, threads: int = 0) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in flight. The model is loaded
    before this is called, so `/ping` answers 200 from the first moment. `threads` predict side by
    side; 0: one more than there are CPUs."""
    run([("/invocations", Invocations)], threads or cpus() + 1, ask=ask)


def run(handlers: list[Any], threads: int, **values: Any) -> None:
    """Serve `handlers` beside what every model server has. They find `values`, and the `pool` of
    threads, in their application's settings."""
    asyncio.run(_serve(handlers, threads, values))


def is_batch() -> bool:
    """Whether a batch transform job feeds this server."""
    return os.environ.get("SAGEMAKER_BATCH", "").lower() == "true"


def max_payload() -> int:
    """Largest body in bytes."""
    given = os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "")
    megabytes = int(given) if given.isdecimal() and int(given) > 0 else _DEFAULT_PAYLOAD_MB
    return megabytes * _MEGABYTE


async def _serve(handlers: list[Any], threads: int, values: dict[str, Any]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    # Answers in pieces have threads of their own: who waits for a model may have all the others.
    with (
        ThreadPoolExecutor(max_workers=threads, thread_name_prefix="predict") as pool,
        ThreadPoolExecutor(max_workers=_MOST_STREAMS, thread_name_prefix="stream") as streams,
    ):
        application = _application(handlers, pool, {**values, "streams": streams})
        # Bodies arrive in pieces and are counted there, so that a large one is answered with 413.
        server = httpserver.HTTPServer(application, max_body_size=1 << 40)
        server.add_sockets(_sockets())
        await stopped.wait()
        server.stop()
        deadline = loop.time() + _GRACE_SECONDS
        while application.settings["running"] and loop.time() < deadline:
            await asyncio.sleep(0.01)


def _sockets() -> list[Any]:
    """127.0.0.1:$SAGEMAKER_BIND_TO_PORT, or port 8080, which is a container's, of every address."""
    port = os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")
    if port != "8080":
        return netutil.bind_sockets(int(port), "127.0.0.1")
    return netutil.bind_sockets(8080, "0.0.0.0")


def _application(
    handlers: list[Any], pool: ThreadPoolExecutor, values: dict[str, Any]
) -> web.Application:
    return web.Application(
        [("/ping", _Ping), *handlers, ("/execution-parameters", _ExecutionParameters)],
        pool=pool,
        running=set(),
        log_function=_access_line,
        **values,
    )


class Handler(web.RequestHandler):
    """Says nothing of Tornado."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}")


class _Ping(Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "application/json")


class _ExecutionParameters(Handler):
    def get(self) -> None:
        document = {
            "MaxConcurrentTransforms": cpus(),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": max_payload() // _MEGABYTE,
        }
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(document))


@web.stream_request_body
class Invocations(Handler):
    """Predictions of the model, or of one of them."""

    def prepare(self) -> None:
        self._limit = max_payload()
        self._chunks: list[bytes] = []
        self._size = 0
        self._gone = False
        self.settings["running"].add(self)

    def on_finish(self) -> None:
        self.settings["running"].discard(self)

    def on_connection_close(self) -> None:
        self.settings["running"].discard(self)
        self._gone = True

    def data_received(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= self._limit:
            self._chunks.append(chunk)
        elif self._size > self._limit + _DRAINED:
            # Reading on lets the client see the answer; there is an end to that courtesy.
            self.request.connection.detach().close()  # type: ignore[union-attr]

    def asks(self, name: str) -> Ask:
        """Who answers: `name` is what the path says. Raises RequestError."""
        ask: Ask = self.settings["ask"]
        return ask

    async def post(self, name: str = "") -> None:
        try:
            answer = await self._answer(self.asks(name))
        except RequestError as error:
            self._refuse(error)
        except Exception:
            _log.exception("The prediction failed")
            self._refuse(RequestError(500, "The prediction failed: the log says why."))
        else:
            self.set_header("Content-Type", answer.content_type)
            if answer.batch:
                self.set_header("X-Studio-Batch", answer.batch)
            if isinstance(answer.body, bytes):
                self.finish(answer.body)
            else:
                await self._stream(answer.body)

    async def _answer(self, ask: Ask) -> Answer:
        if self._size > self._limit:
            raise RequestError(
                413,
                f"The payload has {self._size} bytes; at most {self._limit} bytes are accepted.",
            )
        if not self._size:
            raise RequestError(204, "")
        headers = self.request.headers
        invocation = Invocation(
            b"".join(self._chunks), headers.get("Content-Type", ""), headers.get("Accept", ""),
            lambda: not self._gone,
        )  # fmt: skip
        return await ask(self.settings["pool"], invocation)

    async def _stream(self, pieces: Pieces) -> None:
        """Send pieces as they come: none is asked for before the one before it is on its way."""
        loop, threads = asyncio.get_running_loop(), self.settings["streams"]
        try:
            while (piece := await loop.run_in_executor(threads, next, pieces, None)) is not None:
                self.write(piece)
                await self.flush()
            self.finish()
        except StreamClosedError:
            pass  # nobody wants the rest
        except RequestError as error:
            _log.error("The answer broke off: %s", error)
            # Nobody must take it for whole.
            self.request.connection.detach().close()  # type: ignore[union-attr]
        finally:
            await loop.run_in_executor(threads, pieces.close)
            self.settings["running"].discard(self)

    def _refuse(self, error: RequestError) -> None:
        self.set_status(error.status)
        if error.status == 204:
            self.finish()
            return
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(error.message)


def _access_line(handler: web.RequestHandler) -> None:
    request = handler.request
    if request.path == "/ping" and handler.get_status() == 200:
        return
    moment = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    agent = request.headers.get("User-Agent", "-")
    sys.stdout.write(
        f'{request.remote_ip} - - [{moment}] "{request.method} {request.path} {request.version}" '
        f'{handler.get_status()} {handler._headers.get("Content-Length", "0")} "-" '
        f"{json.dumps(agent)}\n"
    )
    sys.stdout.flush()
