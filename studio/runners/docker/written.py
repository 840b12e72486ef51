"""How much a container has written to its own root, where it may write there.

The engine counts: the layer of a container lies among the engine's files, which are not ours to
read. It walks over all of them, so that it is asked the less often the longer that takes.
"""

import time
from collections.abc import Callable

from studio.runners.docker.engine import Engine, EngineError, EngineGone

_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 10.0
_SHARE = 100
"""A pause is at least so many times as long as the count before it took."""


def watch(engine: Engine, name: str, step: int, tell: Callable[[int], None]) -> None:
    """`tell` the bytes whenever they are `step` more or fewer, until there is no such container."""
    told, pause = 0, _FIRST_SECONDS
    while True:
        time.sleep(pause)
        began = time.monotonic()
        try:
            found = engine.written(name)
        except EngineError:
            return
        except EngineGone:
            found = told  # it may come back
        pause = max(min(2 * pause, _LONGEST_SECONDS), _SHARE * (time.monotonic() - began))
        if abs(found - told) >= step:
            told = found
            tell(found)
