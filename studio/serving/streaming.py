"""InvokeEndpointWithResponseStream: an answer goes out as it comes from its model.

Nothing is held: a client that reads slowly slows its model, one that leaves ends the request.
"""

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

from studio.errors import ApiError
from studio.http.request import Request
from studio.serving import errors, eventstream
from studio.serving.aftermath import Answer, captured, forwarded
from studio.serving.connection import Connection
from studio.serving.invocation import Invocation
from studio.serving.routes import VariantRoute

if TYPE_CHECKING:
    from studio.serving.dispatch import Dispatcher

_ACCEPT = "x-amzn-sagemaker-accept"
_TYPE = b"Content-Type: application/vnd.amazon.eventstream\r\n"
_RETURNED = (
    (b"content-type", b"X-Amzn-SageMaker-Content-Type: "),
    (b"x-amzn-sagemaker-custom-attributes", b"X-Amzn-SageMaker-Custom-Attributes: "),
)
_TO_FRONT = b"X-Studio-Stream: 1\r\n"
"""Tells the front of a server of several models not to wait for the whole answer."""


class Stream(Invocation):
    """A request whose answer is passed on in pieces."""

    __slots__ = ("_begun", "_first", "_headers", "_kept", "_kept_bytes", "_status")
    streams = True

    def __init__(
        self,
        dispatcher: "Dispatcher",
        request: Request,
        variant: VariantRoute,
        started: float,
        sent: float = 0.0,
    ) -> None:
        """`sent`: when the first of several containers was asked; 0.0 for the only one."""
        super().__init__(dispatcher, request, variant, started)
        self._begun = sent
        self._first = 0.0
        self._headers: dict[bytes, bytes] = {}
        self._status = 0
        self._kept: list[bytes] | None = None
        self._kept_bytes = 0

    def go(self) -> None:
        if self.wanted:
            super().go()

    def opened(self, flow: Connection) -> None:
        self._request.client.flow = flow

    def message(self, host: bytes) -> Iterable[bytes]:
        self._sent = self._begun = self._begun or monotonic()
        extra = _TO_FRONT if self._variant.models else b""
        return forwarded(self._request, b"/invocations", host, extra=extra)

    def begun(self, status: int, headers: dict[bytes, bytes]) -> None:
        variant = self._variant
        self._status, self._headers = status, headers
        if variant.capture is not None and variant.capture.drawn():
            self._kept = []
        parts = [b"HTTP/1.1 200 OK\r\n", self._dispatcher.common_head(), variant.reply_head, _TYPE]
        for name, prefix in _RETURNED:
            if name in headers:
                parts += (prefix, headers[name], b"\r\n")
        self._request.client.begin(b"".join(parts))

    def piece(self, data: bytes) -> None:
        self._first = self._first or monotonic()
        if self._kept is not None:
            self._keep(self._kept, data)
        self._request.client.pass_on(eventstream.part(data))

    def ended(self) -> None:
        self._over("")
        self._request.client.end()
        if self._kept is not None and self._variant.capture is not None:
            model_us = int((monotonic() - self._sent) * 1e6)
            body = b"".join(self._kept)
            answer = Answer(
                self._variant, self._request, self._status, self._headers, body, model_us
            )
            captured(self._dispatcher, self._variant.capture, answer)

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self._fail(self._refused(status, headers, body))

    def broken(self, reason: str) -> None:
        if not self._status:
            super().broken(reason)
            return
        late = reason.startswith(errors.TIMED_OUT)
        code = "ModelInvocationTimeExceeded" if late else "StreamBroken"
        group = f"/aws/sagemaker/Endpoints/{self._variant.endpoint}"
        text = f"{reason} See log group {group} for more information."
        self._break_off("ModelStreamError", {"Message": text, "ErrorCode": code})

    def cut(self, reason: str) -> None:
        """The router ends it, before its time."""
        self._break_off("InternalStreamFailure", {"Message": reason})

    def left(self) -> None:
        """The client has gone."""
        self._over("The client closed the connection.", judged=False)

    def _break_off(self, kind: str, document: dict[str, str]) -> None:
        self._over(document["Message"])
        client = self._request.client
        client.pass_on(eventstream.failure(kind, document))
        client.end()

    def _fail(self, error: ApiError) -> None:
        self._request.client.flow = None
        super()._fail(error)

    def _keep(self, kept: list[bytes], data: bytes) -> None:
        """For the captured data, whose records are bounded as answers in one piece are."""
        self._kept_bytes += len(data)
        if self._kept_bytes <= self._dispatcher.limits.body_bytes:
            kept.append(data)
            return
        self._kept = None
        if self._variant.capture is not None:
            self._dispatcher.recording.drop(self._variant.capture.about)

    def _over(self, trouble: str, judged: bool = True) -> None:
        """Count it; `trouble`: why it has no end. `judged`: that is for the variant to answer."""
        dispatcher, variant = self._dispatcher, self._variant
        model_us = int((monotonic() - self._sent) * 1e6)
        overhead_us = int((self._sent - self._started) * 1e6)
        dispatcher.observe(variant, None, model_us, overhead_us)
        if self._request.trail is not None:
            said = {"trouble": trouble} if trouble else {}
            self._request.trail.note(variant=variant.name, modelLatencyMs=model_us / 1000, **said)
            self._request.trail.over()
        if variant.arm is not None and judged:
            headers = self._request.headers
            dispatcher.arms.note(variant.arm, variant.name, headers, not trouble, model_us)
        if self._first:
            first_us = int((self._first - self._sent) * 1e6)
            dispatcher.counters.count_first(variant, first_us, overhead_us)
        if not self._status:
            return  # it left before there was anything to break off
        dispatcher.counters.count_stream(variant, bool(trouble))
        if trouble:
            dispatcher.log(
                "stream broken", endpoint=variant.endpoint, variant=variant.name, reason=trouble
            )


def accepting(request: Request) -> None:
    """What the model is to answer with has a header of its own: Accept is what the client takes,
    an event stream."""
    accept = request.headers.pop(_ACCEPT, None)
    request.headers.pop("accept", None)
    if accept is not None:
        request.headers["accept"] = accept
