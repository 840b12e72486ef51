"""One database: many readers, one writer thread with group commit.

Every write is a function that runs inside a transaction on the writer thread; functions that wait
together share one COMMIT, hence one sync of the disk, and each has a savepoint of its own. A
function must not do I/O, and may be run again: a full disk is helped once by what `spare` frees.
`write` returns after the commit: what is acknowledged is on the disk. One writer is also what
SQLite wants: no upgrade of a read lock, no SQLITE_BUSY.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from studio import durable
from studio.db import changes, engines, failures
from studio.db.failures import Broken, Full, StorageError, Unavailable
from studio.errors import ApiError

T = TypeVar("T")
Work = Callable[[Connection], Any]
_Waiting = tuple[Work, Future[Any]]

_BATCH = 128


class Database:
    """An open database. `close` waits for the writes that are under way."""

    def __init__(self, url: str, spare: Callable[[], bool] = lambda: False) -> None:
        self.url = url
        self._writer = engines.writer(url)
        self._readers = engines.reader(url)
        self._spare = spare
        self._broken: Broken | None = None
        self._failure: str | None = None
        self._unreachable: str | None = None
        self._changed: Callable[[list[object]], None] = lambda _noted: None
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and cannot write."""
        try:
            with failures.told(), self._readers.connect() as connection:
                self._unreachable = None
                yield connection
        except Unavailable as error:
            self._unreachable = error.message
            raise

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; its result, once durable. Its exception undoes only it."""
        return self.submit(work).result()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """`write` without waiting."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # told of a cancelled one, the writer would die
        with self._closing:
            if self._closed:
                raise RuntimeError("the database is closed")
            self._queue.put((work, future))
        return future

    def watch(self, changed: Callable[[list[object]], None]) -> None:
        """Call `changed` after each commit with what was noted in it (see `changes`), in order.

        On the writer's thread: it must be quick, and must not raise.
        """
        self._changed = changed

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None of another database."""
        url = self._writer.url
        return Path(url.database) if url.drivername == "sqlite" and url.database else None

    @property
    def failure(self) -> str | None:
        """Why the last writes could not be stored, or the last reader was not answered."""
        return self._failure or self._unreachable

    @property
    def writer_engine(self) -> Engine:
        """For migrations, before anything else writes."""
        return self._writer

    def close(self) -> None:
        with self._closing:  # behind None nothing may come: nobody would answer it
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._readers.dispose()
        self._writer.dispose()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._settle(batch)

    def _next_batch(self) -> list[_Waiting] | None:
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

    def _settle(self, batch: list[_Waiting]) -> None:
        """Commit, then tell everybody. Errors wait for the commit as well: who lost a race finds
        the winner stored."""
        try:
            done, failed = self._commit(batch)
            self._failure = None
        except BaseException as error:
            # Nothing of this batch is on the disk, or nobody knows what is.
            reason = failures.translated(error)
            self._failure = str(reason.message if isinstance(reason, ApiError) else reason)
            done, failed = [], [(future, reason) for _, future in batch]
        for future, result in done:
            future.set_result(result)
        for future, reason in failed:
            future.set_exception(reason)

    def _commit(
        self, batch: list[_Waiting]
    ) -> tuple[list[tuple[Future[Any], Any]], list[tuple[Future[Any], BaseException]]]:
        while True:
            if self._broken is not None:
                raise self._broken
            if (known := durable.failure()) is not None:
                raise Broken(known)
            try:
                with failures.told(), self._writer.begin() as connection:
                    changes.taken(connection)  # of an attempt that was undone
                    settled = _carried_out(connection, batch)
                    noted = changes.taken(connection)
                if noted:
                    self._changed(noted)
                return settled
            except Full:
                if not self._spare():
                    raise
            except Broken as error:
                self._broken = error
                raise


def _carried_out(
    connection: Connection, batch: list[_Waiting]
) -> tuple[list[tuple[Future[Any], Any]], list[tuple[Future[Any], BaseException]]]:
    done: list[tuple[Future[Any], Any]] = []
    failed: list[tuple[Future[Any], BaseException]] = []
    for work, future in batch:
        before = changes.count(connection)
        try:
            with failures.told(), connection.begin_nested():
                result = work(connection)
            done.append((future, result))
        except StorageError:
            raise  # the database may have undone the whole transaction by itself
        except BaseException as error:
            changes.undo(connection, before)
            failed.append((future, error))
    return done, failed
