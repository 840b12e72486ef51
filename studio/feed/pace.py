"""Lets things through at once, but not too often."""

import math
from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Pace(Generic[K]):
    """Each key comes through when it is added, and then at most every `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: dict[K, None] = {}
        self._last: dict[K, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[K]:
        return iter(self._waiting)

    def add(self, key: K) -> None:
        self._waiting[key] = None

    def replace(self, keys: Iterable[K]) -> None:
        """Let `keys` wait instead of those that do."""
        self._waiting = dict.fromkeys(keys)

    def due(self, now: float) -> list[K]:
        """Those that may come through now, in the order in which they came."""
        self._last = {key: at for key, at in self._last.items() if at + self._seconds > now}
        found = [key for key in self._waiting if key not in self._last]
        for key in found:
            del self._waiting[key]
            self._last[key] = now
        return found

    def next(self) -> float:
        """When the next of those that wait may come through."""
        return min(
            (self._last.get(key, -math.inf) + self._seconds for key in self._waiting),
            default=math.inf,
        )
