"""Tells the fronts of multi-model servers where artifacts are, as the role of their run may see.

A unix socket in the home, which only its owner can open: a line of JSON each way. See
studio.serving.artifacts for who asks.
"""

import json
import os
import socketserver
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from studio.db import resources
from studio.db.session import Database
from studio.errors import ApiError
from studio.reconcile.grants import Grants
from studio.s3.client import Storage, parse_uri
from studio.s3.errors import S3Error
from studio.serving.artifacts import SOCKET

log = structlog.get_logger()

_LONGEST_LINE = 2**20

Doc = dict[str, Any]


class Artifacts:
    """Answers from construction until `close`."""

    def __init__(self, home: Path, db: Database, grants: Grants, storage: Storage) -> None:
        self._path = home / SOCKET
        self._path.unlink(missing_ok=True)
        self._db, self._grants, self._storage = db, grants, storage
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # A unix address has 108 bytes at most; the name relative to an open folder always fits.
            self._server = _Server(f"/proc/self/fd/{folder}/{SOCKET}", self._answer)
        finally:
            os.close(folder)
        self._path.chmod(0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="artifacts", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._path.unlink(missing_ok=True)

    def _answer(self, question: Doc) -> Doc:
        run_id, targets = str(question["run"]), question["targets"]
        with self._db.read() as connection:
            run = resources.get_run(connection, run_id)
            resource = resources.get(connection, run.resource_id) if run else None
        if run is None or resource is None or run.ended_at is not None:
            raise ValueError("the run has ended")
        storage = self._grants.storage(resource, run.role, self._storage)
        bucket, prefix = parse_uri(str(question["prefix"]))
        return {"targets": dict(_found(storage, bucket, prefix, targets))}


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, place: str, answer: Any) -> None:
        self.answer = answer
        super().__init__(place, _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            answer = self.server.answer(json.loads(self.rfile.readline(_LONGEST_LINE)))
            self.wfile.write(json.dumps(answer).encode() + b"\n")
        except (ValueError, KeyError, OSError) as error:
            log.info("artifacts not told", reason=str(error))


def _found(
    storage: Storage, bucket: str, prefix: str, targets: Iterable[str]
) -> Iterable[tuple[str, Doc]]:
    for target in targets:
        key = prefix + target
        try:
            found = storage.head(bucket, key)
            if found is not None:
                link, url = storage.source(found)
                about = {"etag": found.etag, "size": found.size}
                yield target, {**about, "link": link, "url": url}
                continue
        except (S3Error, ApiError) as error:
            # What the role may not read is as if it were not there; nothing else is.
            if not error.code.startswith("AccessDenied"):
                raise ValueError(error.message) from error
        yield target, {"problem": missing(bucket, key)}


def missing(bucket: str, key: str) -> str:
    """AWS's sentence for an artifact that is not to be had."""
    return (
        f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there "
        "is an object located at the URL and that the role passed to CreateModel has permissions "
        "to download the model."
    )
