"""The front of a multi-model server: a process of its own that takes its requests.

It stands between router and model server, on a socket that its shim holds: while it is started
again, requests wait. What it answers that is no model's answer bears the header X-Studio-Error,
which the router reads. `models.sock` in its folder is for the control plane.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import uvloop

from studio.errors import ApiError
from studio.http.protocol import Client
from studio.http.request import Request
from studio.serving import errors
from studio.serving.aftermath import forwarded
from studio.serving.artifacts import Unavailable, Unfit
from studio.serving.bounds import MOST_BODY_BYTES, MOST_SECONDS, Bounds
from studio.serving.connection import Call, Connection
from studio.serving.front_control import SOCKET, Desk
from studio.serving.limits import Limits
from studio.serving.log import Log
from studio.serving.manager import Manager, ModelFailed, Place, now_ms
from studio.serving.model_counts import ModelCounts
from studio.serving.shelf import Model, Shelf
from studio.serving.upstream import Server

_TICK_SECONDS = 0.2
_IDLE_TICK_SECONDS = 1.0
_LOAD_SECONDS = 50.0
"""What a request waits for its model: the router gives up after a minute."""
_TARGET = "x-amzn-sagemaker-target-model"
_STREAM = "x-studio-stream"
_OK = b"HTTP/1.1 200 OK\r\n"
_REFUSED = b"HTTP/1.1 424 Failed Dependency\r\nContent-Type: text/plain\r\n"
"""Whatever it was: a model's trouble is none of the server, which the router would pass over."""


