"""Takes what routers counted into the metric store and into tests, and lets the stores grow old.

Routers write files of lines, see studio.serving.counters and studio.serving.arms. How far a file
was read is stored with what was read. A file goes once its router is done with it and all of it
is stored.
"""

import fcntl
import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection

from studio.db import positions, resources
from studio.db.session import Database
from studio.experiments import arms as tests
from studio.experiments.arms import Answered, Tally
from studio.logs import store as logs
from studio.metrics import store
from studio.metrics.rows import Row
from studio.metrics.store import Batch, Metric, Reading
from studio.serving import arms, counters
from studio.settings import Settings

log = structlog.get_logger()

_PAUSE_SECONDS = 3.0
_RETAIN_SECONDS = 3_600.0
_MOST_BYTES = 2**20
_NAMESPACE = "AWS/SageMaker"
_TIMES = (
    "ModelLatency",
    "OverheadLatency",
    "BatchWaitTime",
    "FirstChunkLatency",
    "FirstChunkModelLatency",
    "FirstChunkOverheadLatency",
    "ModelLoadingWaitTime",
    "ModelDownloadingTime",
    "ModelLoadingTime",
    "ModelUnloadingTime",
    "ModelSetupTime",
    "RequestDownloadLatency",
    "ResponseUploadLatency",
)
_UNITS = {
    **dict.fromkeys(_TIMES, "Microseconds"),
    **dict.fromkeys(("TimeInBacklog", "TotalProcessingTime"), "Milliseconds"),
    "ApproximateAgeOfOldestRequest": "Seconds",
}


_Work = Callable[[Connection], object]
_Take = Callable[[str, int, bytes], _Work]
"""What to do in the transaction that stores that a source was read up to a position."""


class Collector:
    """Collects from construction until `close`."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._folders = {
            "router": (counters.folder(settings.home), self._metrics),
            "arms": (arms.folder(settings.home), self._arms),
        }
        self._positions: dict[Path, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        retained = -_RETAIN_SECONDS
        while not self._stop.wait(_PAUSE_SECONDS):
            try:
                self._collect()
                if time.monotonic() - retained > _RETAIN_SECONDS:
                    retained = time.monotonic()
                    self._retain()
            except Exception:
                log.exception("metrics not collected")

    def _collect(self) -> None:
        for kind, (folder, take) in self._folders.items():
            for path in sorted(folder.glob("[0-9]*")):
                try:
                    self._collect_file(path, f"{kind}/{path.name}", take)
                except FileNotFoundError:
                    # The router has so many that it removed this one.
                    self._positions.pop(path, None)

    def _collect_file(self, path: Path, source: str, take: _Take) -> None:
        if path not in self._positions:
            with self._db.read() as connection:
                self._positions[path] = max(positions.position(connection, source), 0)
        with path.open("rb") as file:
            # Whoever holds the lock may write more; asked for first, so that all is read then.
            done = _lock(file.fileno())
            while lines := _lines(file, self._positions[path]):
                position = self._positions[path] + len(lines)
                self._db.write(take(source, position, lines))
                self._positions[path] = position
            if done:
                path.unlink()
                del self._positions[path]
                # After the file: without its position it would be read once more.
                self._db.write(lambda connection: positions.forget(connection, source))

    def _metrics(self, source: str, position: int, lines: bytes) -> _Work:
        reading = Reading(source, position, tuple(self._batches(lines)))
        return partial(store.take, reading=reading)

    def _arms(self, source: str, position: int, lines: bytes) -> _Work:
        noted = list(_answered(lines))

        def work(connection: Connection) -> None:
            if positions.advance(connection, source, position):
                for each in noted:
                    tests.answered(connection, each)

        return work

    def _batches(self, lines: bytes) -> Iterator[Batch]:
        scope = self._settings.account, self._settings.region
        owner = lru_cache(partial(self._owner, scope))
        for line in lines.splitlines():
            try:
                yield from _of_line(scope, owner, json.loads(line))
            except (ValueError, KeyError, TypeError):
                log.warning("line of a router skipped", size=len(line))

    def _owner(self, scope: tuple[str, str], endpoint: str) -> str:
        """Whose the endpoint is, or was when it was there."""
        account, region = scope
        with self._db.read() as connection:
            arn = f"arn:aws:sagemaker:{region}:{account}:endpoint/{endpoint}"
            return resources.owner_of(connection, arn) or ""

    def _retain(self) -> None:
        now = time.time_ns() // 1_000_000
        while not self._stop.is_set():
            if not self._db.write(lambda connection: _retained(connection, now)):
                return


def _retained(connection: Connection, now: int) -> bool:
    """One step for each store; whether there may be another."""
    return (
        store.retain(connection, now) | logs.retain(connection, now) | tests.retain(connection, now)
    )


def _of_line(
    scope: tuple[str, str], owner: Callable[[str], str], line: dict[str, Any]
) -> list[Batch]:
    whose = owner(line["endpoint"])
    own = (("TargetModel", line["target"]),) if "target" in line else ()
    variant = (("VariantName", line["variant"]),) if "variant" in line else ()
    dimensions = (("EndpointName", line["endpoint"]), *own, *variant)
    namespace = line.get("namespace", _NAMESPACE)
    return [
        Batch(
            Metric(*scope, namespace, name, dimensions, whose),
            _UNITS.get(name, "None"),
            tuple(Row(line["at"], *map(float, row)) for row in rows),
        )
        for name, rows in line["metrics"].items()
    ]


def _answered(lines: bytes) -> Iterator[Answered]:
    for line in lines.splitlines():
        try:
            said = json.loads(line)
            tally = Tally(
                requests=int(said["requests"]),
                errors=int(said["errors"]),
                log_sum=float(said["log_sum"]),
                log_squares=float(said["log_squares"]),
            )
            ids = tuple(map(str, said["ids"]))
            yield Answered(said["test"], said["variant"], int(said["at"]), tally, ids)
        except (ValueError, KeyError, TypeError):
            log.warning("line of a router skipped", size=len(line))


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lines(file: Any, position: int) -> bytes:
    """Whole lines from a position on, about a megabyte at the most."""
    file.seek(position)
    data: bytes = file.read(_MOST_BYTES)
    return data[: data.rfind(b"\n") + 1]
