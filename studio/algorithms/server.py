"""The model server of the algorithms: /ping, /invocations, /execution-parameters.

It knows no algorithm; predictions run in a pool of threads.
"""

import asyncio
import json
import logging
import os
import re
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Protocol
from urllib.parse import unquote

import uvloop

from studio.algorithms.access_lines import AccessLines
from studio.algorithms.base import cpus
from studio.errors import ApiError
from studio.http.limits import Limits
from studio.http.protocol import Client
from studio.http.request import Request

_MEGABYTE = 1 << 20
_DEFAULT_PAYLOAD_MB = 6
_GRACE_SECONDS = 25.0
_MOST_STREAMS = 256
_BACKLOG = 1024
_TICK_SECONDS = 1.0
_HEAD_BYTES = 65_536
_PATIENCE_SECONDS = 3_600.0
"""Of a connection: who asks is a router, which has bounds of its own, or a person who waits."""
_LINGER_SECONDS = 60.0
_TEXT, _JSON = "text/plain; charset=utf-8", "application/json"
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
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
    """A prediction on the wire, or another answer."""

    body: bytes | Pieces
    content_type: str
    batch: str = ""
    """With how many it was predicted, itself among them, and the microseconds that it waited."""
    status: int = 200


class RequestError(Exception):
    """The request is answered with `status` and one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


Predict = Callable[[Invocation], Answer]
Ask = Callable[[Executor, Invocation], "asyncio.Future[Answer]"]
"""The answer to come, which threads of the executor find."""


Handle = Callable[[Executor, Request, str], "Answer | asyncio.Future[Answer]"]
"""Answers a request, now or when threads of the executor have; the text is the part of the path
that its pattern has in brackets. Raises RequestError."""
Paths = Mapping[str, Mapping[bytes, Handle]]
"""Pattern of a path -> method -> who answers."""


def serve(ask: Ask, threads: int = 0) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in flight. The model is loaded
    before this is called, so `/ping` answers 200 from the first moment. `threads` predict side by
    side; 0: one more than there are CPUs."""
    run({"/invocations": {b"POST": invoked(lambda _: ask)}}, threads or cpus() + 1)


def run(paths: Paths, threads: int) -> None:
    """Serve `paths` beside those that every model server has."""
    uvloop.run(_serve(paths, threads))


def invoked(find: Callable[[str], Ask]) -> Handle:
    """Who answers requests for predictions; `find` raises RequestError."""

    def handle(pool: Executor, request: Request, name: str) -> "asyncio.Future[Answer]":
        ask = find(name)
        if not request.body:
            raise RequestError(204, "")
        headers, client = request.headers, request.client
        kind, accept = headers.get("content-type", ""), headers.get("accept", "")
        return ask(pool, Invocation(request.body, kind, accept, lambda: client.waits))

    return handle


def document(content: object, status: int = 200) -> Answer:
    """JSON of `content`."""
    return Answer(json.dumps(content).encode(), _JSON, status=status)


def is_batch() -> bool:
    """Whether a batch transform job feeds this server."""
    return os.environ.get("SAGEMAKER_BATCH", "").lower() == "true"


def max_payload() -> int:
    """Largest body in bytes."""
    given = os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "")
    megabytes = int(given) if given.isdecimal() and int(given) > 0 else _DEFAULT_PAYLOAD_MB
    return megabytes * _MEGABYTE