def main() -> None:
    """Serve until killed. `--options` is the JSON that `endpoint_models.front` makes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--options", type=json.loads, required=True)
    parser.add_argument("--server", required=True, help="host:port of the model server")
    parser.add_argument("--folder", type=Path, required=True, help="the run's")
    parser.add_argument("--seen", required=True, help="where the server finds the models' folder")
    given = parser.parse_args()
    os.umask(0o022)  # whoever the server runs as reads what is unpacked
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGQUIT})
    uvloop.run(_serve(given))


async def _serve(given: argparse.Namespace) -> None:
    options: dict[str, Any] = given.options
    home, folder = Path(options["home"]), given.folder
    log = Log(folder / "front.log")
    counts = ModelCounts(home, options["endpoint"], options["variant"])
    front = Front(given.server, options["endpoint"], counts, log)
    place = Place(
        home, options["run"], options["prefix"], folder / "ml" / "models", given.seen,
        options["keep"],
    )  # fmt: skip
    shelf = Shelf(options["bytes"], options["count"])
    front.manager = manager = Manager(place, front, shelf, counts, log)
    desk = Desk(manager, Path(options["pins"]))
    await manager.reset()
    loop = asyncio.get_running_loop()
    await desk.open(folder / SOCKET)
    listener = socket.socket(fileno=0)
    server = await loop.create_server(lambda: Client(front), sock=listener, backlog=1024)
    log("front started", server=given.server, pid=os.getpid())
    while server.is_serving():
        front.tick()
        desk.look()
        manager.tick()
        counts.tick(shelf.loaded())
        await asyncio.sleep(_TICK_SECONDS if front.clients else _IDLE_TICK_SECONDS)


class Front:
    """What lives as long as the process: its clients, the server, and the calls in flight."""

    manager: Manager

    def __init__(self, server: str, endpoint: str, counts: ModelCounts, log: Log) -> None:
        # The router bounds the requests, and the time that each may take.
        most = Bounds(MOST_BODY_BYTES, MOST_SECONDS, MOST_SECONDS)
        self.limits = replace(most.applied(Limits()), idle_seconds=10.0)
        self.clients: set[Client] = set()
        self.draining = False
        self.busy: set[Connection] = set()
        self.server = Server(server, self.limits, self.busy)
        self.counts = counts
        self._endpoint = endpoint
        self._log = log
        self._waiting: set[asyncio.Task[None]] = set()

    def handle(self, request: Request) -> None:
        """Answer `request`, now or when its model has."""
        target = request.headers.get(_TARGET)
        if target is None:
            self.server.send(Passing(request))
            return
        name = target.encode("latin-1").decode("utf-8", "replace").removeprefix("/")
        model = self.manager.loaded(name)
        if model is not None:
            self._invoke(request, model, hit=True)
            return
        task = asyncio.ensure_future(self._await_model(request, name))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def most_body(self, target: bytes) -> int:
        """Bytes that the body of a request may have."""
        return self.limits.body_bytes

    def refusal(self, error: ApiError) -> tuple[bytes, bytes]:
        """Head and body of an answer that is no model's."""
        status = errors.original_status(error) or 0
        head = b"X-Studio-Error: %b %d\r\n" % (error.code.encode(), status)
        return _REFUSED + head, error.message.encode()

    async def ask(self, method: str, path: str, document: object = None) -> tuple[int, bytes]:
        """Status and body of the server's answer; 0 and a reason when there is none."""
        question = Question(method, path, document)
        self.server.send(question)
        return await question.answer

    def tick(self) -> None:
        """What time brings."""
        now = monotonic()
        for connection in [it for it in self.busy if it.deadline <= now or _deserted(it.call)]:
            connection.expire()
        for client in [late for late in self.clients if late.deadline <= now]:
            client.expire()
        self.server.tend(now)

    async def _await_model(self, request: Request, target: str) -> None:
        try:
            async with asyncio.timeout(_LOAD_SECONDS):
                model = await self.manager.acquire(target)
        except Exception as error:
            self.counts.invoked(target, False)
            self.manager.shelf.record(target).errors += 1
            request.client.answer(*self.refusal(self._trouble(target, error)))
        else:
            self._invoke(request, model, hit=False)

    def _trouble(self, target: str, error: Exception) -> ApiError:
        if isinstance(error, ApiError):
            return error
        if isinstance(error, ModelFailed):
            return errors.ModelError(error.message, {"OriginalStatusCode": error.status})
        if isinstance(error, Unfit):
            return ApiError("ValidationError", str(error))
        if isinstance(error, Unavailable):
            return ApiError("ServiceUnavailable", str(error), 503)
        if isinstance(error, TimeoutError):
            text = f"Model {target} is not ready for inference: it is still being loaded."
            return ApiError("ModelNotReadyException", text, 429)
        self._log("unexpected error", error=f"{type(error).__name__}: {error}")
        return ApiError("InternalFailure", "The model could not be brought.", 500)

    def _invoke(self, request: Request, model: Model, hit: bool) -> None:
        record = self.manager.shelf.record(model.target)
        record.invocations += 1
        record.hits += hit
        record.last_used = now_ms()
        self.counts.invoked(model.target, hit)
        kind = Streamed if _STREAM in request.headers else Invocation
        self.server.send(kind(self, request, model))


class Passing:
    """A request that the server answers as it is, `/ping`."""

    __slots__ = ("_request", "tried")
    streams = False

    def __init__(self, request: Request) -> None:
        self._request = request
        self.tried: tuple[Server, ...] = ()

    @property
    def wanted(self) -> bool:
        return self._request.client.connected

    def message(self, host: bytes) -> Iterable[bytes]:
        return forwarded(self._request, self._request.target, host, self._request.method)

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self._request.client.answer(_head(b"HTTP/1.1 %d Answer\r\n" % status, headers), body)

    def unreachable(self, server: Server) -> None:
        self.broken("")

    def broken(self, reason: str) -> None:
        self._request.client.answer(b"HTTP/1.1 503 Service Unavailable\r\n", reason.encode())


