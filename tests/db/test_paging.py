"""Pages while others create, delete and change: what stays is seen once, and in order."""

import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from studio.db import migrate, query, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.errors import ValidationException

PLACES = st.integers(0, 6)
# A busy machine must fail no test.
PATIENT = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class Paging(RuleBasedStateMachine):
    """One list is read page by page, to its end and again, while rows come and go."""

    db: Database

    def __init__(self):
        super().__init__()
        # Of a kind of its own, so that no example sees the rows of another.
        self.scope = {"account": "0" * 12, "region": "us-east-1", "kind": uuid.uuid4().hex}
        self.rows = {}
        self.token, self.seen, self.stable = None, [], set()

    @initialize(
        sort=st.sampled_from(["Name", "CreationTime", "Status", "LastModifiedTime"]),
        order=st.sampled_from(["Ascending", "Descending"]),
        size=st.integers(1, 4),
    )
    def begin(self, sort, order, size):
        self.request = {"SortBy": sort, "SortOrder": order, "MaxResults": size}

    @rule(at=PLACES, name=st.integers(0, 99), status=st.sampled_from("AB"))
    def create(self, at, name, status):
        values = {"name": f"m-{name}", "arn": "", "status": status, "spec": {}}
        row = Resource(**self.scope, **values, created_at=at, modified_at=at)
        if row.name not in self.rows:
            self.db.write(lambda c: resources.insert(c, row))
            self.rows[row.name] = row

    @rule(data=st.data())
    def delete(self, data):
        if self.rows:
            row = self.rows.pop(data.draw(st.sampled_from(sorted(self.rows))))
            self.db.write(lambda c: resources.update(c, replace(row, deleted_at=1)))
            self.stable.discard(row.id)

    @rule()
    def read(self):
        if self.token is None:
            self.seen, self.stable = [], {row.id for row in self.rows.values()}
        more = {"NextToken": self.token} if self.token else {}
        with self.db.read() as connection:
            page = query.list_resources(connection, self.scope, self.request | more)
        self.seen += page.rows
        self.token = page.next_token
        ids = [row.id for row in self.seen]
        assert len(ids) == len(set(ids))
        keys = [query.position(row, self.request["SortBy"]) for row in self.seen]
        assert keys == sorted(keys, reverse=self.request["SortOrder"] == "Descending")
        if self.token is None:
            assert self.stable <= set(ids)


@pytest.mark.hypothesis
def test_what_stays_is_seen_once_and_in_order(database_url):
    Paging.db = Database(database_url)
    migrate.upgrade(Paging.db)
    try:
        run_state_machine_as_test(Paging, settings=PATIENT)
    finally:
        Paging.db.close()


@pytest.mark.parametrize(
    "position",
    [[], [1], ["a", "b"], [2**70, "a"], [True, "a"], [{}, "a"], [1, "\ud800"], [1.5, "a"]],
)
def test_positions_that_nobody_issued_are_refused(position):
    kinds = query.kinds("CreationTime")
    with pytest.raises(ValidationException):
        query.opened(query.sealed(position, 7), 7, kinds)
    assert query.opened(query.sealed([1, "a"], 7), 7, kinds) == [1, "a"]
