"""Hosts that share mini-batches take the steps of one host. Threads stand for hosts here."""

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
import pytest
from scipy import sparse

from studio.algorithms.linear_learner import crew, losses, solver, variations
from studio.algorithms.linear_learner.settings import read
from studio.algorithms.linear_learner.solver import Alone, Examples, Plan, Task, Verdict
from studio.algorithms.linear_learner.variations import Asked, Automatic

RNG = np.random.default_rng(3)
HOSTS = 3


class Thread:
    """What `hosts.Group` is to a host."""

    hosts = tuple(f"algo-{n + 1}" for n in range(HOSTS))

    def __init__(self, index: int, boxes: dict[tuple[int, int], "SimpleQueue[bytes]"]) -> None:
        self.index, self.first, self._boxes = index, index == 0, boxes

    def collect(self, own: bytes) -> list[bytes]:
        if self.first:
            return [own, *(self._boxes[n, 0].get(timeout=60) for n in range(1, HOSTS))]
        self._boxes[self.index, 0].put(own)
        return []

    def scatter(self, parts: list[bytes] | tuple[bytes, ...] = ()) -> bytes:
        if not self.first:
            return self._boxes[0, self.index].get(timeout=60)
        for number in range(1, HOSTS):
            self._boxes[0, number].put(parts[number])
        return parts[0]

    def announce(self, said: bytes = b"") -> bytes:
        return self.scatter([said] * HOSTS)


def task(kind: str) -> Task:
    """101 examples in batches of 20: the last has one row, fewer than there are hosts."""
    features = RNG.normal(size=(101, 6)).astype(np.float32)
    automatic = Automatic(learning_rate=0.1, wd=0.01, l1=0.1, balance=4.0, validated=True)
    stack = variations.make(Asked(), automatic, 4, 30)
    stack.learning_rate[1] = 3e38  # a model that fails, and leaves the race
    weights = RNG.uniform(0.5, 2, 101).astype(np.float32) if kind == "weighted" else None
    labels = (features[:, 0] > 0).astype(np.float32)
    if kind == "sparse":
        features = sparse.csr_matrix(np.where(np.abs(features) > 1, features, 0))
    start = RNG.normal(0, 0.1, (4, 1, 6)).astype(np.float32)
    plan = Plan(batch_size=20, epochs=5, patience=3)
    loss = losses.make("logistic", losses.Shape())
    return Task(Examples(features, labels, weights), loss, stack, plan, start)


def judge(it: Task):
    def judged(weights: np.ndarray) -> Verdict:
        rows = weights.reshape(len(weights), -1)
        cost = it.loss.value(solver.scores(it.examples.features, rows), it.examples.labels)
        return Verdict(cost.mean(axis=1), cost.mean(axis=1))

    return judged


@pytest.mark.parametrize("kind", ["dense", "sparse", "weighted"])
@pytest.mark.parametrize("steps", [7, 1000])
def test_a_crew_trains_what_one_host_does(monkeypatch, kind, steps):
    monkeypatch.setattr(crew, "WORTH", 0)
    given = {"predictor_type": "binary_classifier"}
    it, settings = task(kind), read(given)
    boxes = {(a, b): SimpleQueue() for a in range(HOSTS) for b in range(HOSTS)}
    groups = [Thread(number, boxes) for number in range(HOSTS)]

    def stops():
        left = iter(range(steps))
        return lambda: next(left, None) is None

    with ThreadPoolExecutor(HOSTS) as pool:
        others = [pool.submit(crew.help_out, group, settings) for group in groups[1:]]
        shared = solver.train(it, judge(it), lambda _: None, crew.lead(groups[0], it, 1.0, stops()))
        for other in others:
            other.result(timeout=60)
    alone = solver.train(it, judge(it), lambda _: None, Alone(stops()))
    assert shared.running.tolist() == alone.running.tolist()
    assert 1 not in shared.running
    np.testing.assert_allclose(shared.weights, alone.weights, rtol=1e-4, atol=1e-5)