class Invocation:
    """One request on its way to a model and back."""

    __slots__ = ("_front", "_model", "_request", "tried")
    streams = False

    def __init__(self, front: Front, request: Request, model: Model) -> None:
        self._front = front
        self._request = request
        self._model = model
        self.tried: tuple[Server, ...] = ()

    @property
    def wanted(self) -> bool:
        # Also when nobody waits any more: the model has to be released.
        return True

    @property
    def deserted(self) -> bool:
        """The router, which knows how long a model may take, has given up."""
        return not self._request.client.connected

    def message(self, host: bytes) -> Iterable[bytes]:
        path = b"/models/%b/invoke" % self._model.name.encode()
        return forwarded(self._request, path, host)

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self._front.manager.release(self._model)
        if 200 <= status < 300:
            self._request.client.answer(_head(_OK, headers), body)
        else:
            self._fail(status, body.decode("utf-8", "replace"))

    def unreachable(self, server: Server) -> None:
        self._front.manager.release(self._model)
        error = ApiError("ServiceUnavailable", "The model server accepts no connections.", 503)
        self._request.client.answer(*self._front.refusal(error))

    def broken(self, reason: str) -> None:
        self._front.manager.release(self._model)
        self._fail(0, reason)

    def _fail(self, status: int, message: str) -> None:
        front, target = self._front, self._model.target
        front.counts.failed(target)
        front.manager.shelf.record(target).errors += 1
        error = errors.ModelError(message, {"OriginalStatusCode": status})
        self._request.client.answer(*front.refusal(error))


class Streamed(Invocation):
    """One whose answer goes back as it comes."""

    __slots__ = ("_begun",)
    streams = True

    def __init__(self, front: Front, request: Request, model: Model) -> None:
        super().__init__(front, request, model)
        self._begun = False

    def opened(self, flow: Connection) -> None:
        self._request.client.flow = flow

    def begun(self, status: int, headers: dict[bytes, bytes]) -> None:
        self._begun = True
        self._request.client.begin(_head(_OK, headers))

    def piece(self, data: bytes) -> None:
        self._request.client.pass_on(data)

    def ended(self) -> None:
        self._front.manager.release(self._model)
        self._request.client.end()

    def broken(self, reason: str) -> None:
        if self._begun:
            self.cut(reason)
        else:
            super().broken(reason)

    def cut(self, reason: str) -> None:
        self._front.manager.release(self._model)
        self._front.counts.failed(self._model.target)
        self._request.client.end(whole=False)

    def left(self) -> None:
        self._front.manager.release(self._model)

    def _fail(self, status: int, message: str) -> None:
        self._request.client.flow = None
        super()._fail(status, message)


class Question:
    """A request of the front's own to the server."""

    __slots__ = ("_content", "_first", "answer", "tried")
    streams = False
    wanted = True

    def __init__(self, method: str, path: str, document: object) -> None:
        self._first = f"{method} {path} HTTP/1.1\r\n".encode()
        self._content = b"" if document is None else json.dumps(document).encode()
        self.answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self.tried: tuple[Server, ...] = ()

    def message(self, host: bytes) -> Iterable[bytes]:
        kind = b"Content-Type: application/json\r\n" if self._content else b""
        length = b"Content-Length: %d\r\n\r\n" % len(self._content)
        return (self._first + b"Host: " + host + b"\r\n" + kind + length + self._content,)

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self.answer.set_result((status, body))

    def unreachable(self, server: Server) -> None:
        self.answer.set_result((0, b"The model server accepts no connections."))

    def broken(self, reason: str) -> None:
        self.answer.set_result((0, reason.encode()))


def _deserted(call: Call | None) -> bool:
    return isinstance(call, Invocation) and call.deserted


_RETURNED = (
    b"content-type",
    b"x-amzn-sagemaker-custom-attributes",
    b"x-amzn-sagemaker-new-session-id",
    b"x-amzn-sagemaker-closed-session-id",
    b"x-studio-batch",
)


def _head(first: bytes, headers: dict[bytes, bytes]) -> bytes:
    return first + b"".join(
        b"%b: %b\r\n" % (name, headers[name]) for name in _RETURNED if name in headers
    )


if __name__ == "__main__":
    main()
