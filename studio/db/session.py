"""One database: many readers, one writer thread with group commit.

Every write is a function that runs inside a transaction on the writer thread; functions that wait
together share one COMMIT, hence one sync of the disk, and each has a savepoint of its own. A
function must not do I/O. `write` returns after the commit: what is acknowledged is on the disk.
One writer is also what SQLite wants: no upgrade of a read lock, no SQLITE_BUSY.
"""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from studio.db import apsw_dbapi

T = TypeVar("T")
Work = Callable[[Connection], Any]

_BATCH = 128
_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    "journal_size_limit=67108864",
)


class Database:
    """An open database. `close` waits for the writes that are under way."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._writer = _engine(url, write=True)
        self._readers = _engine(url, write=False)
        self._queue: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and cannot write."""
        with self._readers.connect() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; its result, once durable. Its exception undoes only it."""
        return self.submit(work).result()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """`write` without waiting."""
        if self._closed.is_set():
            raise RuntimeError("the database is closed")
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future

    @property
    def writer_engine(self) -> Engine:
        """For migrations, before anything else writes."""
        return self._writer

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._queue.put(None)
        self._thread.join()
        self._readers.dispose()
        self._writer.dispose()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._commit(batch)

    def _next_batch(self) -> list[tuple[Work, Future[Any]]] | None:
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < _BATCH and not self._queue.empty():
            item = self._queue.get()
            if item is None:
                self._queue.put(None)
                break
            batch.append(item)
        return batch

    def _commit(self, batch: list[tuple[Work, Future[Any]]]) -> None:
        # Results and errors alike wait for the commit: who lost a race finds the winner stored.
        done: list[tuple[Future[Any], Any]] = []
        failed: list[tuple[Future[Any], BaseException]] = []
        try:
            with self._writer.begin() as connection:
                for work, future in batch:
                    try:
                        with connection.begin_nested():
                            done.append((future, work(connection)))
                    except BaseException as error:
                        failed.append((future, error))
        except BaseException as error:
            # The commit failed: nothing of this batch is on the disk.
            failed += [(future, error) for future, _ in done]
            done = []
        for future, result in done:
            future.set_result(result)
        for future, reason in failed:
            future.set_exception(reason)


def _engine(url: str, write: bool) -> Engine:
    if not url.startswith("sqlite"):
        size, more = (1, 0) if write else (8, 24)
        return create_engine(url, json_deserializer=_document, pool_size=size, max_overflow=more)
    pool: dict[str, Any] = {"poolclass": StaticPool}
    if not write:
        pool = {"poolclass": QueuePool, "pool_size": 8, "max_overflow": 24}
    engine = create_engine(url, module=apsw_dbapi, json_deserializer=_document, **pool)
    pragmas = _SQLITE_PRAGMAS if write else (*_SQLITE_PRAGMAS[2:], "query_only=ON")
    begin = "BEGIN IMMEDIATE" if write else "BEGIN"

    @event.listens_for(engine, "connect")
    def _configure(connection: apsw_dbapi.Connection, _record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _document(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Metrics may be NaN, which is no JSON but Python's.
        return json.loads(text)
