"""The route to S3: its own REST API, streamed both ways, whatever the size."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, cast

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.http1connection import HTTP1Connection

from studio.extension.handlers import Relay, Untrusted
from studio.extension.signing import canonical_target, signed_s3
from studio.extension.upstream import Exchange

ROUTE = "/studio/api/s3/"
_LARGEST = 5 * 1024**3  # of one PUT, in bytes: S3's own limit
_WORTH_ASKING = 64 * 1024  # bytes: a body that should not be sent in vain
_SIGNED = ("content-type", "content-md5", "x-amz-")
_UNSIGNED = ("content-length", "if-", "range")


@web.stream_request_body
class ObjectsHandler(Relay, Untrusted):
    """`s3/<bucket>/<key>?<query>`: each verb of S3. The request goes on while it still comes in."""

    _refusal: web.HTTPError | None = None

    def check_xsrf_cookie(self) -> None:
        try:
            super().check_xsrf_cookie()
        except web.HTTPError as error:
            self._refuse_later(error)

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self._finished or self._refusal is not None:
            return
        # Before the verb's own method runs, the body has been passed on: who asks is judged here.
        try:
            await cast(Awaitable[None], self._begin())
        except web.HTTPError as error:
            self._refuse_later(error)

    async def data_received(self, chunk: bytes) -> None:
        if self._refusal is None:
            await cast(Exchange, self.exchange).send(chunk)

    @web.authenticated
    @authorized
    async def get(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        await self.end()

    head = put = post = delete = get

    def passed(self, name: str, value: str) -> str | None:
        return None if name == "content-disposition" else super().passed(name, value)

    @web.authenticated
    @authorized
    async def _begin(self) -> None:
        cast(HTTP1Connection, self.request.connection).set_max_body_size(_LARGEST)
        path = self.request.path.partition(ROUTE)[2]
        url = self.access.s3_url + canonical_target(f"/{path}", self.request.query)
        given = [(name.lower(), value) for name, value in self.request.headers.get_all()]
        claimed = {name: value for name, value in given if name.startswith(_SIGNED)}
        rest = {name: value for name, value in given if name.startswith(_UNSIGNED)}
        if _names_a_signature(claimed):
            text = "Requests are signed here, not by the browser."
            raise web.HTTPError(HTTPStatus.BAD_REQUEST, text)
        if int(rest.get("content-length", 0)) > _WORTH_ASKING:
            rest["Expect"] = "100-continue"
        method = self.request.method or "GET"
        await self.begin(url, signed_s3(self.access, method, url, claimed) | rest)

    def _refuse_later(self, error: web.HTTPError) -> None:
        """Once a small body is in: an answer to half a request gets lost when that is cut off."""
        if int(self.request.headers.get("Content-Length", 0)) > _WORTH_ASKING:
            raise error
        self._refusal = error


def _names_a_signature(headers: dict[str, str]) -> bool:
    return "x-amz-content-sha256" in headers or "x-amz-date" in headers
