"""Routes: the table compiled for speed. Servers keep their connections from table to table."""

import json
import random
from bisect import bisect_right
from dataclasses import asdict, dataclass, replace
from itertools import accumulate

from studio.errors import ApiError
from studio.serving import errors
from studio.serving.bounds import Bounds
from studio.serving.connection import Connection
from studio.serving.limits import Limits
from studio.serving.table import EMPTY, Container, Queue, Table, Variant
from studio.serving.upstream import Server

_NONE = Bounds()


class VariantRoute:
    """One variant of one endpoint: its servers, and what its answers carry."""

    __slots__ = (
        "_next", "arm", "capture", "container", "direct", "endpoint", "log_arn", "models",
        "most_body", "name", "plain", "reply_head", "servers", "shadows", "sleep", "spares",
        "stages",
    )  # fmt: skip

    def __init__(
        self, endpoint: str, variant: Variant, log_arn: str, servers: list[Server]
    ) -> None:
        self.endpoint = endpoint
        self.name = variant.name
        self.container = "primary"
        self.models = variant.models
        self.direct = variant.direct
        self.most_body = variant.bounds.body_bytes if variant.bounds else 0
        """Bytes of a request; 0: as many as the router takes."""
        self.stages: tuple[VariantRoute, ...] = ()
        self.sleep = variant.sleep
        self.plain = not (variant.models or variant.containers or variant.sleep)
        self.servers = servers
        self.log_arn = log_arn
        self.reply_head = f"x-Amzn-Invoked-Production-Variant: {variant.name}\r\n".encode()
        self.arm = variant.arm
        self.capture = CaptureRoute(endpoint, variant) if variant.capture else None
        self.shadows: tuple[ShadowRoute, ...] = ()
        self.spares: tuple[VariantRoute, ...] = ()
        """Variants of another fleet of the endpoint, for what none of these servers takes."""
        self._next = 0

    def pick(self, now: float, tried: tuple[Server, ...]) -> Server | None:
        """The healthy server with the least load, in turns among equals; None when all are full.

        An unhealthy server is better than none.
        """
        servers = self.servers
        count = len(servers)
        if count == 1 and not tried:
            only = servers[0]
            return only if only.in_flight < only.limits.in_flight else None
        self._next = (self._next + 1) % max(count, 1)
        best: Server | None = None
        best_rank = (True, 0)
        for offset in range(count):
            server = servers[(self._next + offset) % count]
            if server in tried or server.in_flight >= server.limits.in_flight:
                continue
            rank = (not server.healthy(now), server.in_flight)
            if best is None or rank < best_rank:
                best, best_rank = server, rank
        return best


class CaptureRoute:
    """What is kept of a variant's requests; `about` is what the recorder has to know of it."""

    __slots__ = ("about", "input", "output", "share")

    def __init__(self, endpoint: str, variant: Variant) -> None:
        assert variant.capture is not None
        config = asdict(variant.capture)
        about = {"kind": "capture", "endpoint": endpoint, "variant": variant.name, **config}
        self.about = json.dumps(about).encode()
        self.input, self.output = variant.capture.input, variant.capture.output
        self.share = variant.capture.percent / 100

    def drawn(self) -> bool:
        """Whether this request is one of the share that is kept."""
        return random.random() < self.share


