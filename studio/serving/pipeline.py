"""Variants of several containers: one after the other, or the one that a request names."""

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING

from studio.http.request import Request
from studio.serving import errors
from studio.serving.aftermath import asked
from studio.serving.invocation import Invocation
from studio.serving.routes import VariantRoute
from studio.serving.streaming import Stream
from studio.serving.upstream import Server

if TYPE_CHECKING:
    from studio.serving.dispatch import Dispatcher

_HOSTNAME = "x-amzn-sagemaker-target-container-hostname"
_PASSED = ("content-type", "x-amzn-sagemaker-custom-attributes")
"""Headers of a container's answer that the next one is asked with."""


class Chain(Invocation):
    """A request that passes several containers: what one answers the next is asked."""

    __slots__ = ("_at", "_begun", "_stages", "_through", "_whole")

    def __init__(
        self,
        dispatcher: "Dispatcher",
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
            self._proceed()
            return
        # What is captured is the client's request; an error is that of the container.
        self._request = self._whole
        if good:
            self._variant = self._through
        super().answered(status, headers, body)

    def _proceed(self) -> None:
        """To the container whose turn it is."""
        self.go()

    def _pick(self) -> Server | None:
        self._variant = self._stages[self._at]
        return self._variant.pick(monotonic(), self.tried)


class StreamedChain(Chain):
    """A chain whose last container streams: only the others are waited for."""

    __slots__ = ()

    def _proceed(self) -> None:
        if self._at < len(self._stages) - 1:
            self.go()
            return
        last = LastStream(self._dispatcher, self._request, self._through, self._started, self._sent)
        last.through(self._whole, self._stages[self._at])
        last.go()


class LastStream(Stream):
    """What the last container of a chain is asked, and answers to the client of the chain."""

    __slots__ = ("_stage", "_through", "_whole")

    def through(self, whole: Request, stage: VariantRoute) -> None:
        """It is the client's request `whole` that `stage` ends."""
        self._whole, self._stage, self._through = whole, stage, self._variant

    def begun(self, status: int, headers: dict[bytes, bytes]) -> None:
        # What is captured is the client's request; an error before is that of the container.
        self._request, self._variant = self._whole, self._through
        super().begun(status, headers)

    def _pick(self) -> Server | None:
        self._variant = self._stage
        return self._stage.pick(monotonic(), self.tried)


def invocation(
    dispatcher: "Dispatcher", request: Request, variant: VariantRoute, started: float
) -> Invocation:
    """What becomes of a request to a variant of several containers. Raises ApiError."""
    stages = _stages(request, variant)
    return Chain(dispatcher, request, variant, started, stages)


def stream(
    dispatcher: "Dispatcher", request: Request, variant: VariantRoute, started: float
) -> Invocation:
    """The same, with an answer in pieces. Raises ApiError."""
    stages = _stages(request, variant)
    if len(stages) > 1:
        return StreamedChain(dispatcher, request, variant, started, stages)
    only = LastStream(dispatcher, request, variant, started)
    only.through(request, stages[0])
    return only


def _stages(request: Request, variant: VariantRoute) -> tuple[VariantRoute, ...]:
    """The containers that a request passes. Raises ApiError."""
    named = request.headers.get(_HOSTNAME)
    if not variant.direct:
        if named is not None:
            raise errors.no_target_container(variant.endpoint)
        return variant.stages
    if named is None:
        raise errors.target_container_required(variant.endpoint)
    stage = next((it for it in variant.stages if it.container == named), None)
    if stage is None:
        raise errors.target_container_unknown(variant.endpoint, named)
    return (stage,)


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
