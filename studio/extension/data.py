"""The route to the data worker: profiles, rows and charts, line by line as they are found."""

import json
from http import HTTPStatus
from typing import cast

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from studio.extension.handlers import StudioHandler
from studio.extension.worker import Answers, DataWorker

WORKER = "studio_data_worker"
"""Where the server's settings keep the DataWorker."""


class DataHandler(StudioHandler):
    """POST data/<verb>: the arguments as JSON; the answer is NDJSON."""

    _answers: Answers | None = None

    @web.authenticated
    @authorized
    async def post(self, verb: str) -> None:
        try:
            args = json.loads(self.request.body or b"{}")
        except ValueError:
            self.refuse(HTTPStatus.BAD_REQUEST, "The body is not JSON.")
            return
        self._answers = await cast(DataWorker, self.settings[WORKER]).ask(verb, args)
        self.set_header("Content-Type", "application/x-ndjson")
        self.set_header("X-Accel-Buffering", "no")  # or nginx keeps lines back
        try:
            async for line in self._answers:
                self.write(line)
                await self.flush()
        except StreamClosedError:
            return  # the browser has left
        finally:
            self._answers.close()
        self.finish(set_content_type="application/x-ndjson")

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._answers is not None:
            self._answers.close()
