"""Windows of lists: any order, any offset, and counts that agree with them."""

import pytest

from studio.db import migrate, resources, windows
from studio.db.resources import Resource
from studio.db.session import Database

SCOPE = {"account": "0" * 12, "region": "us-east-1", "kind": "training-job"}
NOW = 1_000_000
TEAM = {"Key": "team", "Value": 'ä "%_\\'}


def job(name: str, number: int, status: str = "Completed", **state: int) -> Resource:
    tags = [TEAM] if number % 2 else []
    return Resource(
        *("0" * 12, "us-east-1", "training-job", name, f"arn:{name}", status, {}, number, -number),
        state=state,
        tags=tags,
    )


JOBS = [
    job("b", 1, TrainingStartTime=100, TrainingEndTime=400),
    job("A", 2, TrainingStartTime=100, TrainingEndTime=200),
    job("c%", 3, "InProgress", TrainingStartTime=NOW - 200),
    job("d", 4, "InProgress"),
    job("e", 5, "Failed"),
]


@pytest.fixture(name="db")
def db_fixture(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    for each in JOBS:
        database.write(lambda it, each=each: resources.insert(it, each))
    yield database
    database.close()


def names(db, sort="Name", descending=False, offset=0, limit=10, wanted=()) -> str:
    with db.read() as connection:
        conditions = [*windows.live(SCOPE), *wanted]
        place = (offset, limit)
        found = windows.window(connection, conditions, (sort, descending), place, NOW)
    return " ".join(each.name for each in found)


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [
        ("CreationTime", "b A c% d e"),
        ("LastModifiedTime", "e d c% A b"),
        ("Status", "b A e c% d"),
        ("Duration", "d e A c% b"),
    ],
)
def test_each_order_and_its_opposite(db, sort, ascending):
    assert names(db, sort) == ascending
    assert names(db, sort, descending=True) == " ".join(reversed(ascending.split()))


def test_a_window_lies_anywhere(db):
    assert names(db, "CreationTime", offset=1, limit=2) == "A c%"
    assert names(db, "CreationTime", offset=4, limit=2) == "e"
    assert names(db, "CreationTime", offset=9) == ""


def test_filters(db):
    assert names(db, "CreationTime", wanted=[windows.named("a")]) == "A"
    assert names(db, wanted=[windows.named("%")]) == "c%"
    assert names(db, "CreationTime", wanted=[windows.tagged(TEAM)]) == "b c% e"
    assert names(db, wanted=[windows.tagged({"Key": "team", "Value": "a"})]) == ""


def test_counts(db):
    with db.read() as connection:
        found = windows.counts(connection, windows.live(SCOPE))
        none = windows.counts(connection, windows.live({**SCOPE, "kind": "model"}))
    assert found == {"Completed": 2, "InProgress": 2, "Failed": 1}
    assert none == {}


def test_what_is_deleted_or_ends_is_seen_at_once(db):
    with db.read() as connection:
        [waiting] = [
            it for it in resources.of_kind(connection, "training-job") if it.name in ("d",)
        ]
    done = {"TrainingStartTime": 0, "TrainingEndTime": 10**9}
    db.write(lambda it: resources.update(it, _with(waiting, done)))
    assert names(db, "Duration", descending=True).startswith("d ")


def _with(resource: Resource, state: dict) -> Resource:
    return Resource(**{**vars(resource), "state": state})
