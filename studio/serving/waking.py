"""Requests for variants that may sleep: they wait here until a server has room for them.

What is asked of such a variant is written to a file, by which the control plane starts servers and
puts them to sleep; a word to its socket makes it look at once. It answers with a new table.
"""

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from studio import durable, hint
from studio.errors import ApiError
from studio.http.request import Request
from studio.serving.counters import Counters
from studio.serving.limits import Limits
from studio.serving.log import Log
from studio.serving.routes import Routes, VariantRoute

_TELL_SECONDS = 1.0
_ROUNDED_MS = 1_000
_STOPPING = "The router is stopping. Wait and try your request again."


def path(home: Path) -> Path:
    return home / "router" / "demand.json"


def read(home: Path) -> dict[str, Any]:
    """By `<endpoint>/<variant>`: `Busy`, when (UTC milliseconds, to a second) more than 0, 1, 2 ...
    servers were last needed; `Asked`, when the first request came that found no server, `Ready`,
    when it was sent to one, and `Answered`, when the answer was there; 0 before that; `Held`,
    whether any waits now."""
    try:
        known = durable.read_json(path(home))
    except (OSError, ValueError):
        known = None
    return known if isinstance(known, dict) else {}


class Front(Protocol):
    """What this needs of the dispatcher."""

    def forward(self, request: Request, variant: VariantRoute, started: float) -> None: ...

    def refusal(self, error: ApiError) -> tuple[bytes, bytes]: ...


@dataclass(slots=True)
class _Held:
    request: Request
    started: float


class _Demand:
    """What is asked of one variant."""

    __slots__ = ("answered", "asked", "busy", "held", "ready", "told")

    def __init__(self, known: dict[str, Any]) -> None:
        self.busy: list[int] = list(known.get("Busy", ()))
        self.asked, self.ready, self.answered = (
            int(known.get(name, 0)) for name in ("Asked", "Ready", "Answered")
        )
        self.held: deque[_Held] = deque()
        self.told = 0.0

    def document(self) -> dict[str, Any]:
        return {
            "Busy": self.busy,
            "Asked": self.asked,
            "Ready": self.ready,
            "Answered": self.answered,
            "Held": bool(self.held),
        }


