"""Statements that are put together once do what SQLAlchemy does with them, on both databases."""

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from studio.db import migrate, resources
from studio.db.failures import Unavailable
from studio.db.prepared import Prepared
from studio.db.resources import Resource
from studio.db.session import Database
from studio.db.tables import CALL, RESOURCE

_CALL = {"mark": "m", "resource_id": "r", "at": 1}


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def test_rows_are_read_as_sqlalchemy_reads_them(db):
    odd = {"text": "ü 大 \0", "number": float("inf"), "none": None, "deep": [{"a": [1, 2.5]}]}
    made = Resource("0" * 12, "us-east-1", "model", "it", "arn:it", "S", odd, 1, 1)
    db.write(lambda connection: resources.insert(connection, made))
    query = resources.RESOURCES.where(RESOURCE.c.name == bindparam("name"))
    with db.read() as connection:
        known = [tuple(row) for row in connection.execute(query, {"name": "it"})]
        assert [tuple(it) for it in Prepared(query).all(connection, {"name": "it"})] == known
        assert resources.get(connection, made.id) == made
        assert Prepared(query).first(connection, {"name": "'; --"}) is None


def test_lists_expand(db):
    for number in range(4):
        row = {"mark": f"m{number}", "resource_id": "r", "at": number}
        db.write(lambda connection, row=row: Prepared(CALL.insert()).all(connection, row))
    marks = bindparam("marks", expanding=True)
    query = select(CALL.c.mark).where(CALL.c.at < bindparam("at"), CALL.c.mark.in_(marks)).limit(9)
    prepared = Prepared(query.order_by(CALL.c.mark))
    with db.read() as connection:
        for given, found in ((["m0", "m1", "m3"], ["m0", "m1"]), (["m2"], ["m2"]), ([], [])):
            rows = prepared.all(connection, {"at": 3, "marks": given})
            assert [row[0] for row in rows] == found


def test_what_is_undone_leaves_nothing(db):
    def half(connection):
        assert Prepared(CALL.insert()).all(connection, _CALL) == []
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        db.write(half)
    with db.read() as connection:
        assert connection.execute(select(CALL)).all() == []


def test_errors_are_those_of_sqlalchemy(db):
    twice = Prepared(CALL.insert())
    db.write(lambda connection: twice.all(connection, _CALL))
    with pytest.raises(IntegrityError):
        db.write(lambda connection: twice.all(connection, _CALL))
    with pytest.raises((DBAPIError, Unavailable)), db.read() as connection:
        twice.all(connection, {**_CALL, "mark": "another"})


def test_a_reader_sees_one_snapshot(db):
    count = Prepared(select(CALL.c.mark).where(CALL.c.at == bindparam("at")))
    with db.read() as connection:
        assert count.all(connection, {"at": 1}) == []
        db.write(lambda writer: Prepared(CALL.insert()).all(writer, _CALL))
        assert count.all(connection, {"at": 1}) == []
    with db.read() as connection:
        assert len(count.all(connection, {"at": 1})) == 1
