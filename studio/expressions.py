"""Regular expressions that people wrote, compiled within bounds.

What has to be there n times is compiled n times: `((a{99}){99}){99}` would take all memory.
"""

import math

import regex

_REPEATS = regex.compile(r"\{\s*(?:[0-9]*\s*,\s*)?([0-9]{1,9})")
_MOST_REPEATS = 100_000
"""All repetitions multiplied, as if each were inside of another: a tenth of a second."""


def compiled(expression: str, flags: int = 0) -> "regex.Pattern[str]":
    """Raises ValueError, which says why, for one that is none or that repeats too often."""
    if math.prod(int(each) or 1 for each in _REPEATS.findall(expression)) > _MOST_REPEATS:
        raise ValueError("it repeats too often, and would take all memory")
    try:
        return regex.compile(expression, flags)
    except regex.error as error:
        raise ValueError(str(error)) from error