class Waking:
    """`takes` requests, `answered` and `look` when servers may have room, `tick` now and then."""

    def __init__(
        self, home: Path, routes: Routes, limits: Limits, log: Log, counters: Counters, front: Front
    ) -> None:
        self._home, self._routes, self._limits = home, routes, limits
        self._log, self._counters, self._front = log, counters, front
        self._demands = {
            (endpoint, variant): _Demand(known)
            for name, known in read(home).items()
            for endpoint, _, variant in [name.partition("/")]
        }
        self._written = ""
        self._held = self._held_bytes = 0
        self._heard = True
        self._closed = False

    def takes(self, request: Request, variant: VariantRoute, started: float) -> bool:
        """Whether the request waits here; False when a server has room for it. Raises ApiError when
        the variant has too many."""
        sleep = variant.sleep
        assert sleep is not None
        demand = self._demand(variant)
        load = _load(variant)
        number = load + len(demand.held) + 1
        if sleep.most and number > sleep.most:
            self._log("invocation throttled", endpoint=variant.endpoint, variant=variant.name)
            raise ApiError("ThrottlingException", "Rate exceeded", 429)
        self._count(variant, number)
        if not demand.held and load < sleep.capacity * _servers(variant):
            _mark(demand, number, sleep.capacity)
            return False
        self._hold(demand, request, variant, started)
        _mark(demand, number, sleep.capacity)
        self._tell(demand, sleep.endpoint)
        return True

    def answered(self, variant: VariantRoute) -> None:
        """A request of `variant` is over: a server has room."""
        demand = self._demand(variant)
        if demand.answered < demand.ready:
            demand.answered = _now()
            self._write()
        if demand.held:
            self._release(demand, variant)

    def look(self) -> None:
        """There is a new table."""
        for key, demand in list(self._demands.items()):
            for variant in self._routes.sleepers.get(key, ()):
                self._release(demand, variant)
            if demand.held and key not in self._routes.sleepers:
                self._send_elsewhere(demand)
        for key in self._demands.keys() - self._routes.sleepers.keys():
            del self._demands[key]

    def tick(self, now: float) -> None:
        """What time brings: called several times a second."""
        for key, demand in self._demands.items():
            for variant in self._routes.sleepers.get(key, ()):
                self._tend(demand, variant, now)
        self._write()

    def close(self) -> None:
        """Refuse whatever waits, now and from now on."""
        self._closed = True
        for demand in self._demands.values():
            for held in self._taken(demand, len(demand.held)):
                self._refuse(held, ApiError("ServiceUnavailable", _STOPPING, 503))

    def _demand(self, variant: VariantRoute) -> _Demand:
        key = variant.endpoint, variant.name
        demand = self._demands.get(key)
        if demand is None:
            demand = self._demands[key] = _Demand({})
        return demand

    def _count(self, variant: VariantRoute, number: int) -> None:
        sleep, note = variant.sleep, self._counters.note
        assert sleep is not None
        if sleep.most:
            note(variant, "ServerlessConcurrentExecutionsUtilization", number / sleep.most)
        if sleep.warm:
            used = min(1.0, number / sleep.warm)
            spilled = "Invocations" if number <= sleep.warm else "SpilloverInvocations"
            note(variant, "ServerlessProvisionedConcurrencyUtilization", used)
            note(variant, f"ServerlessProvisionedConcurrency{spilled}", 1)

    def _hold(
        self, demand: _Demand, request: Request, variant: VariantRoute, started: float
    ) -> None:
        assert variant.sleep is not None
        limits, size = self._limits, len(request.body)
        if self._closed:
            raise ApiError("ServiceUnavailable", _STOPPING, 503)
        if variant.sleep.trouble and not variant.servers:
            raise _broken(variant)
        if self._held >= limits.held or self._held_bytes + size > limits.held_bytes:
            name = f"Variant {variant.name} of endpoint {variant.endpoint}"
            raise _not_ready(f"{name} is being started, and too many requests wait already.")
        if not variant.servers and not demand.held:
            demand.asked, demand.ready, demand.answered = _now(), 0, 0
        self._keep(demand, _Held(request, started))

    def _tell(self, demand: _Demand, endpoint: str) -> None:
        """Let the control plane look at what is written, once a second at the most."""
        now = monotonic()
        if now - demand.told >= _TELL_SECONDS:
            demand.told = now
            self._write()
            self._heard = hint.tell(str(self._home), endpoint)

    def _release(self, demand: _Demand, variant: VariantRoute) -> None:
        """Send as many on as servers have room for."""
        assert variant.sleep is not None
        room = variant.sleep.capacity * _servers(variant) - _load(variant)
        if demand.held and room > 0 and demand.ready < demand.asked:
            demand.ready = _now()
            self._counters.note(variant, "ModelSetupTime", (demand.ready - demand.asked) * 1_000)
        for held in self._taken(demand, room):
            if held.request.client.connected:
                self._forward(held, variant)

    def _forward(self, held: _Held, variant: VariantRoute) -> None:
        try:
            self._front.forward(held.request, variant, held.started)
        except ApiError as error:
            self._refuse(held, error)

    def _send_elsewhere(self, demand: _Demand) -> None:
        """The variant they waited for has gone, or does not sleep any more."""
        for held in self._taken(demand, len(demand.held)):
            self._refuse(held, _not_ready("The endpoint was changed."))

    def _tend(self, demand: _Demand, variant: VariantRoute, now: float) -> None:
        sleep, load = variant.sleep, _load(variant)
        assert sleep is not None
        if load or demand.held:
            _mark(demand, load + len(demand.held), sleep.capacity)
        if not demand.held:
            return
        self._release(demand, variant)
        if sleep.trouble and not variant.servers:
            for held in self._taken(demand, len(demand.held)):
                self._refuse(held, _broken(variant))
        self._drop(demand, variant, now)
        if demand.held:
            self._tell(demand, sleep.endpoint)

    def _drop(self, demand: _Demand, variant: VariantRoute, now: float) -> None:
        """Those that nobody waits for, and those that have waited for too long."""
        for held in self._taken(demand, len(demand.held)):
            if held.started + self._limits.held_seconds <= now:
                self._refuse(held, self._late(variant))
            elif held.request.client.waits:
                self._keep(demand, held)
            else:
                self._refuse(held, _not_ready("The client sends no more, and seems to have gone."))

    def _keep(self, demand: _Demand, held: _Held) -> None:
        demand.held.append(held)
        self._held += 1
        self._held_bytes += len(held.request.body)

    def _late(self, variant: VariantRoute) -> ApiError:
        name = f"Variant {variant.name} of endpoint {variant.endpoint}"
        if not self._heard:
            return _not_ready(
                f"{name} sleeps, and nobody wakes it: the control plane does not run. "
                "Start it with `studio serve`."
            )
        seconds = self._limits.held_seconds
        return _not_ready(f"{name} had no free server within {seconds:g} s; see {variant.log_arn}.")

    def _taken(self, demand: _Demand, number: int) -> Iterator[_Held]:
        """The first so many that wait, which wait no longer."""
        number = min(number, len(demand.held))
        taken = [demand.held.popleft() for _ in range(number)]
        self._held -= len(taken)
        self._held_bytes -= sum(len(each.request.body) for each in taken)
        return iter(taken)

    def _refuse(self, held: _Held, error: ApiError) -> None:
        held.request.client.answer(*self._front.refusal(error))

    def _write(self) -> None:
        if not self._demands and not self._written:
            return
        documents = {"/".join(key): it.document() for key, it in self._demands.items()}
        text = json.dumps(documents)
        if text == self._written:
            return
        temporary = path(self._home).with_name(".demand.json")
        try:
            temporary.write_text(text)
            temporary.replace(path(self._home))
            self._written = text
        except OSError:
            pass  # a full disk must not stop the traffic


def _load(variant: VariantRoute) -> int:
    """Requests that the servers of a variant have."""
    return sum(server.in_flight for server in variant.servers)


def _servers(variant: VariantRoute) -> int:
    """How many there are to send requests to, for a while those of another fleet."""
    return len(variant.servers) or sum(len(spare.servers) for spare in variant.spares)


def _mark(demand: _Demand, number: int, capacity: int) -> None:
    """So many requests at once need so many servers, now. Seconds will do: the file is written
    when something has changed."""
    now = _now() // _ROUNDED_MS * _ROUNDED_MS
    levels = ceil(number / capacity)
    demand.busy[:levels] = [now] * levels


def _broken(variant: VariantRoute) -> ApiError:
    assert variant.sleep is not None
    name = f"Variant {variant.name} of endpoint {variant.endpoint}"
    return ApiError(
        "ServiceUnavailable", f"{name} does not start: {variant.sleep.trouble}"[:1_024], 503
    )


def _not_ready(message: str) -> ApiError:
    return ApiError("ModelNotReadyException", message, 429)


def _now() -> int:
    return time.time_ns() // 1_000_000
