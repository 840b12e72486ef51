"""Distances between points and centres, in chunks.

Points are float32 `(n, d)`, dense or CSR; centres `(k, d)`. Products are float32, sums of squares
float64. Callers keep points near the origin (`Frame`), so that products lose nothing that matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]
Points = Any

CELLS = 4_000_000
"""Distances, or cells of dense points, that are computed at a time."""
DENSE_CELLS = 32_000_000
"""Cells up to which sparse points are made dense: dense products are many times faster."""


@dataclass(frozen=True)
class Frame:
    """Where the origin lies, `(d,)`: amid the data, unless these stay sparse."""

    origin: Array

    @classmethod
    def of(cls, points: Points) -> "Frame":
        """The frame that suits a first batch."""
        if is_sparse(points):
            return cls(np.zeros(points.shape[1], np.float32))
        return cls(dense(points).mean(axis=0, dtype=np.float64).astype(np.float32))

    def inside(self, points: Points) -> Points:
        """Raw points in this frame: dense ones are copied, sparse ones stay what they are."""
        if is_sparse(points):
            return points
        return np.subtract(dense(points), self.origin, dtype=np.float32)

    def outside(self, centers: Array) -> Array:
        """Centres of this frame as raw ones, float64."""
        return np.asarray(centers, np.float64) + self.origin


def is_sparse(points: Points) -> bool:
    """Whether points are so wide and empty that they stay sparse."""
    return bool(sparse.issparse(points) and points.shape[0] * points.shape[1] > DENSE_CELLS)


def dense(points: Points) -> Array:
    """The same points as an array."""
    return np.asarray(points.toarray() if sparse.issparse(points) else points)


def nearest(points: Points, centers: Array) -> Array:
    """The number of each point's nearest centre, `(n,)`."""
    narrow = np.ascontiguousarray(centers.T, np.float32)
    half = 0.5 * np.sum(np.square(centers, dtype=np.float64), axis=1).astype(np.float32)
    out = np.empty(points.shape[0], np.intp)
    for rows in chunks(points.shape[0], len(centers)):
        products = points[rows] @ narrow
        np.subtract(half, products, out=products)
        products.argmin(axis=1, out=out[rows])
    return out


def squared(points: Points, centers: Array, labels: Array) -> Array:
    """The squared distance of each point to the centre of its label, `(n,)` float64.

    Taken from differences: the expanded square would lose the small distances.
    """
    out = np.empty(points.shape[0], np.float64)
    narrow = centers.astype(np.float32)
    for rows in chunks(points.shape[0], centers.shape[1]):
        gap = dense(points[rows]) - narrow[labels[rows]]
        out[rows] = np.einsum("ij,ij->i", gap, gap, dtype=np.float64)
    return out


def sums(points: Points, labels: Array, count: int, weights: Array | None = None) -> Array:
    """The sum of the points of each label, `(count, d)` float64."""
    n = points.shape[0]
    share = np.ones(n) if weights is None else weights
    ordered = np.arange(n + 1)
    member = sparse.csr_matrix((share, labels, ordered), shape=(n, count)).T.tocsr()
    total = member @ points.astype(np.float64)
    return dense(total)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of `rows` that have about `CELLS` cells of `width` each."""
    step = max(1, CELLS // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
