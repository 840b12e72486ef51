"""The limits of one endpoint, where they are not the router's."""

from dataclasses import dataclass, replace
from typing import Any

from studio.serving.limits import Limits

MOST_BODY_BYTES = 1 << 30
MOST_SECONDS = 3_600


@dataclass(frozen=True)
class Bounds:
    """0: the router's own."""

    body_bytes: int = 0
    """Largest request body and largest answer that is not streamed."""

    model_seconds: int = 0
    """Time a model has for its answer, or to begin one that it streams."""

    stream_seconds: int = 0
    """Time a model has for the whole of an answer that it streams."""

    def applied(self, limits: Limits) -> Limits:
        """`limits` with these in their places."""
        own = {name: value for name, value in vars(self).items() if value}
        return replace(limits, **own) if own else limits


def bounded(entry: dict[str, Any]) -> Bounds:
    """The Bounds of a document. Raises ValueError for what no endpoint may have."""
    bounds = Bounds(**{name: int(value) for name, value in entry.items()})
    seconds = max(bounds.model_seconds, bounds.stream_seconds)
    if min(vars(bounds).values()) < 0 or bounds.body_bytes > MOST_BODY_BYTES:
        raise ValueError(f"{bounds} is out of bounds")
    if seconds > MOST_SECONDS:
        raise ValueError(f"{seconds} seconds are more than {MOST_SECONDS}")
    return bounds
