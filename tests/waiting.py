"""Waiting for what comes true by itself: tests wait for a state, never for a time."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 150.0
"""Far longer than anything takes, also on a busy machine, and shorter than pytest's own limit."""


def eventually(look: Callable[[], Any], about: Callable[[], object] = lambda: "") -> Any:
    """The first true answer of `look`; an assertion with what `about` says if there is none."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"it never came true {about()}"
        time.sleep(0.05)
    return found
