"""Waiting for what comes true by itself: tests wait for a state, never for a time."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 150.0
"""Far longer than anything takes, also on a busy machine, and shorter than pytest's own limit."""

_LONGEST_SECONDS = 0.25
"""Between two looks: each costs what others could use, and what took long is told a bit late."""


def eventually(
    look: Callable[[], Any], about: Callable[[], object] = lambda: "", shortest: float = 0.05
) -> Any:
    """The first true answer of `look`; an assertion with what `about` says if there is none. It
    looks again after `shortest` seconds, and more rarely the longer it takes."""
    begun = time.monotonic()
    while not (found := look()):
        waited = time.monotonic() - begun
        assert waited < PATIENCE_SECONDS, f"it never came true {about()}"
        time.sleep(min(max(waited / 5, shortest), _LONGEST_SECONDS))
    return found
