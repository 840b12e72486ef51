"""One request on its way to a model server and back."""

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

from studio.errors import ApiError
from studio.http.request import Request
from studio.serving import errors
from studio.serving.aftermath import Answer, asked, follow
from studio.serving.routes import VariantRoute
from studio.serving.upstream import Server

if TYPE_CHECKING:
    from studio.serving.dispatch import Dispatcher

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


class Invocation:
    """A request that one server answers."""

    __slots__ = ("_dispatcher", "_request", "_sent", "_started", "_variant", "tried")
    streams = False

    def __init__(
        self, dispatcher: "Dispatcher", request: Request, variant: VariantRoute, started: float
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