async def _serve(paths: Paths, threads: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    # Answers in pieces have threads of their own: who waits for a model may have all the others.
    with (
        ThreadPoolExecutor(max_workers=threads, thread_name_prefix="predict") as pool,
        ThreadPoolExecutor(max_workers=_MOST_STREAMS, thread_name_prefix="stream") as streams,
    ):
        front = _Front(paths, pool, streams)
        server = await loop.create_server(lambda: Client(front), *_place(), backlog=_BACKLOG)
        while not stopped.is_set():
            front.tick()
            try:
                await asyncio.wait_for(stopped.wait(), _TICK_SECONDS)
            except TimeoutError:
                pass
        server.close()
        await front.drain(monotonic() + _GRACE_SECONDS)


def _place() -> tuple[str, int]:
    """127.0.0.1:$SAGEMAKER_BIND_TO_PORT, or port 8080, which is a container's, of every address."""
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    return "0.0.0.0" if port == 8080 else "127.0.0.1", port


class _Front:
    """What lives as long as the process: its paths, its clients, and the streams to them."""

    def __init__(self, paths: Paths, pool: Executor, threads: Executor) -> None:
        self.limits = Limits(
            max_payload(), _HEAD_BYTES, receive_seconds=_PATIENCE_SECONDS,
            idle_seconds=_PATIENCE_SECONDS, linger_seconds=_LINGER_SECONDS,
        )  # fmt: skip
        self.clients: set[Client] = set()
        self.draining = False
        self.threads = threads
        self.streams: set[asyncio.Task[None]] = set()
        self.lines = AccessLines()
        self._pool = pool
        always = {
            "/ping": {b"GET": _ping},
            "/execution-parameters": {b"GET": _execution_parameters},
        }
        self._paths = [(re.compile(path), methods) for path, methods in {**paths, **always}.items()]

    def most_body(self, target: bytes) -> int:
        """Bytes that the body of a request may have."""
        return self.limits.body_bytes

    def handle(self, request: Request) -> None:
        """Answer `request`, now or when the model has."""
        exchange = _Exchange(self, request)
        try:
            handle, name = self._found(request)
            found = handle(self._pool, request, name)
        except Exception as error:
            exchange.fail(error)
            return
        if isinstance(found, Answer):
            exchange.finish(found)
        else:
            found.add_done_callback(exchange.done)

    def refusal(self, error: ApiError) -> tuple[bytes, bytes]:
        """Head and body of the answer to what is no request, or too large."""
        text = error.message
        if error.status == 413:
            most = self.limits.body_bytes
            text = f"The payload is too large: at most {most} bytes are accepted."
        answer = Answer(text.encode(), _TEXT, status=error.status)
        self.lines.add("-", "-", error.status, len(text), "-")
        return _head(answer), text.encode()

    def tick(self) -> None:
        """What time brings."""
        now = monotonic()
        for client in [late for late in self.clients if late.deadline <= now]:
            client.expire()

    async def drain(self, deadline: float) -> None:
        """Let requests in flight end."""
        self.draining = True
        while self.clients and monotonic() < deadline:
            for client in list(self.clients):
                client.drain()
            await asyncio.sleep(0.01)
        self.lines.flush()

    def _found(self, request: Request) -> tuple[Handle, str]:
        path = request.target.partition(b"?")[0].decode("latin-1")
        for pattern, methods in self._paths:
            if matched := pattern.fullmatch(path):
                if request.method not in methods:
                    raise RequestError(405, "405 Method Not Allowed")
                return methods[request.method], unquote("".join(matched.groups()))
        raise RequestError(404, "404 Not Found")


class _Exchange:
    """A request and its answer."""

    __slots__ = ("_front", "_peer", "_request")

    def __init__(self, front: _Front, request: Request) -> None:
        self._front = front
        self._request = request
        self._peer = request.client.peer  # it may have gone by the answer

    def done(self, found: "asyncio.Future[Answer]") -> None:
        """The answer is found, or why there is none."""
        error = found.exception()
        if error is None:
            self.finish(found.result())
        else:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Answer with a RequestError, or that something else went wrong."""
        if not isinstance(error, RequestError):
            _log.error("The prediction failed", exc_info=error)
            error = RequestError(500, "The prediction failed: the log says why.")
        self.finish(Answer(error.message.encode(), _TEXT, status=error.status))

    def finish(self, answer: Answer) -> None:
        """Send the answer."""
        try:
            head = _head(answer)
        except ValueError as error:
            if not isinstance(answer.body, bytes):
                self._front.threads.submit(answer.body.close)
            self.fail(error)
            return
        if isinstance(answer.body, bytes):
            self._request.client.answer(head, answer.body)
            self._note(answer.status, len(answer.body))
        else:
            task = asyncio.ensure_future(self._stream(head, answer.body))
            self._front.streams.add(task)
            task.add_done_callback(self._front.streams.discard)

    async def _stream(self, head: bytes, pieces: Pieces) -> None:
        """Send pieces as they come: none is asked for while those before it wait."""
        client = self._request.client
        flow = client.flow = _Flow(gone=not client.waits)
        loop, threads = asyncio.get_running_loop(), self._front.threads
        whole = False
        try:
            while not flow.gone:
                piece = await loop.run_in_executor(threads, next, pieces, None)
                if head:
                    client.begin(head)
                    head = b""
                if piece is None:
                    whole = True
                    break
                if piece:
                    client.pass_on(piece)
                await flow.room.wait()
        except Exception as error:
            _log.error("The answer broke off: %s", error)
        finally:
            client.end(whole)  # nobody must take for whole what is not
            self._note(200, 0)
            await loop.run_in_executor(threads, pieces.close)

    def _note(self, status: int, size: int) -> None:
        request = self._request
        path = request.target.partition(b"?")[0].decode("latin-1")
        if path != "/ping" or status != 200:
            first = f"{request.method.decode('latin-1')} {path} HTTP/{request.version}"
            agent = request.headers.get("user-agent", "-")
            self._front.lines.add(self._peer, first, status, size, agent)


class _Flow:
    """An answer in pieces, as its client sees it."""

    def __init__(self, gone: bool) -> None:
        self.gone = gone
        self.room = asyncio.Event()
        self.room.set()

    def pause(self) -> None:
        """The client reads too slowly."""
        self.room.clear()

    def resume(self) -> None:
        """It has read."""
        self.room.set()

    def abandon(self) -> None:
        """It is gone."""
        self.gone = True
        self.room.set()


def _ping(pool: Executor, request: Request, name: str) -> Answer:
    return Answer(b"", _JSON)


def _execution_parameters(pool: Executor, request: Request, name: str) -> Answer:
    return document(
        {
            "MaxConcurrentTransforms": cpus(),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": max_payload() // _MEGABYTE,
        }
    )


def _head(answer: Answer) -> bytes:
    """The first lines of an answer. Raises ValueError for a content type that is none."""
    kind = answer.content_type
    if _UNSAFE.search(kind):
        raise ValueError(f"The content type {kind!r} is none.")
    batch = f"X-Studio-Batch: {answer.batch}\r\n" if answer.batch else ""
    text = f"HTTP/1.1 {answer.status} {_phrase(answer.status)}\r\nContent-Type: {kind}\r\n{batch}"
    return text.encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
