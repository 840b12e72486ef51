"""Stores in S3 what the router's recorder has captured, and removes what nobody asks for any more.

See studio.serving.capture for the files. Each is stored under a name of its own, so that storing it
twice, after a crash, is storing it once.
"""

import json
import shutil
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from studio import durable
from studio.errors import ApiError
from studio.reconcile.grants import Grants
from studio.s3.client import Storage, parse_uri
from studio.serving import access_log, capture, differences
from studio.serving.table import load_table, table_path

log = structlog.get_logger()

_PAUSE_SECONDS = 3.0
_REFUSED_SECONDS = 30.0
_SWEEP_SECONDS = 3_600.0
_FORGOTTEN_SECONDS = 86_400.0


def stored(home: Path, record: str) -> dict[str, Any]:
    """How storing goes: `objects` so far, when the last was (`at`, UTC milliseconds), `problem`."""
    known = durable.read_json(_stored_path(capture.folder(home) / record))
    return {"objects": 0, "at": 0, "problem": ""} | (known or {})


class CaptureStore:
    """Stores from construction until `close`."""

    def __init__(self, home: Path, grants: Grants, storage: Storage) -> None:
        self._home = home
        self._grants = grants
        self._storage = storage
        self._refused: dict[Path, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="captures", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        swept = -_SWEEP_SECONDS
        while not self._stop.wait(_PAUSE_SECONDS):
            try:
                for record in capture.folder(self._home).glob("*"):
                    self._store(record)
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    self._sweep()
            except Exception:
                log.exception("captured data not stored")

    def _store(self, record: Path) -> None:
        """All files of a record that grow no more; a refusal is not repeated at once."""
        if time.monotonic() < self._refused.get(record, 0.0):
            return
        for path in capture.finished(record):
            if self._stop.is_set():
                return
            try:
                self._store_file(record, path)
            except Exception as error:  # it must not keep other endpoints' data from S3
                self._refused[record] = time.monotonic() + _REFUSED_SECONDS
                self._note(record, problem=_told(error))
                return
            path.unlink(missing_ok=True)
            self._note(record, objects=1)

    def _store_file(self, record: Path, path: Path) -> None:
        config = json.loads((record / "capture.json").read_bytes())
        bucket, prefix = parse_uri(config["destination"].rstrip("/"))
        below = path.relative_to(record)
        storage = self._grants.storage_of(config["role"], config["owner"], self._storage)
        storage.put_file(bucket, f"{prefix}/{below}" if prefix else str(below), path)

    def _note(self, record: Path, objects: int = 0, problem: str = "") -> None:
        known = stored(self._home, record.name)
        at = time.time_ns() // 1_000_000 if objects else known["at"]
        news = {"objects": known["objects"] + objects, "at": at, "problem": problem}
        capture.replace(_stored_path(record), news)

    def _sweep(self) -> None:
        """Remove what belongs to no deployment that is there, a day after its last word."""
        named = _named(self._home)
        before = time.time() - _FORGOTTEN_SECONDS
        for record in capture.folder(self._home).glob("*"):
            _remove_empty(record, before)
            forgotten = record.name not in named and record.stat().st_mtime < before
            if forgotten and not any(capture.finished(record)):
                shutil.rmtree(record)
        access_log.sweep(self._home, datetime.now(UTC).date())
        for path in differences.path(self._home, "x").parent.glob("*.json"):
            if path.stem not in named and path.stat().st_mtime < before:
                path.unlink()


def _named(home: Path) -> set[str]:
    """The records that the router's table names."""
    variants = [it for each in load_table(table_path(home)).endpoints.values() for it in each]
    return {it.shadow for it in variants} | {it.capture.record for it in variants if it.capture}


def _remove_empty(record: Path, before: float) -> None:
    """The folders of hours that have long passed; nothing is written to them any more."""
    for hour in record.glob("*/*/*/*/*/*"):
        if hour.stat().st_mtime < before:
            for folder in (hour, *hour.parents[:4]):
                with suppress(OSError):  # it is not empty
                    folder.rmdir()


def _told(error: Exception) -> str:
    if isinstance(error, ApiError):
        return f"{error.code}: {error.message}"
    log.warning("captured data not stored", exc_info=error)
    return str(error)


def _stored_path(record: Path) -> Path:
    return record / "stored.json"
