"""The step, epoch or round that a line of a log says it is about."""

import re


def _named(words: str) -> re.Pattern[str]:
    """`step 3`, `Epoch: 3/10`, `epoch=3`, `'epoch': 0.5`."""
    number = r"['\"]?[\s:=#]{1,3}(\d+(?:\.\d+)?)"
    return re.compile(rf"\b(?:{words})\b{number}", re.IGNORECASE)


NAMED = {
    "step": _named("step|global_step"),
    "iteration": _named("iter|iteration"),
    "round": re.compile(r"^\s*\[(\d+)\]"),  # XGBoost's
    "epoch": _named("epoch"),
}
"""How lines name what they are about, the finest first."""

_DIGITS = 18
"""Of a step that fits into 64 bits."""


def of(line: str) -> int | None:
    """The finest that the line names, where it is a whole number."""
    for pattern in NAMED.values():
        match = pattern.search(line)
        if match:
            whole, _, rest = match[1].partition(".")
            return int(whole) if len(whole) <= _DIGITS and not rest.strip("0") else None
    return None
