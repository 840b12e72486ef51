"""How many requests a variant has at the same time, for each of its servers: looked at now and
then, so that no request pays for it."""

import json
from collections.abc import Iterable, Iterator

from studio.serving.routes import VariantRoute

_NAME = "ConcurrentRequestsPerModel"
_TAIL_SECONDS = 10.0
"""So long a variant that has got quiet is told to have none: then nobody says anything."""


class Loads:
    """`sample` every tick, and take the `lines` every few seconds."""

    def __init__(self) -> None:
        self._busy_at: dict[VariantRoute, float] = {}
        self._seen: dict[VariantRoute, list[float]] = {}

    def __bool__(self) -> bool:
        return bool(self._seen)

    def sample(self, variants: Iterable[VariantRoute], now: float) -> None:
        """Look at the requests in flight; `now` is the monotonic clock's."""
        for variant in variants:
            load = sum(server.in_flight for server in variant.servers)
            if load:
                self._busy_at[variant] = now
            elif variant not in self._busy_at:
                continue
            self._seen.setdefault(variant, []).append(load / max(len(variant.servers), 1))
        for variant, at in list(self._busy_at.items()):
            if now - at > _TAIL_SECONDS:
                del self._busy_at[variant]

    def lines(self, at: int) -> Iterator[bytes]:
        """What was seen since the last time, as the control plane reads it: a row of how often,
        the sum, the least and the most. `at` is UTC milliseconds."""
        seen, self._seen = self._seen, {}
        for variant, values in seen.items():
            row = [len(values), sum(values), min(values), max(values)]
            line = {
                "at": at,
                "endpoint": variant.endpoint,
                "variant": variant.name,
                "metrics": {_NAME: [row]},
            }
            yield json.dumps(line, separators=(",", ":")).encode() + b"\n"
