"""XGBoost on several hosts: its own collective, and the same columns everywhere.

Each host boosts on the rows that it was given; XGBoost sums the histograms of all of them, so that
every host grows the same trees. A host alone takes the same way, without a collective.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from xgboost import collective
from xgboost.core import XGBoostError
from xgboost.tracker import RabitTracker

from studio.algorithms import hosts
from studio.algorithms.base import UserError
from studio.algorithms.formats import Data
from studio.algorithms.hosts import Group

Array = npt.NDArray[np.float64]

_GRACE_SECONDS = 2.0
# A host that is lost is noticed by its group: a slow one may take its time.
_PATIENCE_SECONDS = 24 * 3600


@contextmanager
def connected(group: Group) -> Iterator[None]:
    """XGBoost's collective among the hosts of a group, the first one with rank 0."""
    if len(group.hosts) == 1:
        yield
        return
    tracker = None
    if group.first:
        tracker = RabitTracker(
            n_workers=len(group.hosts), host_ip=hosts.address(group.host), sortby="task"
        )
        tracker.start()
    said = group.announce(json.dumps(tracker.worker_args()).encode() if tracker else b"")
    task = f"{group.index:05d}"
    try:
        collective.init(
            dmlc_communicator="rabit", dmlc_task_id=task, dmlc_timeout=_PATIENCE_SECONDS,
            **json.loads(said),
        )  # fmt: skip
        yield
        collective.finalize()
        if tracker:
            tracker.wait_for()
    except Exception as error:
        if isinstance(error.__cause__ or error, XGBoostError):
            # XGBoost does not say that a host was lost, and which one: the group does, soon.
            time.sleep(_GRACE_SECONDS)
        # Those who wait for this host in a collective must hear of it.
        group.fail(error)
        raise


def any_host(flag: bool) -> bool:
    """Whether the flag is set on any host; all hosts ask together."""
    if not collective.is_distributed():
        return flag
    return bool(collective.allreduce(np.array([flag], np.int32), collective.Op.MAX)[0])


def gathered(own: Array) -> Array:
    """The rows of all hosts, in their order, on each of them."""
    if not collective.is_distributed():
        return own
    rank, world = collective.get_rank(), collective.get_world_size()
    counts = np.zeros(world, np.int64)
    counts[rank] = len(own)
    ends = np.cumsum(collective.allreduce(counts, collective.Op.SUM))
    # A host without rows does not know how many columns others have.
    columns = np.array([own.shape[1] if own.ndim == 2 and len(own) else 1], np.int64)
    width = int(collective.allreduce(columns, collective.Op.MAX)[0])
    rows = np.zeros((int(ends[-1]), width))
    rows[ends[rank] - len(own) : ends[rank]] = own.reshape(len(own), -1) if len(own) else 0
    whole = collective.allreduce(rows, collective.Op.SUM).reshape(rows.shape)
    return whole if width > 1 else whole[:, 0]


def aligned(group: Group, tables: dict[str, Data | None]) -> dict[str, Data]:
    """The tables of all channels with the same columns, on all hosts.

    A table is None on a host that got no file of the channel. Sparse tables may differ in their
    base and width, others must not: raises UserError.
    """
    own = {name: None if data is None else _shape(data) for name, data in tables.items()}
    told = [json.loads(it) for it in group.collect(json.dumps(own).encode())]
    shapes = json.loads(group.announce(json.dumps(told).encode() if group.first else b""))
    for name in tables:
        if all(host[name] is None for host in shapes):
            raise UserError(f"Channel '{name}' is empty on every host.")
    found = [(name, *host[name]) for host in shapes for name in tables if host[name] is not None]
    base = min(first for _, _, first, _ in found)
    width = max(end for _, _, _, end in found) - base
    if not all(is_sparse for _, is_sparse, _, _ in found):
        width = _common_width([(name, end - first) for name, _, first, end in found])
        return {name: data or _empty(width, 0) for name, data in tables.items()}
    return {
        name: _shifted(data, base, width) if data else _empty(width, base)
        for name, data in tables.items()
    }


def _shape(data: Data) -> tuple[bool, int, int]:
    """(sparse, number of the first column, number behind the last one)."""
    return bool(sparse.issparse(data.features)), data.base, data.base + data.columns


def _common_width(widths: list[tuple[str, int]]) -> int:
    (first, expected), *others = widths
    for name, width in others:
        if width != expected:
            raise UserError(
                f"Channel '{first}' has {expected} features and channel '{name}' has "
                f"{width}: they must have the same columns."
            )
    return expected


def _empty(width: int, base: int) -> Data:
    return Data(np.empty((0, width), np.float32), np.empty(0, np.float32), base=base)


def _shifted(data: Data, base: int, width: int) -> Data:
    matrix = data.features
    if not sparse.issparse(matrix) or (data.base, data.columns) == (base, width):
        return data
    columns = matrix.indices + (data.base - base)
    shape = (matrix.shape[0], width)
    moved = sparse.csr_matrix((matrix.data, columns, matrix.indptr), shape=shape)
    return replace(data, features=moved, base=base)
