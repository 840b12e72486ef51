"""Variants of several containers: one after the other, or the one that a request names."""

from collections.abc import Iterable
from time import monotonic

from studio.serving import errors
from studio.serving.aftermath import asked
from studio.serving.dispatch import Dispatcher, Invocation
from studio.serving.protocol import Request
from studio.serving.routes import VariantRoute
from studio.serving.upstream import Server

_HOSTNAME = "x-amzn-sagemaker-target-container-hostname"
_PASSED = ("content-type", "x-amzn-sagemaker-custom-attributes")
"""Headers of a container's answer that the next one is asked with."""


class Chain(Invocation):
    """A request that passes several containers: what one answers the next is asked."""

    __slots__ = ("_at", "_begun", "_stages", "_through", "_whole")

    def __init__(
        self,
        dispatcher: Dispatcher,
        request: Request,
        variant: VariantRoute,
        started: float,
        stages: tuple[VariantRoute, ...],
    ) -> None:
        super().__init__(dispatcher, request, variant, started)
        self._whole, self._through = request, variant
        self._stages = stages
        self._at = 0
        self._begun = 0.0

    def message(self, host: bytes) -> Iterable[bytes]:
        # The latency of the model is that of all containers together.
        self._begun = self._begun or monotonic()
        self._sent = self._begun
        return asked(self._request, host)

    def answered(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        good = 200 <= status < 300
        if good and self._at < len(self._stages) - 1:
            self._at += 1
            self._request = _following(self._whole, headers, body)
            self.tried = ()
            self.go()
            return
        # What is captured is the client's request; an error is that of the container.
        self._request = self._whole
        if good:
            self._variant = self._through
        super().answered(status, headers, body)

    def _pick(self) -> Server | None:
        self._variant = self._stages[self._at]
        return self._variant.pick(monotonic(), self.tried)


def invocation(
    dispatcher: Dispatcher, request: Request, variant: VariantRoute, started: float
) -> Invocation:
    """What becomes of a request to a variant of several containers. Raises ApiError."""
    named = request.headers.get(_HOSTNAME)
    if not variant.direct:
        if named is not None:
            raise errors.no_target_container(variant.endpoint)
        return Chain(dispatcher, request, variant, started, variant.stages)
    if named is None:
        raise errors.target_container_required(variant.endpoint)
    stage = next((it for it in variant.stages if it.container == named), None)
    if stage is None:
        raise errors.target_container_unknown(variant.endpoint, named)
    return Chain(dispatcher, request, variant, started, (stage,))


def _following(whole: Request, headers: dict[bytes, bytes], body: bytes) -> Request:
    """What the next container is asked: the client's request with the answer of the one before."""
    request = Request(whole.client)
    request.headers = {
        **{name: it for name, it in whole.headers.items() if name not in _PASSED},
        **{
            name: value.decode("latin-1")
            for name in _PASSED
            if (value := headers.get(name.encode())) is not None
        },
    }
    request.body = body
    return request
