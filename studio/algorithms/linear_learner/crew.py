"""Hosts that share each mini-batch: the gradient of a step is the sum of theirs.

The first host has all examples, scales them, and hands each host its part of every mini-batch once.
Then only gradients travel. All hosts take the same steps with the same sums, so their weights are
the same; what is decided, the first one decides. The model is that of one host, but for rounding.
"""

import io
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
from scipy import sparse

from studio.algorithms.hosts import Group
from studio.algorithms.linear_learner import losses, solver
from studio.algorithms.linear_learner.losses import Array
from studio.algorithms.linear_learner.optimizers import Recipe
from studio.algorithms.linear_learner.settings import Settings
from studio.algorithms.linear_learner.solver import (
    Alone,
    Crew,
    Examples,
    Plan,
    Stack,
    Stopped,
    Task,
)

WORTH = 32_000_000
"""Products of a step from which on a message to another host costs less than it saves."""
log = logging.getLogger(__name__)
_ON, _LAST = b"\0", b"\1"


class Shared:
    """One host's view of the crew. `stopped` is asked on the first host only."""

    def __init__(self, group: Group, count: int, batch: int, stopped: Stopped) -> None:
        self._group, self._count, self._batch = group, count, batch
        self._asked, self._over = stopped, False

    def total(self, examples: Examples) -> int:
        return self._count

    def own(self, start: int, end: int) -> slice:
        part = part_of(end - start, self._group.index, len(self._group.hosts))
        if self._group.first:  # it has all examples
            return slice(start + part.start, start + part.stop)
        whole = part_of(self._batch, self._group.index, len(self._group.hosts))
        first = start // self._batch * (whole.stop - whole.start)
        return slice(first, first + part.stop - part.start)

    def summed(self, gradient: Array) -> Array:
        parts = self._group.collect(gradient.tobytes())
        told = b""
        if self._group.first:
            for part in parts[1:]:
                gradient += np.frombuffer(part, gradient.dtype).reshape(gradient.shape)
            told = (_LAST if self._asked() else _ON) + gradient.tobytes()
        told = self._group.announce(told)
        self._over = told[:1] == _LAST
        if not self._group.first:
            gradient[:] = np.frombuffer(told, gradient.dtype, offset=1).reshape(gradient.shape)
        return gradient

    def stopped(self) -> bool:
        return self._over

    def kept(self, models: Array | None) -> Array | None:
        said = self._group.announce(b"" if models is None else models.tobytes())
        return np.frombuffer(said, bool) if said else None


def lead(group: Group, task: Task, label_scale: float, stopped: Stopped) -> Crew:
    """The crew for a task of the first host: it alone where others would only cost time."""
    worth = len(group.hosts) > 1 and _products(task) >= WORTH
    if len(group.hosts) > 1:
        group.announce(b"shared" if worth else b"alone")
    if not worth:
        return Alone(stopped)
    log.info("%d hosts share each mini-batch", len(group.hosts))
    group.scatter([_packed(task, label_scale, number, group) for number in range(len(group.hosts))])
    return Shared(group, task.examples.count, task.plan.batch_size, stopped)


def help_out(group: Group, settings: Settings) -> None:
    """What hosts but the first do: their part, if it is worth it."""
    if group.announce() == b"shared":
        task, count = _unpacked(group.scatter(), settings)
        solver.follow(task, Shared(group, count, task.plan.batch_size, lambda: False))


def part_of(size: int, index: int, hosts: int) -> slice:
    """The rows of a mini-batch that are those of host `index`."""
    return slice(size * index // hosts, size * (index + 1) // hosts)


def _products(task: Task) -> int:
    """Of one step: a number of features, for each of a mini-batch, for each row of weights."""
    features = task.examples.features
    cells = features.nnz / task.examples.count if sparse.issparse(features) else features.shape[1]
    rows = task.start.shape[0] * task.start.shape[1]
    return int(cells * task.plan.batch_size * rows)


def _packed(task: Task, label_scale: float, index: int, group: Group) -> bytes:
    """The task for another host, with its rows only."""
    if index == 0:
        return b""
    examples, size = task.examples, task.plan.batch_size
    rows = np.concatenate(list(_rows(examples.count, size, index, len(group.hosts))))
    features = examples.features[rows]
    arrays = {"labels": examples.labels[rows], "start": task.start}
    if examples.weights is not None:
        arrays["weights"] = examples.weights[rows]
    if sparse.issparse(features):
        arrays |= {"data": features.data, "columns": features.indices, "starts": features.indptr}
        arrays["shape"] = np.array(features.shape)
    else:
        arrays["features"] = features
    arrays |= {f"stack_{name}": values for name, values in vars(task.stack).items()}
    head = {"plan": asdict(task.plan), "label_scale": label_scale, "count": examples.count}
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
    return out.getvalue()


def _rows(count: int, size: int, index: int, hosts: int) -> Iterable[Array]:
    for start in range(0, count, size):
        part = part_of(min(size, count - start), index, hosts)
        yield np.arange(start + part.start, start + part.stop)


def _unpacked(packed: bytes, settings: Settings) -> tuple[Task, int]:
    """What `_packed` made, and the number of examples on all hosts."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as held:
        head = json.loads(held["head"].tobytes())
        if "features" in held:
            features = held["features"]
        else:
            cells = held["data"], held["columns"], held["starts"]
            features = sparse.csr_matrix(cells, shape=tuple(held["shape"]))
        weights = held.get("weights")
        stack = {name[6:]: held[name] for name in held if name.startswith("stack_")}
        examples = Examples(features, held["labels"], weights)
        start = held["start"]
    plan = Plan(**{**head["plan"], "optimizer": Recipe(**head["plan"]["optimizer"])})
    loss = losses.make(settings.loss, settings.shape, head["label_scale"])
    return Task(examples, loss, Stack(**stack), plan, start), head["count"]
