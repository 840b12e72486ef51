"""Requests that wait for a model are answered together, each as if it was asked alone."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost
from algorithm_programs import Job, Serve
from scipy import sparse
from waiting import PATIENCE_SECONDS, eventually

from studio.algorithms import batching
from studio.algorithms.base import UserError
from studio.algorithms.batching import Batcher, Outcome, Pace, Settings
from studio.algorithms.joining import Question, Steps
from studio.algorithms.server import Answer, Invocation, RequestError
from studio.algorithms.sharing import Shared

ROWS = np.random.default_rng(3).normal(size=(60, 3)).astype(np.float32)


def asked(text: str) -> Invocation:
    return Invocation(text.encode(), "text/csv", "", lambda: text != "gone")


class Slow:
    """A model that notes what it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.may = threading.Semaphore(0)

    def together(self, invocations: Sequence[Invocation]) -> list[Outcome]:
        self.batches.append([it.body for it in invocations])
        assert self.may.acquire(timeout=PATIENCE_SECONDS)
        return [self._answer(it) for it in invocations]

    def _answer(self, it: Invocation) -> Outcome:
        if it.body == b"bad":
            return RequestError(400, "it is bad")
        return Answer(it.body * 2, it.content_type)


def run(body: Callable[[Slow, Callable[[str], "asyncio.Future[Answer]"]], object], most=64) -> None:
    """`body(model, ask)` on an event loop."""

    async def main() -> None:
        model = Slow()
        batcher = Batcher(model.together, 1, Settings(most))
        with ThreadPoolExecutor(2) as pool:
            try:
                await body(model, lambda text: batcher.ask(pool, asked(text)))
            finally:
                model.may.release(100)

    asyncio.run(main())


async def begun(model: Slow, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(model.batches) < count:
            await asyncio.sleep(0.001)


def test_who_finds_the_model_idle_goes_alone_and_those_who_wait_go_together() -> None:
    async def body(model, ask):
        first = ask("a")
        await begun(model, 1)
        others = [ask(text) for text in "bcd"]
        model.may.release(2)
        assert [(await it).body for it in (first, *others)] == [b"aa", b"bb", b"cc", b"dd"]
        assert model.batches == [[b"a"], [b"b", b"c", b"d"]]
        assert (await first).batch.split()[0] == "1"
        assert (await others[0]).batch.split()[0] == "3"

    run(body)


def test_a_bad_one_harms_no_neighbour_and_one_whose_client_has_gone_is_not_asked() -> None:
    async def body(model, ask):
        first = ask("a")
        await begun(model, 1)
        good, bad, gone, last = [ask(text) for text in ("b", "bad", "gone", "c")]
        model.may.release(2)
        assert ((await good).body, (await last).body) == (b"bb", b"cc")
        with pytest.raises(RequestError, match="it is bad"):
            await bad
        with pytest.raises(RequestError, match="The client has gone"):
            await gone
        assert model.batches == [[b"a"], [b"b", b"bad", b"c"]]
        await first

    run(body)


def test_a_batch_is_no_larger_than_allowed_in_requests_and_in_bytes(monkeypatch) -> None:
    monkeypatch.setattr(batching, "max_payload", lambda: 100)

    async def body(model, ask):
        first = ask("a")
        await begun(model, 1)
        others = [ask(text) for text in ("b", "c", "d", "e" * 60, "f" * 60)]
        model.may.release(10)
        await asyncio.gather(first, *others)
        assert list(map(len, model.batches)) == [1, 3, 1, 1]

    run(body, most=3)


def test_a_large_body_does_not_hold_up_the_others() -> None:
    async def body(model, ask):
        large = ask("x" * 2**16)
        small = ask("a")
        await begun(model, 2)  # side by side
        model.may.release(2)
        assert (await small).batch.startswith("1 ")
        assert (await large).batch == ""

    run(body)


def test_when_all_fails_everybody_is_told() -> None:
    async def main() -> None:
        def together(_: Sequence[Invocation]) -> list[Outcome]:
            raise ValueError("broken")

        batcher = Batcher(together, 1, Settings())
        with ThreadPoolExecutor(1) as pool:
            for _ in range(2):
                with pytest.raises(ValueError, match="broken"):
                    await batcher.ask(pool, asked("a"))

    asyncio.run(main())


def test_the_budget_says_how_many_go_together() -> None:
    pace = Pace(Settings(max_requests=20, latency=0.05))
    limits = [pace.limit]
    for _ in range(5):
        pace.saw(pace.limit, 0.5)  # by itself, a call takes longer than the budget
        limits.append(pace.limit)
    assert limits == [8, 10, 12, 15, 18, 20]
    pace.saw(3, 0.5)
    assert pace.limit == 20
    pace.saw(20, 0.56)
    assert pace.limit == 15
    pace.saw(15, 0.54)
    assert pace.limit == 18
    for _ in range(20):
        pace.saw(pace.limit, 9.9)
    assert pace.limit == 1
    pace.saw(1, 0.5)
    assert pace.limit == 2


def test_a_model_that_got_slower_is_no_reason_for_small_batches_for_ever() -> None:
    pace = Pace(Settings(max_requests=20, latency=0.05))
    pace.saw(1, 0.01)
    for _ in range(500):
        pace.saw(pace.limit, 0.5)
    assert pace.limit == 20


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STUDIO_BATCHING", "maybe"),
        ("STUDIO_BATCHING_MAX_REQUESTS", "0"),
        ("STUDIO_BATCHING_LATENCY_MS", "1.5"),
    ],
)
def test_what_cannot_be_is_named(name: str, value: str, monkeypatch) -> None:
    monkeypatch.setenv("STUDIO_BATCHING", "on")
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=name):
        batching.settings()


