"""What the router is told: which servers take an endpoint's requests, and who may send them.

The router is a process of its own and reads a file. A change is done when the router says that it
has read it; while no router runs, the file waits for the next one.
"""

import threading
import time
from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path

import structlog

from studio.serving import control, health
from studio.serving.outside import Outside
from studio.serving.table import Key, Table, Variant, load_table, table_path, write_table
from studio.settings import Settings

log = structlog.get_logger()

_PATIENCE_SECONDS = 3.0
_REFRESH_SECONDS = 20.0


class Routes:
    """The table, endpoint name -> variants; written whole at each change.

    `keys` tells the valid keys, `outside` those of applications, and whose requests are logged.
    They are asked for again every 20 seconds, because some policies go by the clock, and by
    `refresh`, when one has changed.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Callable[[], Mapping[str, Key]],
        endpoints: Mapping[str, tuple[Variant, ...]],
        outside: Callable[[], Outside] = Outside,
    ) -> None:
        self._settings = settings
        self._keys, self._outside = keys, outside
        self._known = self._ask()
        self._endpoints = dict(endpoints)
        self._lock = threading.Lock()
        self.answering: Callable[[], Iterable[str]] = tuple
        """Addresses of the servers that have asynchronous requests."""
        self._version = _after_all(settings.home)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="routes", daemon=True)
        self._write()

    def start(self) -> None:
        """Look at the keys again and again."""
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def set(self, endpoint: str, variants: tuple[Variant, ...] | None) -> None:
        """Send the requests of `endpoint` to `variants` from now on; None: to nobody."""
        with self._lock:
            if variants is None:
                self._endpoints.pop(endpoint, None)
            else:
                self._endpoints[endpoint] = variants
            self._known = self._ask()
            version = self._next()
        _await_version(self._settings.home, version)

    def endpoints(self) -> Mapping[str, tuple[Variant, ...]]:
        """The variants of each endpoint, as they are now."""
        with self._lock:
            return dict(self._endpoints)

    def health(self) -> Mapping[str, Container[str]]:
        """How the router finds the servers, see studio.serving.health. Those that answer
        asynchronous requests are among `Leaving`: nothing but that may be left for them to do."""
        known = health.read(self._settings.home)
        return {**known, "Leaving": {*known["Leaving"], *self.answering()}}

    def refresh(self) -> None:
        """Let the router know of keys that have changed, if any has."""
        with self._lock:
            known = self._ask()
            if known == self._known:
                return
            self._known = known
            version = self._next()
        _await_version(self._settings.home, version)

    def _run(self) -> None:
        while not self._closed.wait(_REFRESH_SECONDS):
            try:
                self.refresh()
            except Exception:
                log.exception("keys not refreshed")

    def _ask(self) -> tuple[Mapping[str, Key], Outside]:
        return self._keys(), self._outside()

    def _next(self) -> int:
        self._version += 1
        self._write()
        return self._version

    def _write(self) -> None:
        settings = self._settings
        keys, outside = self._known
        place = settings.account, settings.region
        table = Table(self._version, *place, keys, self._endpoints, outside)
        write_table(settings.home, table)


def _after_all(home: Path) -> int:
    """A version after any that a router of `home` may know, also when the clock was set back."""
    try:
        known = load_table(table_path(home)).version
    except (OSError, ValueError):
        known = 0
    return max(time.time_ns() // 1_000_000, known + 1)


def _await_version(home: Path, version: int) -> None:
    control.nudge(home)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and control.find(home) is not None:
        if (control.table_version(home) or 0) >= version:
            return
        time.sleep(0.02)
    log.warning("router did not confirm its table", version=version)
