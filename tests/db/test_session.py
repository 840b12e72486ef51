"""The database: what is acknowledged is stored, readers never wait, old schemas upgrade."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from waiting import PATIENCE_SECONDS, eventually

from studio.db import apsw_dbapi, failures, migrate, resources
from studio.db.failures import Unavailable
from studio.db.resources import Resource, Run
from studio.db.session import Database
from studio.db.tables import METADATA
from studio.errors import StudioError


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def job(name: str, **values) -> Resource:
    made = Resource("0" * 12, "us-east-1", "training-job", name, f"arn:{name}", "S", {"a": 1}, 1, 1)
    return replace(made, **values)


def names(db: Database) -> set[str]:
    with db.read() as connection:
        return {each.name for each in resources.of_kind(connection, "training-job")}


def test_sqlite_is_new_enough_for_wal():
    assert apsw_dbapi.sqlite_version_info >= (3, 51, 3)


def test_pragmas_make_commits_durable(tmp_path):
    db = Database(f"sqlite:///{tmp_path / 'studio.db'}")
    level = db.write(lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar())
    mode = db.write(lambda c: c.exec_driver_sql("PRAGMA journal_mode").scalar())
    db.close()
    assert (level, mode) == (2, "wal")


def test_writes_of_many_threads_all_arrive(db):
    def one(number: int) -> None:
        db.write(lambda c: resources.insert(c, job(f"job-{number}")))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(300)))
    assert names(db) == {f"job-{number}" for number in range(300)}


def test_writes_of_one_thread_are_done_in_order(db):
    done: list[int] = []
    for number in range(0, 300, 3):
        db.submit(lambda _, number=number: done.append(number))
        db.submit(lambda _, number=number: done.append(number + 1))
        db.write(lambda _, number=number: done.append(number + 2))
    assert done == list(range(300))


def test_who_waits_meanwhile_shares_a_commit(db):
    under_way, gate = threading.Event(), threading.Event()
    transactions: list[object] = []

    def hold(connection):
        under_way.set()
        gate.wait(PATIENCE_SECONDS)
        transactions.append(connection.get_transaction())

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(db.write, hold)
        assert under_way.wait(PATIENCE_SECONDS)
        others = [db.submit(lambda c: transactions.append(c.get_transaction())) for _ in range(10)]
        gate.set()
        for each in (first, *others):
            each.result()
    assert len({id(it) for it in transactions[1:]}) == 1
    assert transactions[0] is not transactions[1]


def test_close_waits_for_what_is_under_way(tmp_path):
    db = Database(f"sqlite:///{tmp_path / 'studio.db'}")
    under_way, gate = threading.Event(), threading.Event()

    def hold(_connection):
        under_way.set()
        return gate.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(db.write, hold)
        assert under_way.wait(PATIENCE_SECONDS)
        waiting = db.submit(lambda _: "waited")
        closing = pool.submit(db.close)
        eventually(lambda: _closed(db))
        assert not closing.done()
        gate.set()
        closing.result()
    assert (writing.result(), waiting.result()) == (True, "waited")


def _closed(db: Database) -> bool:
    try:
        db.submit(lambda _: None)
    except RuntimeError:
        return True
    return False


def test_a_failing_write_undoes_only_itself(db):
    gate = threading.Event()

    def hold(_connection):
        gate.wait(5)

    def twice(connection):
        resources.insert(connection, job("half"))
        resources.insert(connection, job("taken"))

    first = db.submit(hold)
    good = db.submit(lambda c: resources.insert(c, job("taken")))
    bad = db.submit(twice)
    after = db.submit(lambda c: resources.insert(c, job("after")))
    gate.set()
    for future in (first, good, after):
        future.result()
    with pytest.raises(IntegrityError):
        bad.result()
    assert names(db) == {"taken", "after"}


def test_a_write_that_fails_alone_leaves_nothing(db):
    def half(connection):
        resources.insert(connection, job("half"))
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        db.write(half)
    db.write(lambda c: resources.insert(c, job("after")))
    assert names(db) == {"after"}


def test_readers_cannot_write(db):
    with pytest.raises((OperationalError, Unavailable)), db.read() as connection:
        connection.execute(text("DELETE FROM resource"))


def test_names_are_free_after_delete(db):
    first = job("again")
    db.write(lambda c: resources.insert(c, first))
    db.write(lambda c: resources.update(c, replace(first, deleted_at=2)))
    db.write(lambda c: resources.insert(c, job("again")))
    assert names(db) == {"again"}


def test_update_of_a_stale_generation_changes_nothing(db):
    first = job("stale")
    db.write(lambda c: resources.insert(c, first))
    assert db.write(lambda c: resources.update(c, replace(first, status="A"))).generation == 2
    assert db.write(lambda c: resources.update(c, replace(first, status="B"))) is None
    with db.read() as connection:
        assert resources.get(connection, first.id).status == "A"


def test_runs_are_inserted_and_replaced(db):
    owner = job("owner")
    run = Run("r1", owner.id, "train/algo-1", "process", 5)
    db.write(lambda c: resources.insert(c, owner))
    db.write(lambda c: resources.put_runs(c, [run]))
    ended = replace(run, phase="succeeded", exit_code=0)
    db.write(lambda c: resources.put_runs(c, [ended]))
    with db.read() as connection:
        assert resources.runs(connection, owner.id) == [ended]
        assert resources.open_runs(connection) == []


def test_of_many_runs_the_last_of_each_role_are_found(db):
    owner, other = job("sleeper"), job("other")
    runs = [Run(f"r{n}", owner.id, f"serve/{n % 2}", "process", n // 4) for n in range(12)]
    stranger = Run("s", other.id, "serve/0", "process", 99)
    db.write(lambda c: [resources.insert(c, it) for it in (owner, other)])
    db.write(lambda c: resources.put_runs(c, [*runs, stranger]))
    with db.read() as connection:
        found = resources.runs(connection, owner.id, 2)
        assert resources.runs(connection, owner.id, 6) == resources.runs(connection, owner.id)
    assert sorted(it.created_at for it in found) == [2, 2, 2, 2]
    assert sorted(it.role for it in found) == ["serve/0"] * 2 + ["serve/1"] * 2


def test_migrations_make_the_tables_of_this_release(db):
    with db.writer_engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_newer_database_is_refused(db):
    db.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StudioError, match="newer Studio"):
        migrate.upgrade(db)


def test_acknowledged_writes_survive_kill(tmp_path):
    program = tmp_path / "writer.py"
    program.write_text(
        textwrap.dedent(
            """
            import os, sys
            from sqlalchemy import text
            from studio.db.session import Database
            db = Database(f"sqlite:///{sys.argv[1]}")
            db.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER)")))
            for n in range(10_000):
                db.write(lambda c: c.execute(text("INSERT INTO t VALUES (:n)"), {"n": n}))
                os.write(1, f"{n}\\n".encode())
            """
        )
    )
    path = tmp_path / "killed.db"
    process = subprocess.Popen(
        [sys.executable, str(program), str(path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    with process:
        seen = [int(process.stdout.readline()) for _ in range(50)]
        process.kill()
    database = Database(f"sqlite:///{path}")
    with database.read() as connection:
        stored = {row.n for row in connection.execute(text("SELECT n FROM t"))}
        check = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    database.close()
    assert set(seen) <= stored
    assert check == "ok"


def test_a_write_cannot_be_cancelled(db):
    gate = threading.Event()
    first = db.submit(lambda c: gate.wait(10))
    second = db.submit(lambda c: resources.insert(c, job("second")))
    # The writer thread would die of it, and every later write wait for ever.
    cancelled = second.cancel()
    gate.set()
    assert not cancelled
    assert first.result(timeout=10)
    assert second.result(timeout=10) is None
    assert names(db) == {"second"}


@pytest.mark.parametrize("code", [5, 6, 14, 15, 5 | 2 << 8])
def test_who_may_try_again_is_told_so(code):
    refused = apsw_dbapi.OperationalError("not now", code)
    told = failures.translated(DBAPIError("SELECT 1", None, refused))
    assert isinstance(told, Unavailable)
