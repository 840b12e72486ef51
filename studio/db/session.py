"""One database: many readers, one writer at a time with group commit.

Every write is a function that runs inside a transaction; functions that wait together share one
COMMIT, hence one sync of the disk, and each has a savepoint of its own. Who comes while nobody
writes does so on its own thread, which saves waking two; others wait for the writer's thread. A
function must not do I/O, and may be run again: a full disk is helped once by what `spare` frees.
`write` returns after the commit: what is acknowledged is on the disk. One writer is also what
SQLite wants: no upgrade of a read lock, no SQLITE_BUSY.
"""

import threading
from collections import deque
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
        self._fence: Callable[[Any], object] = lambda cursor: None
        self._writer = engines.writer(url, self._ask_fence)
        self._readers = engines.reader(url)
        self._kept: Connection | None = None
        self._spare = spare
        self._broken: Broken | None = None
        self._failure: str | None = None
        self._unreachable: str | None = None
        self._watchers: list[Callable[[list[object]], None]] = []
        self._waiting: deque[_Waiting] = deque()
        self._closed = False
        self._busy = False
        """Somebody writes."""
        self._turn = threading.Condition(threading.Lock())
        """Over the three above; told when the writer's thread may have something to do."""
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
        future: Future[T] = _future()
        with self._turn:
            self._check_open()
            alone = not self._busy and not self._waiting
            if alone:
                self._busy = True
            else:
                self._enqueue(work, future)
        if alone:
            try:
                self._settle([(work, future)])
            finally:
                self._pass_on()
        return future.result()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """`write` without waiting."""
        future: Future[T] = _future()
        with self._turn:
            self._check_open()
            self._enqueue(work, future)
        return future

    def watch(self, changed: Callable[[list[object]], None]) -> None:
        """Call `changed` after each commit with what was noted in it (see `changes`), in order.

        By whoever writes: it must be quick, and must not raise.
        """
        self._watchers.append(changed)

    def fence(self, look: Callable[[Any], object]) -> None:
        """Ask `look` whenever the connection that writes has to be made anew; see `engines`."""
        self._fence = look

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
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._turn.notify()
        self._thread.join()
        self._let_go()
        self._readers.dispose()
        self._writer.dispose()

    def _ask_fence(self, cursor: Any) -> None:
        self._fence(cursor)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the database is closed")

    def _enqueue(self, work: Work, future: Future[Any]) -> None:
        self._waiting.append((work, future))
        if not self._busy:  # else it is told when that is over
            self._turn.notify()

    def _pass_on(self) -> None:
        with self._turn:
            self._busy = False
            if self._waiting or self._closed:
                self._turn.notify()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._settle(batch)
            self._pass_on()

    def _next_batch(self) -> list[_Waiting]:
        """What waits, at the writer's turn; nothing once all is done and the database closed."""
        with self._turn:
            while self._busy or not (self._waiting or self._closed):
                self._turn.wait()
            self._busy = bool(self._waiting)
            count = min(len(self._waiting), _BATCH)
            return [self._waiting.popleft() for _ in range(count)]

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
                with failures.told(), self._transaction() as connection:
                    changes.taken(connection)  # of an attempt that was undone
                    settled = _carried_out(connection, batch)
                    noted = changes.taken(connection)
                for changed in self._watchers if noted else ():
                    changed(noted)
                return settled
            except Full:
                if not self._spare():
                    raise
            except Broken as error:
                self._broken = error
                raise

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """SQLite's connection is kept: to take it out of its pool and to give it back would take
        as long as a short write. PostgreSQL's may have died, which its pool finds out."""
        if self._writer.dialect.name != "sqlite":
            with self._writer.begin() as connection:
                yield connection
            return
        if self._kept is None:
            self._kept = self._writer.connect()
        try:
            with self._kept.begin():
                yield self._kept
        except BaseException:
            self._let_go()  # its pool rolls back what a failed COMMIT left open
            raise

    def _let_go(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()


def _future() -> Future[Any]:
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()  # told of a cancelled one, the writer would die
    return future


def _carried_out(
    connection: Connection, batch: list[_Waiting]
) -> tuple[list[tuple[Future[Any], Any]], list[tuple[Future[Any], BaseException]]]:
    done: list[tuple[Future[Any], Any]] = []
    failed: list[tuple[Future[Any], BaseException]] = []
    undoable = _alone if len(batch) == 1 else _savepoint
    for work, future in batch:
        before = changes.count(connection)
        try:
            with failures.told(), undoable(connection):
                result = work(connection)
            done.append((future, result))
        except StorageError:
            raise
        except BaseException as error:
            changes.undo(connection, before)
            failed.append((future, error))
    return done, failed


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """The transaction is all its own."""
    try:
        yield
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """SQLAlchemy's own does the same in five times as long, of which every write would have to
    wait for its part."""
    connection.exec_driver_sql("SAVEPOINT work")
    try:
        with failures.told():
            yield
    except StorageError:
        raise  # the database may have undone the whole transaction by itself
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT work")