def test_the_switch(monkeypatch) -> None:
    assert batching.settings() is None
    monkeypatch.setenv("STUDIO_BATCHING", "On")
    assert batching.settings() == Settings(64, 0.05)
    monkeypatch.setenv("STUDIO_BATCHING_LATENCY_MS", "20")
    assert batching.settings() == Settings(64, 0.02)


def test_models_whose_rows_are_not_joined_are_asked_one_by_one() -> None:
    def predict(it: Invocation) -> Answer:
        if it.body == b"bad":
            raise RequestError(400, "it is bad")
        return Answer(it.body * 2, it.content_type)

    found = batching.each(predict)([asked("a"), asked("bad"), asked("b")])
    assert [it.body if isinstance(it, Answer) else str(it) for it in found] == [
        b"aa", "it is bad", b"bb",
    ]  # fmt: skip


def test_rows_that_are_alike_are_predicted_by_one_call() -> None:
    calls: list[int] = []

    def read(it: Invocation) -> Question:
        values = [float(word) for word in it.body.split(b",")]
        rows = np.array([values], np.float32)
        return Question(sparse.csr_matrix(rows) if it.accept else rows, it.content_type)

    def compute(rows):
        calls.append(rows.shape[0])
        if (rows < 0).sum():
            raise ValueError("below nought")
        return np.asarray(rows.sum(axis=1)).ravel()

    def write(predictions, reply: str) -> Answer:
        return Answer(str(predictions.tolist()).encode(), reply)

    steps = Steps(read, compute, write)
    bodies = ("1,2", "x", "1,2,3", "3,4")
    plain = [asked(it) for it in bodies]
    packed = [Invocation(b"5,6", "text/csv", "sparse"), Invocation(b"7,8", "text/csv", "sparse")]
    found = steps.together([*plain, *packed])
    assert [it.body if isinstance(it, Answer) else type(it) for it in found] == [
        b"[3.0]", ValueError, b"[6.0]", b"[7.0]", b"[11.0]", b"[15.0]",
    ]  # fmt: skip
    assert sorted(calls) == [1, 2, 2]
    bad = steps.together([asked("1,2"), asked("-1,2"), asked("3,4")])
    assert [isinstance(it, Answer) for it in bad] == [True, False, True]


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_xgboost_answers_the_same_with_and_without(objective: str, job: Job, serve: Serve) -> None:
    more = {"num_class": 3} if objective == "multi:softprob" else {}
    matrix = xgboost.DMatrix(ROWS, np.arange(len(ROWS)) % (3 if more else 2))
    booster = xgboost.train({"objective": objective, "nthread": 1, **more}, matrix, 20)
    (job.model / "xgboost-model").write_bytes(booster.save_raw("json"))
    server = serve(job, STUDIO_BATCHING="on")
    bodies = [",".join(map(repr, row)) for row in ROWS.tolist()]
    expected = [_text(it) for it in booster.predict(xgboost.DMatrix(ROWS))]
    together = 0

    def one(body: str) -> str:
        nonlocal together
        reply = server.invoke(body)
        together = max(together, int(reply.batch.split()[0]))
        return reply.text

    with ThreadPoolExecutor(16) as pool:

        def several() -> bool:
            assert list(pool.map(one, bodies)) == expected
            return together > 1

        eventually(several)
        assert server.invoke("1,2").status == 400


def _text(prediction) -> str:
    return ",".join(map(str, [prediction.tolist()]))


def test_without_the_switch_nothing_is_said_of_batches(job: Job, serve: Serve) -> None:
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(ROWS, np.arange(len(ROWS))), 1)
    (job.model / "xgboost-model").write_bytes(booster.save_raw("json"))
    assert serve(job).invoke("1,2,3").batch == ""
    assert "STUDIO_BATCHING" not in os.environ


def test_many_rows_are_shared_out_in_their_order(monkeypatch) -> None:
    pieces: list[tuple[int, str]] = []
    both = threading.Barrier(2)

    def compute(rows):
        pieces.append((len(rows), threading.current_thread().name))
        if len(pieces) in (2, 3):
            both.wait(PATIENCE_SECONDS)  # two are at work
        return rows[:, 0] * 2

    shared = Shared(compute, 2)
    assert shared.piece() > 10**9  # nothing is known of what a row takes
    monkeypatch.setattr(shared, "piece", lambda: 8)
    rows = np.arange(4004, dtype=float).reshape(-1, 1)
    assert np.array_equal(shared(rows[:8]), rows[:8, 0] * 2)
    assert np.array_equal(shared(rows), rows[:, 0] * 2)
    assert {count for count, _ in pieces} == {8, 4}
    assert len({name for _, name in pieces}) == 2
    monkeypatch.undo()
    shared._row_seconds = 1e-5
    assert shared.piece() == 200
    shared._row_seconds = 1.0
    assert shared.piece() == 8


def test_a_piece_that_fails_fails_the_request() -> None:
    def compute(rows):
        if (rows == 100).any():
            raise ValueError("broken")
        return rows[:, 0]

    shared = Shared(compute, 4)
    shared.piece = lambda: 8  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="broken"):
        shared(np.arange(400.0).reshape(-1, 1))
    assert shared(np.arange(50.0).reshape(-1, 1)).tolist() == list(range(50))
