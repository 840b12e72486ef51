"""How the model servers do, as the router sees it: a file that the control plane reads.

It names those that get no requests, and why, those that hang, and those that leave and still hold
requests. Written when something has changed, so that it costs nothing while all is well.
"""

import json
import time
from pathlib import Path
from time import monotonic
from typing import Any

from studio import durable
from studio.serving.routes import Routes
from studio.serving.upstream import Server

_STUCK = "It holds requests and answers none."


def path(home: Path) -> Path:
    return home / "router" / "servers.json"


def read(home: Path) -> dict[str, Any]:
    """`Unwell`: by address, what a server is (`Ejected` or `Stuck`), since when (UTC milliseconds)
    and why; `Hung`: addresses of those that have not answered `/ping` for long; `Leaving`: of
    servers that get nothing new and have requests still."""
    try:
        known = durable.read_json(path(home))
    except (OSError, ValueError):
        known = None
    return known if isinstance(known, dict) else {"Unwell": {}, "Hung": [], "Leaving": []}


class Health:
    """`tick` looks at the servers of `routes`."""

    def __init__(self, home: Path, routes: Routes) -> None:
        self._path = path(home)
        self._routes = routes
        self._unwell: dict[str, dict[str, Any]] = {}
        self._written = ""

    def tick(self) -> None:
        """Write how they are, if it is news."""
        routes, now = self._routes, monotonic()
        routes.leaving = [server for server in routes.leaving if server.in_flight]
        known = self._unwell
        self._unwell = {
            address: {"Health": health, "Since": since, "Reason": server.trouble or _STUCK}
            for address, server in routes.servers.items()
            if (health := _health(server, now))
            for since in [_since(known.get(address), health)]
        }
        hung = sorted(address for address, it in routes.servers.items() if it.hung(now))
        leaving = sorted("{}:{}".format(*server.address) for server in routes.leaving)
        text = json.dumps({"Unwell": self._unwell, "Hung": hung, "Leaving": leaving})
        if text != self._written:
            self._written = text
            self._write(text)

    def _write(self, text: str) -> None:
        temporary = self._path.with_name(f".{self._path.name}")
        try:
            temporary.write_text(text)
            temporary.replace(self._path)
        except OSError:
            self._written = ""  # a full disk must not stop the traffic


def _health(server: Server, now: float) -> str:
    if server.ejected:
        return "Ejected"
    return "Stuck" if server.stuck(now) else ""


def _since(known: dict[str, Any] | None, health: str) -> int:
    if known is not None and known["Health"] == health:
        return int(known["Since"])
    return time.time_ns() // 1_000_000
