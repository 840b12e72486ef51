"""Work of several threads, in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

It = TypeVar("It")
Result = TypeVar("Result")

_THREADS, _AHEAD = 2, 3


def ahead(work: Callable[[It], Result], items: Iterable[It]) -> Iterator[Result]:
    """What `work` makes of each item, in their order; a few are worked on before they are asked
    for, no more, so that results do not pile up."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
