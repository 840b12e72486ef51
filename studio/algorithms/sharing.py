"""The rows of one large request, predicted by several threads.

For models that let other threads of Python run while they predict. Small requests run side by side
already: they are left in one piece.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numpy as np

_LEAST_ROWS = 8
"""Fewer say nothing of what a row takes: what a call takes by itself outweighs it."""
_PIECE_SECONDS = 0.002
"""What a piece has to take at least for the hand-over to be worth it."""


class Shared:
    """`compute`, rows `[n, d]` -> an array whose first dimension is n, on up to `threads` threads,
    as far as large requests that run side by side leave some."""

    def __init__(self, compute: Callable[[Any], Any], threads: int) -> None:
        self._compute = compute
        self._threads = threads
        self._helpers: ThreadPoolExecutor | None = None
        self._row_seconds = float("inf")
        self._lock = threading.Lock()
        self._large = 0
        """Requests that have at least two pieces, now."""

    def __call__(self, rows: Any) -> Any:
        """The predictions, in the order of the rows."""
        size, count = self.piece(), rows.shape[0]
        if self._threads < 2 or count < 2 * size:
            return self._timed(rows)
        with self._lock:
            self._large += 1
            helpers = min(self._threads - self._large, count // size - 1)
        try:
            return self._shared(rows, size, helpers) if helpers > 0 else self._timed(rows)
        finally:
            with self._lock:
                self._large -= 1

    def _shared(self, rows: Any, size: int, helpers: int) -> Any:
        starts: queue.SimpleQueue[int] = queue.SimpleQueue()
        for start in range(0, rows.shape[0], size):
            starts.put(start)
        found: dict[int, Any] = {}

        def work() -> None:
            while (start := _next(starts)) is not None:
                found[start] = self._timed(rows[start : start + size])

        helping = self._help(work, helpers)
        try:
            work()
        finally:
            # Those that did not begin are not needed any more.
            running = [it for it in helping if not it.cancel()]
        for it in running:
            it.result()
        return np.concatenate([found[start] for start in sorted(found)])

    def piece(self) -> int:
        """Rows of a piece: as fast as a row ever was, so that a busy machine makes none smaller."""
        if self._row_seconds == float("inf"):
            return 2**62
        return max(_LEAST_ROWS, int(_PIECE_SECONDS / self._row_seconds))

    def _timed(self, rows: Any) -> Any:
        begun = perf_counter()
        predictions = self._compute(rows)
        if rows.shape[0] >= _LEAST_ROWS:
            took = max(perf_counter() - begun, 1e-9)
            self._row_seconds = min(self._row_seconds, took / rows.shape[0])
        return predictions

    def _help(self, work: Callable[[], None], count: int) -> list[Future[None]]:
        if self._helpers is None:
            self._helpers = ThreadPoolExecutor(self._threads - 1, thread_name_prefix="share")
        return [self._helpers.submit(work) for _ in range(count)]


def _next(starts: "queue.SimpleQueue[int]") -> int | None:
    try:
        return starts.get_nowait()
    except queue.Empty:
        return None
