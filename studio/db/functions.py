"""Functions of ours that SQLite calls; PostgreSQL has its own, or those of the migrations."""

import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import regex

from studio import expressions

_LONGEST, _SHORT = 60.0, 1_000
_PATIENCE = threading.local()


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """So long may patterns take in the statements of this thread; TimeoutError when they do."""
    _PATIENCE.end = time.monotonic() + seconds
    try:
        yield
    finally:
        del _PATIENCE.end


def register(connection: Any) -> None:
    """Make them known to a connection of SQLite."""
    connection.create_function("studio_matches", 2, _matches, deterministic=True)
    connection.create_function("studio_natural", 1, _natural, deterministic=True)


def _natural(name: str) -> str:
    return _NUMBER.sub(lambda it: it[0].lstrip("0").zfill(20), name)


_NUMBER = re.compile("[0-9]+")


def _matches(pattern: str, text: str | None) -> bool | None:
    if text is None:
        return None
    compiled, harmless = _compiled(pattern)
    if harmless and len(text) <= _SHORT:
        return compiled.search(text) is not None
    left: float = getattr(_PATIENCE, "end", math.inf) - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return compiled.search(text, timeout=min(left, _LONGEST)) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> "tuple[regex.Pattern[str], bool]":
    """And whether it takes so little time for a short text that no clock is needed, which takes
    ten times as long as the search: it repeats one thing at most."""
    return expressions.compiled(pattern), sum(map(pattern.count, "*+{")) <= 1
