"""How long things take."""

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def each(work: Callable[[int], object], times: int) -> list[float]:
    """Seconds of each call; the work is told the number of its turn."""
    return [seconds(lambda turn=turn: work(turn)) for turn in range(times)]


def until(done: Callable[[], object], limit: float, what: str, pause: float = 0.5) -> None:
    """Wait. Raises TimeoutError after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit:g} s")
        time.sleep(pause)