class ShadowRoute:
    """A variant that is asked a share of what others were; `in_flight` such requests it has."""

    __slots__ = ("about", "in_flight", "route", "share")

    def __init__(self, route: VariantRoute, record: str, share: float) -> None:
        about = {"kind": "shadow", "record": record, "endpoint": route.endpoint}
        self.about = json.dumps({**about, "variant": route.name}).encode()
        self.route = route
        self.share = share
        self.in_flight = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Variants that share requests, with the sums of their weights."""

    routes: list[VariantRoute]
    sums: list[float]

    def draw(self) -> VariantRoute:
        """A variant, by weight."""
        if len(self.routes) == 1:
            return self.routes[0]
        draw = random.random() * self.sums[-1]
        return self.routes[min(bisect_right(self.sums, draw), len(self.routes) - 1)]


@dataclass(frozen=True, slots=True)
class EndpointRoute:
    """One endpoint: its variants by name (two of one name while it is updated), and those that
    share the traffic."""

    by_name: dict[str, Choice]
    shared: Choice
    queue: Queue | None
    """It answers asynchronously only."""


Sleepers = dict[tuple[str, str], list[VariantRoute]]


class Routes:
    """The endpoints that take traffic, the keys that may call them, and the servers behind."""

    def __init__(self, limits: Limits, busy: set[Connection]) -> None:
        self._limits = limits
        self._busy = busy
        self._endpoints: dict[str, EndpointRoute] = {}
        self.variants: tuple[VariantRoute, ...] = ()
        """Those in production, of all endpoints."""
        self.servers: dict[str, Server] = {}
        self.leaving: list[Server] = []
        """Those no longer in the table that may still hold requests."""
        self.sleepers: Sleepers = {}
        """By endpoint and variant: those that may have no servers, of all fleets."""
        self.table = EMPTY

    def update(self, table: Table) -> None:
        """Take a new table: in one step, and without touching a request in flight."""
        addresses = {
            address
            for variants in table.endpoints.values()
            for variant in variants
            for address in variant.addresses
        }
        for address in addresses - self.servers.keys():
            self.servers[address] = Server(address, self._limits, self._busy)
        for address, bounds in _bounds(table).items():
            self.servers[address].limits = bounds.applied(self._limits)
        self._endpoints = {
            name: self._endpoint(table, name, variants)
            for name, variants in table.endpoints.items()
            if any((it.routable or it.queue) and not it.shadow for it in variants)
        }
        self.variants = tuple(
            route
            for endpoint in self._endpoints.values()
            for choice in endpoint.by_name.values()
            for route in choice.routes
        )
        for address in self.servers.keys() - addresses:
            server = self.servers.pop(address)
            server.retire()
            self.leaving.append(server)
        self.sleepers = _sleepers(self._endpoints)
        self.table = table

    @property
    def recorded(self) -> bool:
        """Whether anything is captured, mirrored or logged."""
        return bool(self.table.outside.logged) or any(
            it.capture or it.shadow for each in self.table.endpoints.values() for it in each
        )

    def most_body(self, endpoint: str) -> int:
        """Bytes that a request to an endpoint, if there is one, may have."""
        variants = self.table.endpoints.get(endpoint, ())
        own = next((it.bounds.body_bytes for it in variants if it.bounds), 0)
        return own or self._limits.body_bytes

    def queue(self, endpoint: str) -> Queue:
        """Of an endpoint that answers asynchronously; ValidationError for any other."""
        route = self._endpoints.get(endpoint)
        if route is None:
            raise errors.no_endpoint(endpoint, self.table.account)
        if route.queue is None:
            raise errors.not_asynchronous(endpoint, self.table.account)
        return route.queue

    def find(self, endpoint: str, target_variant: str | None) -> VariantRoute:
        """The variant that takes a request; ValidationError when there is none of that name."""
        route = self._endpoints.get(endpoint)
        account = self.table.account
        if route is None:
            raise errors.no_endpoint(endpoint, account)
        if route.queue is not None:
            raise errors.asynchronous_only(endpoint, account)
        if target_variant is None:
            return route.shared.draw()
        choice = route.by_name.get(target_variant)
        if choice is None:
            raise ApiError(
                "ValidationError",
                f"Variant {target_variant} of endpoint {endpoint} of account {account} not found.",
            )
        variant = choice.draw()
        if not variant.servers and variant.sleep is None:
            raise ApiError(
                "ServiceUnavailable", f"Variant {target_variant} has no running instance.", 503
            )
        return variant

    def _endpoint(self, table: Table, name: str, variants: tuple[Variant, ...]) -> EndpointRoute:
        group = f"arn:aws:logs:{table.region}:{table.account}:log-group:/aws/sagemaker/Endpoints/"
        routes = {
            variant: self._route(name, variant, variant.log_stream or group + name)
            for variant in variants
        }
        production = {it: route for it, route in routes.items() if not it.shadow}
        serving = {it: route for it, route in production.items() if it.routable}
        for fleet in {it.fleet for it in variants}:
            _join(fleet, routes, serving)
        named: dict[str, dict[Variant, VariantRoute]] = {}
        for it, route in production.items():
            named.setdefault(it.name, {})[it] = route
        by_name = {key: _by_share(found) for key, found in named.items()}
        queue = next((it.queue for it in reversed(variants) if it.queue), None)
        return EndpointRoute(by_name, _choice(serving, _weights(list(serving))), queue)

    def _route(self, endpoint: str, variant: Variant, log_arn: str) -> VariantRoute:
        servers = [self.servers[address] for address in variant.servers]
        route = VariantRoute(endpoint, variant, log_arn, servers)
        route.stages = tuple(
            self._stage(route, variant, container) for container in variant.containers
        )
        return route

    def _stage(self, route: VariantRoute, variant: Variant, container: Container) -> VariantRoute:
        """One container of a variant, as a variant of its own that nobody can name."""
        own = replace(variant, models=container.models, containers=(), capture=None, sleep=None)
        servers = [self.servers[address] for address in container.servers]
        stage = VariantRoute(route.endpoint, own, route.log_arn, servers)
        stage.container = container.name
        return stage


def _sleepers(endpoints: dict[str, EndpointRoute]) -> Sleepers:
    found: Sleepers = {}
    for each in endpoints.values():
        for name, choice in each.by_name.items():
            for route in choice.routes:
                if route.sleep is not None:
                    found.setdefault((route.endpoint, name), []).append(route)
    return found


def _bounds(table: Table) -> dict[str, Bounds]:
    """The limits of all servers, by address."""
    return {
        address: it.bounds or _NONE
        for variants in table.endpoints.values()
        for it in variants
        for address in it.addresses
    }


def _join(
    fleet: str, routes: dict[Variant, VariantRoute], serving: dict[Variant, VariantRoute]
) -> None:
    """Tell the variants of a fleet of its shadows, and of who may stand in for them."""
    mine = [it for it in serving if it.fleet == fleet]
    total = sum(it.weight for it in mine) or float(len(mine))
    shadows = tuple(
        ShadowRoute(route, it.shadow, min(1.0, it.weight / total))
        for it, route in routes.items()
        if it.shadow and it.servers and it.fleet == fleet and mine
    )
    others = sorted(
        (it for it in serving if it.fleet != fleet), key=lambda it: (it.share, it.weight)
    )
    spares = tuple(serving[it] for it in reversed(others))
    for it, route in routes.items():
        if it.fleet == fleet and not it.shadow:
            route.shadows, route.spares = shadows, spares


def _weights(serving: list[Variant]) -> list[float]:
    """What each variant gets of the endpoint's requests."""
    totals: dict[str, float] = {}
    counts: dict[str, int] = {}
    for it in serving:
        totals[it.fleet] = totals.get(it.fleet, 0.0) + it.weight
        counts[it.fleet] = counts.get(it.fleet, 0) + 1
    return [
        it.share * (it.weight / totals[it.fleet] if totals[it.fleet] else 1 / counts[it.fleet])
        for it in serving
    ]


def _by_share(found: dict[Variant, VariantRoute]) -> Choice:
    """Of variants of one name: by the shares of their fleets, of those that take requests."""
    serving = {it: route for it, route in found.items() if it.routable} or found
    return _choice(serving, [it.share for it in serving])


def _choice(found: dict[Variant, VariantRoute], weights: list[float]) -> Choice:
    """Those that have a weight; all alike when none has."""
    pairs = list(zip(found.values(), weights, strict=True))
    weighted = [pair for pair in pairs if pair[1] > 0] or [(route, 1.0) for route, _ in pairs]
    return Choice([route for route, _ in weighted], list(accumulate(it for _, it in weighted)))
