"""The backlog: asynchronous requests and what became of them, in a small database of the home.

The router puts requests in, and tells the client once they are on disk; the control plane takes
them out. Whoever of them is killed, no request is lost: what was being answered waits again.
"""

import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import apsw

from studio import durable

Status = Literal["Waiting", "InProgress", "Storing", "Completed", "Failed", "Stopped"]
"""`Storing`: answered, and the answer is not in S3 yet. The last three are ends."""

ENDED: tuple[Status, ...] = ("Completed", "Failed", "Stopped")
_KEPT = 1_000
_BUSY_MS = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL,
    endpoint TEXT NOT NULL, status TEXT NOT NULL, spec TEXT NOT NULL, body BLOB,
    accepted_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, due_at INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER, ended_at INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS request_open ON request (status, queue, number)
    WHERE status IN ('Waiting', 'InProgress', 'Storing');
CREATE INDEX IF NOT EXISTS request_of ON request (queue, status, number);
"""
_COLUMNS = (
    "id, queue, endpoint, status, spec, body, accepted_at, expires_at, due_at, started_at, "
    "ended_at, attempts, outcome, number"
)


@dataclass(frozen=True)
class Request:
    """An asynchronous request. Times are UTC milliseconds."""

    id: str
    """It names the objects in S3; the client's InferenceId is in `spec`."""
    queue: str
    """Id of the endpoint: one of the same name that comes later has another."""
    endpoint: str
    spec: dict[str, Any] = field(repr=False)
    """See studio.serving.asynchronous."""
    accepted_at: int
    expires_at: int
    """When it fails if no server has taken it; 0: it waits for ever."""
    body: bytes | None = field(default=None, repr=False)
    status: Status = "Waiting"
    due_at: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    attempts: int = 0
    """Times that a server began with it and did not end."""
    outcome: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    """They are taken in this order."""


@dataclass(frozen=True)
class Load:
    """What lies in a queue."""

    waiting: int = 0
    running: int = 0
    """Those that are stored are among them."""
    oldest: int | None = None
    """When the oldest of both was accepted, UTC milliseconds."""


def folder(home: Path) -> Path:
    return home / "async"


def path(home: Path) -> Path:
    return folder(home) / "backlog.db"


def answer_path(home: Path, request_id: str) -> Path:
    """Where an answer lies until it is in S3."""
    return folder(home) / "answers" / request_id


@contextmanager
def opened(home: Path) -> Iterator["Backlog"]:
    """The backlog of a home, for a moment."""
    backlog = Backlog(home)
    try:
        yield backlog
    finally:
        backlog.close()


