"""Notes of changes: told after the commit, in order, and never of what was undone."""

import threading

import pytest
from sqlalchemy.exc import IntegrityError

from studio.db import changes, migrate, resources
from studio.db.resources import Resource, Stored
from studio.db.session import Database

pytestmark = pytest.mark.usefixtures("unfollowed")


@pytest.fixture(name="db")
def db_fixture(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def model(name: str) -> Resource:
    return Resource("0" * 12, "us-east-1", "model", name, f"arn:{name}", "", {}, 1, 1)


def stored(db: Database) -> set[str]:
    with db.read() as connection:
        return {each.name for each in resources.of_kind(connection, "model")}


def test_what_is_told_is_stored(db):
    told: list[tuple[str, bool]] = []

    def changed(noted: list[object]) -> None:
        for each in noted:
            assert isinstance(each, Stored)
            told.append((each.resource.name, each.resource.name in stored(db)))

    db.watch(changed)
    for name in "abc":
        db.write(lambda it, name=name: resources.insert(it, model(name)))
    assert told == [("a", True), ("b", True), ("c", True)]


def test_who_is_undone_takes_the_notes_along(db):
    told: list[object] = []
    db.watch(told.extend)
    hold = threading.Event()
    # All behind the first, and therefore in one transaction.
    waiting = [db.submit(lambda _: hold.wait(60))]
    waiting += [db.submit(lambda it: resources.insert(it, model("a"))) for _ in range(2)]
    waiting.append(db.submit(_noted_and_undone))
    waiting.append(db.submit(lambda it: changes.note(it, "last")))
    hold.set()
    with pytest.raises(IntegrityError):
        waiting[2].result()
    with pytest.raises(ZeroDivisionError):
        waiting[3].result()
    waiting[4].result()
    assert [each if isinstance(each, str) else each.resource.name for each in told] == ["a", "last"]


def test_a_change_that_came_too_late_is_none(db):
    told: list[object] = []
    db.write(lambda it: resources.insert(it, model("a")))
    db.watch(told.extend)
    with db.read() as connection:
        [read] = resources.of_kind(connection, "model")
    first = db.write(lambda it: resources.update(it, read))
    assert db.write(lambda it: resources.update(it, read)) is None
    assert told == [Stored(first, fresh=False)]


def _noted_and_undone(connection) -> None:
    changes.note(connection, "never")
    raise ZeroDivisionError
