"""Lists: filters, orders, and pages that survive inserts."""

from dataclasses import replace

import pytest

from studio.db import migrate, resources
from studio.db.query import list_resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.errors import ValidationException

pytestmark = pytest.mark.usefixtures("unfollowed")

SCOPE = {"account": "0" * 12, "region": "us-east-1", "kind": "model"}


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def add(db, name, at, status="InService", kind="model"):
    row = Resource("0" * 12, "us-east-1", kind, name, f"arn:{name}", status, {}, at, at)
    db.write(lambda c: resources.insert(c, row))
    return row


def page(db, **request):
    with db.read() as connection:
        return list_resources(connection, SCOPE, request)


def listed(db, **request):
    return [row.name for row in page(db, **request).rows]


def test_order_and_filters(db):
    for number in range(5):
        add(db, f"m-{number}", 100 + number, "A" if number % 2 else "B")
    add(db, "other", 1, kind="endpoint")
    assert listed(db) == ["m-4", "m-3", "m-2", "m-1", "m-0"]
    assert listed(db, SortBy="Name", SortOrder="Ascending", MaxResults=2) == ["m-0", "m-1"]
    assert listed(db, StatusEquals="A", SortOrder="Ascending") == ["m-1", "m-3"]
    assert listed(db, NameContains="M-3") == ["m-3"]
    assert listed(db, CreationTimeAfter=103) == ["m-4", "m-3"]
    assert listed(db, CreationTimeBefore=100) == ["m-0"]
    assert listed(db, LastModifiedTimeAfter=104) == ["m-4"]
    assert listed(db, SortBy="Status", SortOrder="Ascending")[0] in ("m-1", "m-3")


def test_name_filter_is_literal(db):
    add(db, "a-b", 1)
    assert listed(db, NameContains="%") == []
    assert listed(db, NameContains="_") == []


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("sort", ["Name", "CreationTime", "Status"])
def test_pages_neither_repeat_nor_hide_rows(db, sort, order):
    for number in range(25):
        add(db, f"m-{number:02}", 100 + number // 4)
    seen, token = [], None
    while True:
        request = {"SortBy": sort, "SortOrder": order, "MaxResults": 4}
        found = page(db, **request, **({"NextToken": token} if token else {}))
        seen += [row.name for row in found.rows]
        token = found.next_token
        add(db, f"new-{len(seen)}", 1000)
        if token is None or len(seen) > 200:
            break
    old = [name for name in seen if name.startswith("m-")]
    assert sorted(old) == [f"m-{number:02}" for number in range(25)]
    assert len(seen) == len(set(seen))


def test_default_page_has_ten_rows(db):
    for number in range(11):
        add(db, f"m-{number}", number)
    assert len(page(db).rows) == 10
    assert page(db).next_token


@pytest.mark.parametrize("token", ["x", "bm8=", "W10=", "é", "W1tdLCAxXQ=="])
def test_foreign_tokens_are_refused(db, token):
    with pytest.raises(ValidationException):
        page(db, NextToken=token)


def test_token_of_another_request_is_refused(db):
    for number in range(11):
        add(db, f"m-{number}", number)
    token = page(db).next_token
    with pytest.raises(ValidationException):
        page(db, NextToken=token, NameContains="m")
    with pytest.raises(ValidationException):
        page(db, NextToken=token, SortOrder="Ascending")
    assert len(page(db, NextToken=token).rows) == 1


def test_deleted_rows_are_not_listed(db):
    row = add(db, "gone", 1)
    db.write(lambda c: resources.update(c, replace(row, deleted_at=5)))
    assert listed(db) == []
