"""Requests that wait for a model are answered together: adaptive batching, which a model's
environment switches on.

Nobody waits on purpose: who finds the model idle is answered at once. Those that come while it
predicts are taken together when it is free, as many as keep within the latency budget, going by how
long it took before.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from studio.algorithms.base import UserError
from studio.algorithms.server import Answer, Ask, Invocation, Predict, RequestError, max_payload

_SWITCH = "STUDIO_BATCHING"
_MAX_REQUESTS, _LATENCY = f"{_SWITCH}_MAX_REQUESTS", f"{_SWITCH}_LATENCY_MS"
_USUAL_REQUESTS, _USUAL_MILLISECONDS = 64, 50
_MOST_REQUESTS, _MOST_MILLISECONDS = 1024, 10_000
_FIRST_LIMIT = 8
_FORGOTTEN = 1.01
_LARGE = 2**16
"""Bytes of a body from which on it is predicted by itself: others would wait long for it."""

Outcome = Answer | Exception
Together = Callable[[Sequence[Invocation]], Sequence[Outcome]]
"""Answers several requests: as many outcomes, in their order, each as if it was asked alone."""


@dataclass(frozen=True)
class Settings:
    """How much is answered together."""

    max_requests: int = _USUAL_REQUESTS
    latency: float = _USUAL_MILLISECONDS / 1000
    """Seconds that the model may take longer for a batch than for one request."""


def settings() -> Settings | None:
    """What the environment says; None where batching is off. Raises UserError."""
    switch = os.environ.get(_SWITCH, "").strip().lower()
    if switch not in ("", "on", "off", "true", "false"):
        raise UserError(f"The environment variable {_SWITCH} is {switch!r}: use on or off.")
    if switch not in ("on", "true"):
        return None
    requests = _whole(_MAX_REQUESTS, _USUAL_REQUESTS, _MOST_REQUESTS)
    return Settings(requests, _whole(_LATENCY, _USUAL_MILLISECONDS, _MOST_MILLISECONDS) / 1000)


def asking(predict: Predict, together: Together, at_once: int = 1) -> Ask:
    """Who brings requests to a model: `together` where batching is on, up to `at_once` batches side
    by side, else one by one. Raises UserError."""
    chosen = settings()
    return partial(_alone, predict) if chosen is None else Batcher(together, at_once, chosen).ask


def each(predict: Predict) -> Together:
    """For models whose rows cannot be joined without another rounding: what is shared is the way
    to the thread."""
    return lambda invocations: [outcome(predict, it) for it in invocations]


def outcome(predict: Predict, invocation: Invocation) -> Outcome:
    """What comes of a request."""
    try:
        return predict(invocation)
    except Exception as error:
        return error


class Batcher:
    """Requests of one model. For one event loop."""

    def __init__(self, together: Together, at_once: int, chosen: Settings) -> None:
        self._together = together
        self._at_once = at_once
        self._pace = Pace(chosen)
        self._waiting: deque[_Waiting] = deque()
        self._running = 0

    def ask(self, pool: Executor, invocation: Invocation) -> "asyncio.Future[Answer]":
        """The answer to come, or RequestError when nobody waits for it any more."""
        loop = asyncio.get_running_loop()
        if len(invocation.body) >= _LARGE:
            return loop.run_in_executor(pool, _only, self._together, invocation)
        one = _Waiting(invocation, loop.create_future(), perf_counter())
        self._waiting.append(one)
        if self._running < self._at_once:
            # Not at once: more may have arrived in the same moment.
            loop.call_soon(self._start, pool)
        return one.answer

    def _start(self, pool: Executor) -> None:
        if self._running >= self._at_once or not (batch := self._taken()):
            return
        self._running += 1
        begun = perf_counter()
        work = partial(self._together, [it.invocation for it in batch])
        task = asyncio.get_running_loop().run_in_executor(pool, work)
        task.add_done_callback(lambda done: self._done(pool, batch, begun, done))

    def _taken(self) -> "list[_Waiting]":
        """Those that have waited longest and are still wanted; their bodies are not larger than
        what the model may be asked by one."""
        batch: list[_Waiting] = []
        room = max_payload()
        while self._waiting and len(batch) < self._pace.limit:
            size = len(self._waiting[0].invocation.body)
            if size > room and batch:
                break
            one = self._waiting.popleft()
            if one.invocation.wanted():
                batch.append(one)
                room -= size
            else:
                one.answer.set_exception(RequestError(499, "The client has gone."))
        return batch

    def _done(
        self,
        pool: Executor,
        batch: "list[_Waiting]",
        begun: float,
        done: "asyncio.Future[Sequence[Outcome]]",
    ) -> None:
        self._running -= 1
        self._start(pool)
        self._pace.saw(len(batch), perf_counter() - begun)
        failed = done.exception()
        outcomes = [failed] * len(batch) if isinstance(failed, Exception) else done.result()
        for one, found in zip(batch, outcomes, strict=True):
            if isinstance(found, Answer):
                waited = int((begun - one.since) * 1e6)
                batched = f"{len(batch)} {waited}"
                one.answer.set_result(Answer(found.body, found.content_type, batched))
            else:
                one.answer.set_exception(found)


class Pace:
    """How many requests go together: a quarter more while that keeps the budget, a quarter less
    when it does not. What a call takes by itself is no reason for smaller ones: there would only be
    more of them."""

    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen
        self._least = float("inf")
        self.limit = min(_FIRST_LIMIT, chosen.max_requests)

    def saw(self, requests: int, seconds: float) -> None:
        """A batch took so long."""
        # Slowly forgotten: models get slower, and machines busier.
        self._least = min(seconds, self._least * _FORGOTTEN)
        if seconds - self._least > self._chosen.latency:
            self.limit = max(1, self.limit * 3 // 4)
        elif requests >= self.limit:
            self.limit = min(self._chosen.max_requests, self.limit + max(1, self.limit // 4))


@dataclass(frozen=True)
class _Waiting:
    invocation: Invocation
    answer: "asyncio.Future[Answer]"
    since: float


def _alone(predict: Predict, pool: Executor, invocation: Invocation) -> "asyncio.Future[Answer]":
    return asyncio.get_running_loop().run_in_executor(pool, predict, invocation)


def _only(together: Together, invocation: Invocation) -> Answer:
    (found,) = together([invocation])
    if isinstance(found, Exception):
        raise found
    return found


def _whole(variable: str, usual: int, most: int) -> int:
    given = os.environ.get(variable, "").strip()
    if not given:
        return usual
    if not given.isdecimal() or not 1 <= int(given) <= most:
        wanted = f"use a whole number from 1 to {most}"
        raise UserError(f"The environment variable {variable} is {given!r}: {wanted}.")
    return int(given)
