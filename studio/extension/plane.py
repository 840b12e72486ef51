"""The control plane behind this Jupyter server: attached to, started, started again when it dies.

It outlives Jupyter, and serves other Jupyters and programs of the same home too.
"""

import asyncio
import http.client
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from studio import __version__, daemon
from studio.daemon import Status
from studio.errors import StudioError
from studio.extension.access import Access
from studio.settings import Settings

_ANSWER_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


def status_document(url: str, home: str, ready: bool, problem: str) -> dict[str, Any]:
    """What the route `status` says. `problem`: why it is not ready, or what is not as it should be
    though it is; "" for nothing."""
    return {"version": __version__, "ready": ready, "url": url, "home": home, "problem": problem}


class Plane:
    """The control plane at `access`.

    `environ` is its environment when it has to be started: Jupyter's own, as it was before the
    kernels' variables were set. `clock` counts seconds.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.access = access
        self._settings = settings
        self._environ = dict(environ)
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._seen = False
        self._problem = ""
        self._pause = 0.0
        self._not_before = 0.0

    async def revive(self) -> None:
        """Return once the control plane answers, started if need be. Raises StudioError that says
        what to do; at once, when it has just been tried in vain."""
        if not self.access.local:
            raise StudioError(f"The Studio at {self.access.url} does not answer.")
        async with self._one_at_a_time:
            await asyncio.to_thread(self._ensure)

    async def status(self) -> dict[str, Any]:
        """What is known of it now, as `status_document` has it."""
        known = await asyncio.to_thread(self._look)
        self._seen = self._seen or known.ready
        problem = _difference(known) if known.ready else self._lack()
        return status_document(self.access.url, known.home, known.ready, problem)

    def _ensure(self) -> None:
        if self._seen and daemon.was_stopped(self._settings.home):
            raise StudioError(self._lack())
        if self._clock() < self._not_before:
            raise StudioError(self._problem)
        try:
            daemon.ensure(self._settings, self._environ)
        except (StudioError, OSError) as error:
            self._problem = str(error)
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            self._not_before = self._clock() + self._pause
            raise StudioError(self._problem) from error
        self._seen, self._problem, self._pause = True, "", 0.0

    def _look(self) -> Status:
        if self.access.local:
            return daemon.status(self._settings.home)
        ready = _answers(self.access.url)
        # Of somebody else's it is neither known nor our business where it lies and what runs it.
        return Status(
            ready, None, self.access.url, self.access.router_url, "", __version__, sys.prefix
        )

    def _lack(self) -> str:
        """Why it is not ready."""
        if not self.access.local:
            return f"The Studio at {self.access.url} does not answer."
        if self._problem:
            return self._problem
        home = self._settings.home
        if self._seen and daemon.was_stopped(home):
            return f"Studio was stopped: `studio serve --detach --home {home}` starts it again."
        return "Studio is starting."


def _difference(known: Status) -> str:
    again = "`studio stop`, then `studio serve --detach`, starts the one of this Jupyter."
    if known.version != __version__:
        return f"Studio {known.version} runs, Jupyter has {__version__}: {again}"
    if known.prefix != sys.prefix:
        return f"Studio runs from {known.prefix}, Jupyter from {sys.prefix}: {again}"
    return ""


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/_studio/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
