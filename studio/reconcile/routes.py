"""What the router is told: which servers take an endpoint's requests.

The router is a process of its own and reads a file. A change is done when the router says that it
has read it; while no router runs, the file waits for the next one.
"""

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from studio.credentials import Credentials
from studio.serving import control
from studio.serving.table import Table, Variant, write_table
from studio.settings import Settings

log = structlog.get_logger()

_PATIENCE_SECONDS = 3.0


class Routes:
    """The table, endpoint name -> variants; written whole at each change."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        endpoints: Mapping[str, tuple[Variant, ...]],
    ) -> None:
        self._settings = settings
        self._keys = {credentials.access_key_id: credentials.secret_access_key}
        self._endpoints = dict(endpoints)
        self._lock = threading.Lock()
        self._version = time.time_ns() // 1_000_000
        self._write()

    def set(self, endpoint: str, variants: tuple[Variant, ...] | None) -> None:
        """Send the requests of `endpoint` to `variants` from now on; None: to nobody."""
        with self._lock:
            if variants is None:
                self._endpoints.pop(endpoint, None)
            else:
                self._endpoints[endpoint] = variants
            self._version += 1
            self._write()
            version = self._version
        _await_version(self._settings.home, version)

    def _write(self) -> None:
        settings = self._settings
        table = Table(self._version, settings.account, settings.region, self._keys, self._endpoints)
        write_table(settings.home, table)


def _await_version(home: Path, version: int) -> None:
    control.nudge(home)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (control.table_version(home) or 0) >= version:
            return
        time.sleep(0.02)
    log.warning("router did not confirm its table", version=version)
