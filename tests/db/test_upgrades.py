"""A database of every release becomes one of this: killed anywhere, it is the old or the new."""

import math
import shutil
from pathlib import Path

import apsw
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from studio.db import migrate, resources, revisions, snapshot
from studio.db.session import Database
from studio.db.tables import METADATA
from studio.errors import StudioError

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = sorted(FIXTURES.glob("studio_v*.sql"))


@pytest.fixture(params=RELEASES, ids=lambda it: it.stem)
def old(request, tmp_path) -> Path:
    """A database as that release left it."""
    path = tmp_path / "studio.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute(request.param.read_text()).fetchall()
    connection.close()
    return path


def revision(path: Path) -> str:
    connection = apsw.Connection(str(path))
    found = connection.execute("SELECT version_num FROM alembic_version").fetchall()[0][0]
    connection.close()
    return found


def upgraded(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    try:
        migrate.upgrade(database)
        with database.writer_engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        with database.read() as connection:
            jobs = {it.name: it for it in resources.of_kind(connection, "training-job")}
            models = resources.of_kind(connection, "model")
            assert [run.resource_id for run in resources.open_runs(connection)] == ["2" * 32]
            assert resources.due(connection) == ["2" * 32]
    finally:
        database.close()
    assert jobs["done"].spec["HyperParameters"] == {"k": "v"}
    assert math.isnan(jobs["done"].state["FinalMetricDataList"][0]["Value"])
    assert jobs["done"].tags == [{"Key": "team", "Value": "ä"}]
    assert [it.spec for it in models] == [{"again": True}]
    snapshot.check(path)


def test_the_last_migration_is_the_schema_of_this_release():
    assert revisions.names()[0] == migrate.HEAD


def test_upgrade(old):
    before = revision(old)
    upgraded(old)
    assert revision(old) == migrate.HEAD
    backup = old.with_name(f"studio.db.{before}.backup")
    assert revision(backup) == before
    snapshot.check(backup)


def test_killed_at_each_statement(old, tmp_path):
    """Both outcomes are seen, and each can be gone on with."""
    before, moments = revision(old), left_behind(old, tmp_path)
    for number, path in enumerate(moments):
        finished = number == len(moments) - 1
        assert revision(path) == (migrate.HEAD if finished else before)
        if number % 10 == 0 or finished:
            upgraded(path)
    assert len(moments) > 50


def left_behind(old: Path, folder: Path) -> list[Path]:
    """The database as it was on the disk before each statement of an upgrade, and after the last:
    what there is when the process is killed then."""
    moments = []
    database = Database(f"sqlite:///{old}")

    @event.listens_for(database.writer_engine, "before_cursor_execute")
    def _keep(*_: object) -> None:
        place = folder / str(len(moments))
        place.mkdir()
        for file in old.parent.glob("studio.db*"):
            shutil.copy(file, place)
        moments.append(place / old.name)

    migrate.upgrade(database)
    _keep()
    database.close()
    return moments


def test_what_fails_is_undone(old, monkeypatch):
    def refuse(_connection: object) -> None:
        raise StudioError("The database is damaged.")

    before = revision(old)
    monkeypatch.setattr(migrate, "_check", refuse)
    database = Database(f"sqlite:///{old}")
    with pytest.raises(StudioError, match="damaged"):
        migrate.upgrade(database)
    database.close()
    assert revision(old) == before
    monkeypatch.undo()
    upgraded(old)


def test_references_to_nothing_end_an_upgrade(old):
    connection = apsw.Connection(str(old))
    connection.execute("UPDATE run SET resource_id = 'nobody'").fetchall()
    connection.close()
    database = Database(f"sqlite:///{old}")
    with pytest.raises(StudioError, match="table run refers to nothing"):
        migrate.upgrade(database)
    database.close()


def test_the_database_of_another_program_is_refused(tmp_path):
    path = tmp_path / "studio.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA application_id=7").fetchall()
    connection.execute("CREATE TABLE t (n)").fetchall()
    connection.close()
    database = Database(f"sqlite:///{path}")
    with pytest.raises(StudioError, match="another program"):
        migrate.upgrade(database)
    database.close()


def test_network_file_systems_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(migrate.disk, "kind", lambda _path: "nfs4")
    database = Database(f"sqlite:///{tmp_path / 'studio.db'}")
    with pytest.raises(StudioError, match="lies on nfs4"):
        migrate.upgrade(database)
    database.close()
