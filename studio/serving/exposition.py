"""What the router counts, for Prometheus: `GET /metrics`, to whoever shows the token of the home.

Figures are since the router began; Prometheus knows what a counter that starts anew means.
"""

import hmac
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from studio import durable
from studio.errors import ApiError
from studio.http.request import Request
from studio.serving.routes import VariantRoute
from studio.serving.totals import BOUNDS_US, Histogram, Totals

if TYPE_CHECKING:
    from studio.serving.dispatch import Dispatcher

PATH = b"/metrics"
_VARIANT = ("endpoint", "variant")
_UNAUTHORIZED = ApiError(
    "UnauthorizedException", "Show the token of the file router/metrics.token as a bearer.", 401
)


def token_path(home: Path) -> Path:
    """The file with the token that readers of metrics show."""
    return home / "router" / "metrics.token"


def token(home: Path) -> str:
    """The token of a home, made at the first call. Only the home's owner can read the file."""
    path = token_path(home)
    if not path.exists():
        durable.write_bytes(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


class Exposition:
    """Answers with the figures of a dispatcher."""

    def __init__(self, dispatcher: "Dispatcher") -> None:
        self._dispatcher = dispatcher
        self._token = token(dispatcher.counters.home).encode()

    def answer(self, request: Request) -> None:
        """Raises ApiError for who may not read."""
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(shown.strip().encode("utf-8", "replace"), self._token)
        if scheme.lower() != "bearer" or not right:
            raise _UNAUTHORIZED
        if request.method not in (b"GET", b"HEAD"):
            raise ApiError("MethodNotAllowed", "Metrics are read with GET.", 405)
        # Thirty milliseconds and five megabytes, which a home that nobody monitors is spared.
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

        head = b"HTTP/1.1 200 OK\r\n" + self._dispatcher.common_head()
        content = f"Content-Type: {CONTENT_TYPE_PLAIN_0_0_4}\r\n".encode()
        request.client.answer(head + content, generate_latest(self))

    def collect(self) -> Iterator[Any]:
        """The families, as a registry of prometheus_client gives them."""
        yield from _invocations(self._dispatcher.counters.totals())
        yield from _servers(self._dispatcher)
        yield from _keys(self._dispatcher)
        yield _dropped(self._dispatcher)


def _invocations(totals: Iterable[tuple[tuple[str, str], Totals]]) -> Iterator[Any]:
    from prometheus_client.metrics_core import CounterMetricFamily as Counter
    from prometheus_client.metrics_core import HistogramMetricFamily as Family

    asked = Counter("studio_invocations", "Requests that reached a variant.", labels=_VARIANT)
    text = "Of these, answered by the model with an error (model), or as 4xx or 5xx."
    failed = Counter("studio_invocation_errors", text, labels=(*_VARIANT, "kind"))
    model = Family("studio_model_latency_seconds", "Time that models took.", labels=_VARIANT)
    own = Family("studio_overhead_latency_seconds", "Time that the router took.", labels=_VARIANT)
    for name, it in totals:
        asked.add_metric(name, it.invocations)
        failed.add_metric((*name, "4xx"), it.client_errors)
        failed.add_metric((*name, "5xx"), it.server_errors)
        failed.add_metric((*name, "model"), it.model_errors)
        model.add_metric(name, _buckets(it.model), it.model.sum / 1e6)
        own.add_metric(name, _buckets(it.overhead), it.overhead.sum / 1e6)
    yield from (asked, failed, model, own)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """(upper bound in seconds, how many up to it) of each."""
    bounds = [*(repr(bound / 1e6) for bound in BOUNDS_US), "+Inf"]
    found, count = [], 0
    for bound, more in zip(bounds, histogram.cells, strict=True):
        count += more
        found.append((bound, float(count)))
    return found


def _servers(dispatcher: "Dispatcher") -> Iterator[Any]:
    from prometheus_client.metrics_core import GaugeMetricFamily as Gauge

    text = "Replicas by what the router finds of them."
    replicas = Gauge("studio_replicas", text, labels=(*_VARIANT, "state"))
    flight = Gauge("studio_requests_in_flight", "Requests that models have.", labels=_VARIANT)
    now = monotonic()
    for (endpoint, variant), routes in _grouped(dispatcher.routes.variants).items():
        servers = {server for route in routes for server in route.servers}
        healthy = sum(server.healthy(now) for server in servers)
        replicas.add_metric((endpoint, variant, "healthy"), healthy)
        replicas.add_metric((endpoint, variant, "unhealthy"), len(servers) - healthy)
        flight.add_metric((endpoint, variant), sum(server.in_flight for server in servers))
    yield from (replicas, flight)
    connections = Gauge("studio_router_connections", "Open connections of clients.")
    connections.add_metric((), len(dispatcher.clients))
    yield connections


def _grouped(routes: Iterable[VariantRoute]) -> dict[tuple[str, str], list[VariantRoute]]:
    """While an endpoint is updated it may have two variants of one name."""
    found: dict[tuple[str, str], list[VariantRoute]] = {}
    for route in routes:
        found.setdefault((route.endpoint, route.name), []).append(route)
    return found


def _keys(dispatcher: "Dispatcher") -> Iterator[Any]:
    from prometheus_client.metrics_core import CounterMetricFamily as Counter

    text = "Requests with a key of an application: let in, too fast, or over its quota."
    family = Counter("studio_key_requests", text, labels=("key", "result"))
    for name, counts in dispatcher.counters.usage.totals(dispatcher.applications.names()):
        for result, count in zip(("admitted", "throttled", "over_quota"), counts, strict=True):
            family.add_metric((name, result), count)
    yield family


def _dropped(dispatcher: "Dispatcher") -> Any:
    from prometheus_client.metrics_core import CounterMetricFamily as Counter

    text = "Captured requests, lines of access logs and requests to shadows there was no room for."
    family = Counter("studio_recording_dropped", text)
    family.add_metric((), dispatcher.recording.dropped)
    return family
