"""The routes to AWS's services: operations, predictions, and the feed of events."""

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from studio.extension.handlers import Relay, Untrusted
from studio.extension.signing import canonical_target, signed
from studio.wire import rest
from studio.wire.protocols import JSON_TARGETS

# AWS's clients go by the paths of a service without a prefix; the server knows its name as one.
_TARGETS = {service: service for service in rest.SERVICES}
_TARGETS |= {service: prefix for prefix, service in JSON_TARGETS.items()}
_SIGNING_NAMES = {"cloudwatch": "monitoring"}
"""Where it is not the service's own name."""

_JSON = "application/x-amz-json-1.1"
_EVENTS = "/_studio/events"
_INVOCATION_HEADERS = ("Accept", "Content-Type", "X-Amzn-Sagemaker-")


class OperationHandler(Relay):
    """POST aws/<service>/<Operation>: the body in AWS's JSON protocol, and so the answer."""

    @web.authenticated
    @authorized
    async def post(self, service: str, operation: str) -> None:
        if service not in _TARGETS:
            known = ", ".join(sorted(_TARGETS))
            self.refuse(HTTPStatus.NOT_FOUND, f"There is no service {service!r} here: {known}.")
            return
        url = f"{self.access.url}/"
        body = self.request.body or b"{}"
        headers = {"Content-Type": _JSON, "X-Amz-Target": f"{_TARGETS[service]}.{operation}"}
        name = _SIGNING_NAMES.get(service, service)
        await self.relay(url, signed(self.access, name, "POST", url, headers, body), body)


class InvocationHandler(Relay, Untrusted):
    """POST endpoints/<name>/invocations: a prediction, by the router; invocations-response-stream:
    one that comes in pieces; async-invocations: one that will lie in S3."""

    @web.authenticated
    @authorized
    async def post(self, name: str, operation: str) -> None:
        path = canonical_target(f"/endpoints/{name}/{operation}", "")
        url = f"{self.access.router_url}{path}"
        self.set_header("X-Accel-Buffering", "no")  # or nginx keeps pieces back
        headers = {
            header: value
            for header, value in self.request.headers.get_all()
            if header.startswith(_INVOCATION_HEADERS)
        }
        body = self.request.body
        await self.relay(url, signed(self.access, "sagemaker", "POST", url, headers, body), body)


class EventsHandler(Relay):
    """GET events: what changes, as server-sent events, for as long as the page wants."""

    _track_activity = False  # an open page is nobody's work

    @web.authenticated
    @authorized
    async def get(self) -> None:
        url = f"{self.access.url}{_EVENTS}"
        headers = {"Accept": "text/event-stream"}
        if "Last-Event-ID" in self.request.headers:
            headers["Last-Event-ID"] = self.request.headers["Last-Event-ID"]
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")  # or nginx keeps events back
        await self.relay(url, signed(self.access, "studio", "GET", url, headers, b""), b"")

    def break_off(self) -> None:
        if not self._left:
            self.finish()  # of events there are always more to come
