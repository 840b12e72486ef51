"""Clustering of a stream: mini-batches move many centres, and a sample is kept on the way.

Memory is that of a batch, the centres and the sample, however long the stream is.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from studio.algorithms.base import Termination
from studio.algorithms.kmeans import geometry, lloyd
from studio.algorithms.kmeans.geometry import Array, Frame, Points
from studio.algorithms.kmeans.hyperparameters import Settings

SAMPLE_CELLS = 16_000_000
"""Cells of the sample: 64 MB."""
SAMPLE_ROWS = 100_000


@dataclass
class Centers:
    """Online centres `(K, d)` float64 in a frame, and how many points each one stands for."""

    frame: Frame
    positions: Array
    weights: Array

    def update(self, points: Points, half_life: int) -> None:
        """Let a batch, in the frame, move the centres: each becomes the mean of its points.

        With `half_life`, what came before counts the less, the more points came since.
        """
        if half_life:
            self.weights *= 0.5 ** (points.shape[0] / half_life)
        labels = geometry.nearest(points, self.positions)
        counts = np.bincount(labels, minlength=len(self.weights)).astype(np.float64)
        total = geometry.sums(points, labels, len(counts))
        self.weights += counts
        met = counts > 0
        share = counts[met, None] * self.positions[met]
        self.positions[met] += (total[met] - share) / self.weights[met, None]


class Sample:
    """Rows drawn evenly from a stream, `size` at most: those with the least of random numbers."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.seen = 0
        self._size = size
        self._rng = rng
        self._bar = 1.0
        self._parts: list[Array] = []
        self._keys: list[Array] = []
        self._count = 0

    def add(self, rows: Points) -> None:
        """Offer the rows of a batch."""
        keys = self._rng.random(rows.shape[0])
        kept = np.flatnonzero(keys < self._bar)
        if len(kept) > self._size:
            kept = kept[np.argpartition(keys[kept], self._size)[: self._size]]
        self.seen += rows.shape[0]
        self._parts.append(geometry.dense(rows[kept]))
        self._keys.append(keys[kept])
        self._count += len(kept)
        if self._count > 2 * self._size:
            self._trim()

    def rows(self) -> Array:
        """The sample."""
        if self._count > self._size or len(self._parts) > 1:
            self._trim()
        return self._parts[0]

    def _trim(self) -> None:
        rows, keys = np.concatenate(self._parts), np.concatenate(self._keys)
        if len(keys) > self._size:
            least = np.argpartition(keys, self._size)[: self._size]
            rows, keys = rows[least], keys[least]
            self._bar = float(keys.max())
        self._parts, self._keys, self._count = [rows], [keys], len(keys)


@dataclass(frozen=True)
class Part:
    """What one host learnt: centres that met a point and their weights, in a frame, and a sample
    of the `seen` points, in the same frame. All are empty where there was no point."""

    origin: Array
    positions: Array
    weights: Array
    sample: Array
    seen: int

    @property
    def complete(self) -> bool:
        """Whether the sample is all there is."""
        return self.seen == len(self.sample)

    def moved(self, points: Array, origin: Array) -> Array:
        """Points of this frame in another one, float32."""
        return np.asarray(points + (self.origin - origin), np.float32)

    def shares(self) -> Array:
        """How many points each row of the sample stands for."""
        rows = len(self.sample)
        return np.full(rows, self.seen / max(rows, 1))

    def packed(self) -> bytes:
        """As bytes, for another host."""
        out = io.BytesIO()
        np.savez(
            out,
            origin=self.origin,
            positions=self.positions,
            weights=self.weights,
            sample=self.sample,
            seen=self.seen,
        )
        return out.getvalue()

    @classmethod
    def read(cls, packed: bytes) -> "Part":
        """What `packed` made."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as held:
            return cls(
                held["origin"], held["positions"], held["weights"], held["sample"],
                int(held["seen"]),
            )  # fmt: skip


@dataclass
class Stream:
    """A pass over a stream: `centers` and `sample` are None until there was a point."""

    settings: Settings
    termination: Termination
    rng: np.random.Generator
    centers: Centers | None = None
    sample: Sample | None = None

    def epoch(self, batches: Iterable[Points], first: bool) -> int:
        """Go through one epoch of raw batches; the number of points."""
        count = 0
        for batch in batches if self.centers else self._started(batches):
            count += batch.shape[0]
            assert self.centers is not None
            assert self.sample is not None
            points = self.centers.frame.inside(batch)
            if first:
                self.sample.add(points)
            self.centers.update(points, self.settings.half_life)
            if self.termination.requested:
                break
        return count

    def part(self, width: int) -> Part:
        """What was learnt of points of `width` features."""
        if self.centers is None or self.sample is None:
            none = np.empty((0, width), np.float32)
            return Part(np.zeros(width, np.float32), none, np.empty(0), none, 0)
        met = self.centers.weights > 0
        return Part(
            self.centers.frame.origin,
            self.centers.positions[met],
            self.centers.weights[met],
            self.sample.rows(),
            self.sample.seen,
        )

    def _started(self, batches: Iterable[Points]) -> Iterator[Points]:
        """The batches, after centres were chosen among as many of the first as are needed."""
        wanted, held, rest = self.settings.centers, [], iter(batches)
        for batch in rest:
            held.append(batch)
            if sum(part.shape[0] for part in held) >= wanted:
                break
        if held:
            self._start(held)
        yield from held
        yield from rest

    def _start(self, held: list[Points]) -> None:
        frame = Frame.of(held[0])
        points = stack([frame.inside(part) for part in held])
        count = min(self.settings.centers, points.shape[0])
        even = np.ones(points.shape[0])
        positions = lloyd.choose(points, even, count, self.settings.init, self.rng)
        self.centers = Centers(frame, positions, np.zeros(count))
        rows = max(SAMPLE_CELLS // max(points.shape[1], 1), 1)
        self.sample = Sample(min(rows, SAMPLE_ROWS), self.rng)


def stack(parts: list[Points]) -> Points:
    """Several tables as one."""
    if len(parts) == 1:
        return parts[0]
    if any(sparse.issparse(part) for part in parts):
        return sparse.vstack([sparse.csr_matrix(part) for part in parts], format="csr")
    return np.concatenate(parts)
