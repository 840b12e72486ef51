"""What all routes share: who may use them, how they refuse, how an answer of Studio passes."""

import json
from http import HTTPStatus
from typing import Any, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from studio.errors import StudioError
from studio.extension.access import Access
from studio.extension.plane import status_document
from studio.extension.upstream import Exchange, Upstream

UPSTREAM = "studio_upstream"
"""Where the server's settings keep the Upstream."""

# What Jupyter's own policy says, and what is between two hops, is not for Studio to say.
_OWN = (
    "access-control-",
    "connection",
    "content-security-policy",
    "date",
    "keep-alive",
    "location",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
    "x-frame-options",
)
# The name that AWS gives to what a status says.
_TYPES = {
    HTTPStatus.BAD_REQUEST: "ValidationException",
    HTTPStatus.FORBIDDEN: "AccessDeniedException",
    HTTPStatus.NOT_FOUND: "UnknownOperationException",
    HTTPStatus.SERVICE_UNAVAILABLE: "ServiceUnavailable",
}


class StudioHandler(APIHandler):
    """A route below `studio/api/`. Errors are documents as AWS's: `__type` and `message`."""

    auth_resource = "studio"

    @property
    def upstream(self) -> Upstream:
        return cast(Upstream, self.settings[UPSTREAM])

    @property
    def access(self) -> Access:
        return self.upstream.plane.access

    def refuse(self, status: int, message: str) -> None:
        """Answer with an error."""
        self.set_status(status)
        kind = _TYPES.get(HTTPStatus(status), "InternalFailure")
        self.finish(json.dumps({"__type": kind, "message": message}))

    def write_error(self, status_code: int, **about: Any) -> None:
        error = about.get("exc_info", (None, None))[1]
        said = error.log_message if isinstance(error, web.HTTPError) else None
        self.refuse(status_code, said or self._reason)


class Untrusted(StudioHandler):
    """A route whose answers hold what users have stored, or their models have said: whatever it
    is, it must not run in Jupyter's origin."""

    @property
    def content_security_policy(self) -> str:
        return f"{super().content_security_policy}; sandbox"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Disposition", "attachment")


class Relay(StudioHandler):
    """A route that hands one request on, and copies the answer."""

    exchange: Exchange | None = None
    _left = False

    async def begin(self, url: str, headers: dict[str, str]) -> bool:
        """Send the head of this request to `url`; False when that failed, which is answered."""
        self.clear_header("Content-Type")  # Tornado's own guess: an answer without one has none
        try:
            stream = await self.upstream.connect(url)
        except StudioError as error:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            return False
        self.exchange = Exchange(stream, self, self.passed)
        await self.exchange.begin(self.request.method or "GET", url, headers)
        return True

    async def relay(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Send a request whose body is known, and copy the answer."""
        if await self.begin(url, {**headers, "Content-Length": str(len(body))}):
            await self.end(body)

    async def end(self, piece: bytes = b"") -> None:
        """Send the last piece of the body, and copy the answer."""
        exchange = cast(Exchange, self.exchange)
        await exchange.end(piece)
        if exchange.whole:
            self.finish()
        elif exchange.answered:
            self.break_off()
        elif not self._left:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, await self._broken())

    def break_off(self) -> None:
        """The answer broke off: the browser must not take it for whole."""
        self.detach().close()

    async def _broken(self) -> str:
        """Whether the request was heeded nobody knows: it is not ours to repeat."""
        try:
            await self.upstream.plane.revive()
        except StudioError as error:
            return str(error)
        return "Studio ended during the request, and runs again: try again."

    def passed(self, name: str, value: str) -> str | None:
        """The value with which a header of the answer passes, if it does."""
        return None if name.startswith(_OWN) else value

    def on_connection_close(self) -> None:
        """The browser has left: so do we."""
        super().on_connection_close()
        self._left = True
        if self.exchange is not None:
            self.exchange.close()


class StatusHandler(StudioHandler):
    """GET status: whether the control plane is there; `kernels`: what kernels do not see of it;
    `root`: the folder whose files Jupyter serves; `region`: for which requests are signed."""

    def initialize(self, kernels: str, root: str, region: str) -> None:
        self._own = {"kernels": kernels, "root": root, "region": region}

    @web.authenticated
    @authorized
    async def get(self) -> None:
        known = await self.upstream.plane.status()
        self.finish(json.dumps(known | self._own))


class UnusableHandler(StudioHandler):
    """All routes, where there is no home to work with: says why."""

    def initialize(self, problem: str) -> None:
        self._problem = problem

    @web.authenticated
    @authorized
    async def get(self, route: str) -> None:
        if route == "status":
            known = status_document("", "", False, self._problem)
            self.finish(json.dumps(known | {"kernels": "", "root": "", "region": ""}))
        else:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, self._problem)

    head = put = post = delete = get