class Backlog:
    """Threads may share one; each method is a transaction, durable on return."""

    def __init__(self, home: Path) -> None:
        durable.make_dirs(folder(home) / "answers")
        self._lock = threading.Lock()
        self._connection = apsw.Connection(str(path(home)))
        self._connection.set_busy_timeout(_BUSY_MS)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # of the router

    def put(self, request: Request) -> None:
        """Accept a request."""
        self._do(
            "INSERT INTO request (id, queue, endpoint, status, spec, body, accepted_at, expires_at)"
            " VALUES (?, ?, ?, 'Waiting', ?, ?, ?, ?)",
            (
                request.id,
                request.queue,
                request.endpoint,
                json.dumps(request.spec),
                request.body,
                request.accepted_at,
                request.expires_at,
            ),
        )

    # of the worker

    def recover(self) -> None:
        """What somebody was at who is no more waits again."""
        self._do("UPDATE request SET status = 'Waiting', due_at = 0 WHERE status = 'InProgress'")

    def loads(self) -> dict[str, Load]:
        """What lies in each queue that is not empty."""
        rows = self._do(
            "SELECT queue, sum(status = 'Waiting'), sum(status <> 'Waiting'), min(accepted_at) "
            "FROM request WHERE status IN ('Waiting', 'InProgress', 'Storing') GROUP BY queue"
        )
        return {queue: Load(*counts) for queue, *counts in rows}

    def claim(self, queue: str, most: int, now: int) -> list[Request]:
        """Take the oldest requests that are due, to send them to a server."""
        return self._requests(
            "UPDATE request SET status = 'InProgress', started_at = ? WHERE number IN ("
            "SELECT number FROM request WHERE queue = ? AND status = 'Waiting' AND due_at <= ? "
            f"ORDER BY number LIMIT ?) RETURNING {_COLUMNS}",
            (now, queue, now, most),
        )

    def overdue(self, now: int) -> list[Request]:
        """Those that have waited longer than their clients wanted."""
        return self._requests(
            f"SELECT {_COLUMNS} FROM request WHERE status = 'Waiting' AND expires_at > 0 "
            "AND expires_at <= ?",
            (now,),
        )

    def waiting(self, queue: str) -> list[Request]:
        """The next of a queue, without taking them."""
        return self._requests(
            f"SELECT {_COLUMNS} FROM request WHERE queue = ? AND status = 'Waiting' "
            "ORDER BY number LIMIT 1000",
            (queue,),
        )

    def storing(self, now: int) -> list[Request]:
        """Those whose answers are to be stored now."""
        return self._requests(
            f"SELECT {_COLUMNS} FROM request WHERE status = 'Storing' AND due_at <= ?", (now,)
        )

    def again(self, request: Request, due_at: int, failed: bool) -> None:
        """Let it wait until `due_at`; `failed`: a server began with it and did not end."""
        self._do(
            "UPDATE request SET status = 'Waiting', due_at = ?, attempts = attempts + ? "
            "WHERE id = ?",
            (due_at, int(failed), request.id),
        )

    def settle(self, request: Request, outcome: dict[str, Any]) -> None:
        """It has an answer, which is to be stored."""
        self._do(
            "UPDATE request SET status = 'Storing', due_at = 0, outcome = ? "
            "WHERE id = ? AND status <> 'Stopped'",
            (json.dumps(outcome), request.id),
        )

    def later(self, request: Request, due_at: int) -> None:
        """Store its answer another time."""
        self._do("UPDATE request SET due_at = ? WHERE id = ?", (due_at, request.id))

    def end(self, request: Request, status: Status, outcome: dict[str, Any], now: int) -> None:
        """It is over. A body is needed no more, unless somebody may want another attempt."""
        body = "body" if status == "Failed" else "NULL"
        self._do(
            f"UPDATE request SET status = ?, outcome = ?, ended_at = ?, body = {body} WHERE id = ?",
            (status, json.dumps(outcome), now, request.id),
        )
        self._do(
            "DELETE FROM request WHERE queue = ? AND status IN ('Completed', 'Failed', 'Stopped') "
            "AND number <= (SELECT max(number) FROM request WHERE queue = ?) - ?",
            (request.queue, request.queue, _KEPT),
        )

    # of people

    def counts(self, queue: str) -> dict[Status, int]:
        """How many are known of each status; ended ones are forgotten after a while."""
        rows = self._do(
            "SELECT status, count(*) FROM request WHERE queue = ? GROUP BY status", (queue,)
        )
        return dict(rows)

    def page(self, queue: str, statuses: Sequence[Status], before: int, most: int) -> list[Request]:
        """The latest, whose `number` is below `before`, without their bodies."""
        marks = ", ".join("?" * len(statuses))
        found = self._requests(
            f"SELECT {_COLUMNS.replace('body', 'NULL')} FROM request WHERE queue = ? "
            f"AND status IN ({marks}) AND number < ? ORDER BY number DESC LIMIT ?",
            (queue, *statuses, before, most),
        )
        return found[::-1]

    def find(self, queue: str, request_id: str) -> Request | None:
        """The request of a queue with this id."""
        found = self._requests(
            f"SELECT {_COLUMNS} FROM request WHERE queue = ? AND id = ?", (queue, request_id)
        )
        return found[0] if found else None

    def cancel(self, request: Request, now: int) -> bool:
        """End a request that waits; False when a server has it already."""
        return bool(
            self._do(
                "UPDATE request SET status = 'Stopped', ended_at = ?, body = NULL "
                "WHERE id = ? AND status = 'Waiting' RETURNING id",
                (now, request.id),
            )
        )

    def retry(self, request: Request, expires_at: int) -> bool:
        """Let a request that failed wait anew, to the same places in S3; False when it has not."""
        return bool(
            self._do(
                "UPDATE request SET status = 'Waiting', due_at = 0, attempts = 0, ended_at = NULL, "
                "started_at = NULL, outcome = '{}', expires_at = ? "
                "WHERE id = ? AND status = 'Failed' RETURNING id",
                (expires_at, request.id),
            )
        )

    def _requests(self, query: str, values: Iterable[Any]) -> list[Request]:
        return sorted((_request(row) for row in self._do(query, values)), key=lambda it: it.number)

    def _do(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return list(self._connection.execute(query, tuple(values)))


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def _request(row: tuple[Any, ...]) -> Request:
    names = _COLUMNS.split(", ")
    values = dict(zip(names, row, strict=True))
    values["spec"], values["outcome"] = json.loads(values["spec"]), json.loads(values["outcome"])
    return Request(**values)
