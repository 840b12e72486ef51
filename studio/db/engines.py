"""Engines of the two databases, set so that what is committed is on the disk.

A writer's connection to PostgreSQL holds a lock of that database: who has lost it, or never had it,
cannot write. Its readers see one snapshot for each transaction and cannot write, as in SQLite.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError
from sqlalchemy.pool import QueuePool, StaticPool

from studio.db import apsw_dbapi, functions
from studio.db.documents import document
from studio.db.failures import Unavailable
from studio.db.patience import Patience
from studio.errors import StudioError

LEADER = 0x53545544
"""Key of the lock of the one who writes."""

_READERS = {"pool_size": 8, "max_overflow": 24, "pool_timeout": 10}
_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    "journal_size_limit=67108864",
    "temp_store=MEMORY",  # a full /tmp is no reason for a write to fail
)
# Milliseconds and seconds: no request waits longer for a database that hangs.
_POSTGRESQL = (
    "SET synchronous_commit = on",
    "SET statement_timeout = 10000",
    "SET jit = off",  # it takes longer than the queries that it is for
    # What it gains it takes from those who train here, and our functions may not run so.
    "SET max_parallel_workers_per_gather = 0",
    "SET idle_in_transaction_session_timeout = 60000",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
_READ_ONLY = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_CONNECT = {"connect_timeout": 2, "tcp_user_timeout": 10_000, "application_name": "studio"}
_OLDEST_SQLITE = (3, 51, 3)
_APPLICATION = LEADER  # in the header of the file: STUD
_TAKE_OVER_SECONDS = 10.0
_ORDER = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, current_setting('fsync')
FROM pg_database WHERE datname = current_database()
"""


def writer(url: str, fence: Callable[[Any], object] = lambda cursor: None) -> Engine:
    """The engine of the one writer. Raises StudioError for a URL of no database that we know.

    `fence` is asked with a cursor of each new connection to PostgreSQL, behind the lock; it raises
    to let it not be used.
    """
    parsed = _parsed(url)
    if parsed.drivername == "sqlite":
        _refuse_old_sqlite()
        pragmas = (*_SQLITE_PRAGMAS, f"application_id={_APPLICATION}")
        return _sqlite(parsed, pragmas, "BEGIN IMMEDIATE", poolclass=StaticPool)

    def lead(cursor: Any) -> None:
        _lead(cursor)
        fence(cursor)

    return _postgresql(parsed, lead, pool_size=1, max_overflow=0)


def reader(url: str) -> Engine:
    """The engine of the readers."""
    parsed = _parsed(url)
    if parsed.drivername == "sqlite":
        pragmas = (*_SQLITE_PRAGMAS[2:], "query_only=ON")
        return _sqlite(parsed, pragmas, "BEGIN", poolclass=QueuePool, **_READERS)
    return _postgresql(parsed, lambda cursor: cursor.execute(_READ_ONLY), **_READERS)


def _refuse_old_sqlite() -> None:
    if apsw_dbapi.sqlite_version_info < _OLDEST_SQLITE:
        raise StudioError(
            f"SQLite {apsw_dbapi.sqlite_version} may corrupt a database when its log is reset: "
            "pip install --upgrade 'apsw>=3.51.3'."
        )


def _parsed(url: str) -> URL:
    # Never the text itself: it may hold a password.
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StudioError("database_url is not a URL of a database.") from None
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise StudioError(
            f"database_url names {parsed.drivername}; Studio stores in PostgreSQL "
            "(postgresql+psycopg://user@host/name) or, when it is empty, in SQLite."
        )
    return parsed


def _sqlite(url: URL, pragmas: tuple[str, ...], begin: str, **pool: Any) -> Engine:
    engine = create_engine(url, module=apsw_dbapi, json_deserializer=document, **pool)

    @event.listens_for(engine, "connect")
    def _configure(connection: apsw_dbapi.Connection, _record: Any) -> None:
        found = connection.execute("PRAGMA application_id").fetchall()[0][0]
        if found not in (0, _APPLICATION):
            raise StudioError(f"{url.database} is the database of another program.")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        functions.register(connection)

    def _begin(connection: Any) -> None:
        connection.rows(begin)

    # By the dialect, whose errors are told like those of statements; an event and a statement of
    # SQLAlchemy's take as long as the rest of a short read.
    engine.dialect.do_begin = _begin  # type: ignore[method-assign, assignment]
    return engine


def _postgresql(url: URL, prepare: Callable[[Any], object], **pool: Any) -> Engine:
    try:
        engine = create_engine(url, connect_args=_CONNECT, **pool)
    except (ImportError, NoSuchModuleError) as error:
        text = "PostgreSQL needs psycopg: pip install 'jupyter-ml-studio[postgres]'."
        raise StudioError(text) from error
    patience = Patience()

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        with patience.measured():
            return dialect.connect(*arguments, **options)

    @event.listens_for(engine, "checkout")
    def _look(connection: Any, _record: Any, _proxy: Any) -> None:
        # A connection that died in the pool is found out before it is used.
        try:
            patience.ask(connection.pgconn)
        except connection.Error as error:
            raise InvalidatePoolError from error

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            for statement in _POSTGRESQL:
                cursor.execute(statement)
            prepare(cursor)
        connection.commit()

    return engine


def _lead(cursor: Any) -> None:
    """Take the lock that one control plane has; the server of one that died frees it soon."""
    _check_order(cursor)
    end = time.monotonic() + _TAKE_OVER_SECONDS
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (LEADER,))
        if cursor.fetchone()[0]:
            return
        if time.monotonic() > end:
            raise Unavailable("another Studio serves this database: stop it first")
        time.sleep(0.1)


def _check_order(cursor: Any) -> None:
    """Names are listed in the order of their bytes; so must the database have them."""
    cursor.execute(_ORDER)
    encoding, *collations, fsync = cursor.fetchone()
    if encoding != "UTF8" or any(it not in ("C", "POSIX") for it in collations):
        raise StudioError(
            f"The database has encoding {encoding} and collation {collations[0]}, Studio needs "
            "UTF8 and C: CREATE DATABASE studio TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'."
        )
    if fsync != "on":
        raise StudioError("This PostgreSQL runs with fsync off: it would lose what it promised.")
