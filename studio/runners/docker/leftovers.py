"""What runs that have ended left with the engine: containers and networks of this home."""

import json
import threading
from pathlib import Path

import structlog

from studio import processes
from studio.runners.docker import client, document, held, networks
from studio.runners.docker.engine import Engine, EngineError, EngineGone, address
from studio.settings import Settings

log = structlog.get_logger()

_PAUSE_SECONDS = 20.0


class Sweeper:
    """Removes them now and then, from construction until `close`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="containers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        leave(self._settings)

    def _run(self) -> None:
        leave(self._settings)  # a control plane that was killed has not
        while True:
            try:
                sweep(self._settings)
            except EngineGone:
                pass  # no engine, so nothing to remove
            except Exception:
                log.exception("containers not swept")
            if self._stop.wait(_PAUSE_SECONDS):
                return


def sweep(settings: Settings) -> None:
    """Remove what ended runs of this home have left. Raises EngineGone, EngineError."""
    engine = _engine(settings)
    if engine is None:
        return
    ours = {"filters": json.dumps({"label": [f"studio.home={settings.home}"]})}
    for found in engine.call("GET", "/containers/json", {"all": "true", **ours}):
        run = found["Labels"]["studio.run"]
        if _lost(found["Labels"]) if held.SHIM in found["Labels"] else _over(settings, run):
            log.info("left container removed", run=run)
            client.remove(engine, found["Id"])
    for network in engine.call("GET", "/networks", ours):
        if "studio.run" in network["Labels"] and _over(settings, network["Labels"]["studio.run"]):
            _remove(engine, settings, network["Name"])


def leave(settings: Settings) -> None:
    """Remove the network that runs of this home share, unless one is still on it."""
    engine = _engine(settings)
    if engine is None:
        return
    try:
        _remove(engine, settings, document.apart(str(settings.home)))
    except EngineGone:
        pass  # the next control plane does it


def _engine(settings: Settings) -> Engine | None:
    """The engine that runs may have used."""
    try:
        path = address(settings.docker_host)
    except ValueError:
        return None
    return Engine(path, seconds=10.0) if Path(path).exists() else None


def _lost(labels: dict[str, str]) -> bool:
    """Whether a container that was kept ready, and may have got its run, has lost its shim."""
    return not processes.alive(json.loads(labels[held.SHIM]))


def _over(settings: Settings, run: str) -> bool:
    folder = settings.runs / run
    return (folder / "exit.json").exists() or not folder.exists()


def _remove(engine: Engine, settings: Settings, network: str) -> None:
    try:
        networks.remove_unused(engine, network, settings.home / "docker" / "locks")
    except EngineError as error:
        log.info("network not removed", network=network, error=str(error))
