"""What follows an answer once its client has it: it is captured, and shadows are asked the same.

None of it can change the answer, and what there is no room for is dropped.
"""

import random
import time
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from studio.http.request import Request
from studio.serving.routes import CaptureRoute, ShadowRoute, VariantRoute
from studio.serving.upstream import Server

if TYPE_CHECKING:
    from studio.serving.dispatch import Dispatcher

_FORWARDED = tuple(
    (name.lower(), f"{name}: ".encode())
    for name in (
        "Content-Type",
        "Accept",
        "X-Amzn-SageMaker-Custom-Attributes",
        "X-Amzn-SageMaker-Target-Container-Hostname",
        "X-Amzn-SageMaker-Target-Model",
        "X-Amzn-SageMaker-Inference-Id",
        "X-Amzn-SageMaker-Session-Id",
    )
)


def asked(request: Request, host: bytes) -> Iterable[bytes]:
    """What a model server is asked for a client's request."""
    return forwarded(request, b"/invocations", host)


def forwarded(
    request: Request, path: bytes, host: bytes, method: bytes = b"POST", extra: bytes = b""
) -> Iterable[bytes]:
    """A client's request as it is sent on, to `path`; `extra`: headers of our own."""
    headers = request.headers
    parts = [method, b" ", path, b" HTTP/1.1\r\nHost: ", host, b"\r\n"]
    for name, prefix in _FORWARDED:
        value = headers.get(name)
        if value is not None:
            parts += (prefix, value.encode("latin-1"), b"\r\n")
    body = request.body
    if extra:
        parts.append(extra)
    parts.append(b"Content-Length: %d\r\n\r\n" % len(body))
    if len(body) < 65_536:
        parts.append(body)
        return (b"".join(parts),)
    return b"".join(parts), body


class Answer:
    """What a model server answered to a request; `model_us` is the time it took."""

    __slots__ = ("body", "headers", "model_us", "request", "status", "variant")

    def __init__(
        self,
        variant: VariantRoute,
        request: Request,
        status: int,
        headers: Mapping[bytes, bytes],
        body: bytes,
        model_us: int,
    ) -> None:
        self.variant = variant
        self.request = request
        self.status = status
        self.headers = headers
        self.body = body
        self.model_us = model_us


def follow(dispatcher: "Dispatcher", answer: Answer) -> None:
    """Capture `answer` and ask the shadows, as the endpoint's configuration says."""
    variant = answer.variant
    capture = variant.capture
    if capture is not None and 200 <= answer.status < 300 and capture.drawn():
        captured(dispatcher, capture, answer)
    for shadow in variant.shadows:
        if random.random() < shadow.share:
            Mirror(dispatcher, shadow, answer).go()


def captured(dispatcher: "Dispatcher", capture: CaptureRoute, answer: Answer) -> None:
    """Have the recorder write `answer` and its request down."""
    request = answer.request
    said = _event(request)
    said["input"] = request.headers.get("content-type", "")
    said["output"] = _kind(answer.headers)
    said["attributes"] = request.headers.get("x-amzn-sagemaker-custom-attributes")
    dispatcher.recording.send(
        capture.about,
        said,
        request.body if capture.input else b"",
        answer.body if capture.output else b"",
    )


def _event(request: Request) -> dict[str, Any]:
    return {
        "at": time.time(),
        "event": str(UUID(int=random.getrandbits(128), version=4)),
        "inference": request.headers.get("x-amzn-sagemaker-inference-id"),
    }


def _kind(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(b"content-type", b"").decode("latin-1")


class Mirror:
    """A request that a shadow is asked, after the answer that its own is compared with."""

    __slots__ = ("_answer", "_dispatcher", "_sent", "_shadow", "tried")
    streams = False
    wanted = True

    def __init__(self, dispatcher: "Dispatcher", shadow: ShadowRoute, answer: Answer) -> None:
        self._dispatcher = dispatcher
        self._shadow = shadow
        self._answer = answer
        self._sent = monotonic()
        self.tried: tuple[Server, ...] = ()

    def go(self) -> None:
        """Send it, unless the shadow has enough to do."""
        shadow, dispatcher = self._shadow, self._dispatcher
        server = None
        if shadow.in_flight < dispatcher.limits.mirrors:
            server = shadow.route.pick(monotonic(), ())
        if server is None or dispatcher.draining:
            dispatcher.recording.drop(shadow.about)
            return
        shadow.in_flight += 1
        server.send(self)

    def message(self, host: bytes) -> Iterable[bytes]:
        self._sent = monotonic()
        return asked(self._answer.request, host)

    def answered(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> None:
        self._over(status, _kind(headers), body, "")

    def unreachable(self, server: Server) -> None:
        self._over(0, "", b"", server.trouble)

    def broken(self, reason: str) -> None:
        self._over(0, "", b"", reason)

    def _over(self, status: int, kind: str, body: bytes, trouble: str) -> None:
        shadow, answer = self._shadow, self._answer
        shadow.in_flight -= 1
        model_us = int((monotonic() - self._sent) * 1e6)
        self._dispatcher.counters.count(shadow.route, status, model_us, 0)
        said = _event(answer.request) | {
            "production": answer.variant.name,
            "input": answer.request.headers.get("content-type", ""),
            "kinds": [_kind(answer.headers), kind],
            "statuses": [answer.status, status],
            "model_us": [answer.model_us, model_us],
            "trouble": trouble,
        }
        self._dispatcher.recording.send(shadow.about, said, answer.request.body, answer.body, body)
