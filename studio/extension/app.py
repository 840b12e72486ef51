"""The Jupyter server extension: traits, routes, and what begins and ends with the server."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool

from studio.errors import StudioError
from studio.extension import access as accesses
from studio.extension.access import Access
from studio.extension.data import WORKER, DataHandler
from studio.extension.handlers import UPSTREAM, StatusHandler, UnusableHandler
from studio.extension.objects import ROUTE, ObjectsHandler
from studio.extension.plane import Plane
from studio.extension.services import EventsHandler, InvocationHandler, OperationHandler
from studio.extension.upstream import Upstream
from studio.extension.worker import DataWorker
from studio.settings import Settings, load_settings


class StudioApp(ExtensionApp):
    """Keeps Studio running, shows kernels and terminals where it is, and serves its panels."""

    name = "studio"
    load_other_extensions = True

    set_environment = Bool(
        True,
        help="Whether kernels and terminals find Studio in their environment: AWS_ENDPOINT_URL and "
        "what belongs to it. A variable AWS_ENDPOINT_URL of your own has the effect of False.",
    ).tag(config=True)

    def initialize_settings(self) -> None:
        self._upstream: Upstream | None = None
        self._worker: DataWorker | None = None
        self._reviving: asyncio.Task[None] | None = None
        self._problem = ""
        try:
            settings = load_settings()
            access = accesses.find(settings, os.environ)
        except StudioError as error:
            # Jupyter is worth more than our panels, which then say the same.
            self._problem = str(error)
            self.log.error("studio: %s", self._problem)
            return
        self._begin(settings, access, dict(os.environ))

    def initialize_handlers(self) -> None:
        if self._upstream is None:
            problem = {"problem": self._problem}
            self.handlers.append((r"/studio/api/(.*)", UnusableHandler, problem))
            return
        region = self._upstream.plane.access.region
        told = {"kernels": self._kernels, "root": str(self._root), "region": region}
        self.handlers.extend(
            [
                (r"/studio/api/status", StatusHandler, told),
                (r"/studio/api/aws/([a-z-]+)/([A-Za-z0-9]+)", OperationHandler),
                (rf"{ROUTE}.*", ObjectsHandler),
                (
                    r"/studio/api/endpoints/([^/]+)/((?:async-)?invocations|invocations-response-stream)",
                    InvocationHandler,
                ),
                (r"/studio/api/events", EventsHandler),
                (r"/studio/api/data/([a-z]+)", DataHandler),
            ]
        )

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        if self._upstream is not None and self._upstream.plane.access.local:
            # Jupyter is up, and need not wait for it.
            self._reviving = asyncio.create_task(self._revive(self._upstream.plane))

    async def stop_extension(self) -> None:
        """The control plane goes on without us."""
        if self._reviving is not None:
            self._reviving.cancel()
        if self._worker is not None:
            await self._worker.close()
        if self._upstream is not None:
            self._upstream.close()

    def _begin(self, settings: Settings, access: Access, environ: Mapping[str, str]) -> None:
        self._kernels = self._set_environment(access)
        plane = Plane(settings, access, environ)
        self._upstream = self.settings[UPSTREAM] = Upstream(plane, settings.ca_bundle)
        assert self.serverapp is not None
        self._root = Path(self.serverapp.contents_manager.root_dir)
        variables = {**os.environ, **access.variables}
        self._worker = self.settings[WORKER] = DataWorker(self._root, variables)

    def _set_environment(self, access: Access) -> str:
        """Set it for kernels and terminals, which copy this process's; else say why not."""
        changes = accesses.changes(access, os.environ)
        if not self.set_environment:
            return "Kernels do not see Studio: StudioApp.set_environment is False."
        if changes is None:
            own = os.environ["AWS_ENDPOINT_URL"]
            return f"Kernels do not see Studio: AWS_ENDPOINT_URL is set to {own}."
        for name, value in changes.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        return ""

    async def _revive(self, plane: Plane) -> None:
        try:
            await plane.revive()
        except StudioError as error:
            self.log.error("studio: %s", error)
