"""Answers and what is fed back of them meet once, whichever comes first and however often."""

import random

import pytest

from studio.db import migrate, resources
from studio.db.resources import Resource
from studio.db.session import Database
from studio.experiments import arms
from studio.experiments.arms import Answered, Feedback, Tally

WINDOW = 1_000


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def test(db) -> str:
    it = Resource("0" * 12, "us-east-1", "variant-test", "t", "arn", "Running", {}, 1, 1)
    db.write(lambda connection: resources.insert(connection, it))
    db.write(lambda connection: arms.begin(connection, it.id, ("blue", "green"), WINDOW))
    return it.id


def answer(db, test, variant, ids, at=0, **counts):
    noted = Answered(test, variant, at, Tally(requests=len(ids), **counts), tuple(ids))
    db.write(lambda connection: arms.answered(connection, noted))


def say(db, test, *entries, at=0):
    said = [Feedback(name, value, at) for name, value in entries]
    return db.write(lambda connection: arms.fed_back(connection, test, said, at))


def tally(db, test, variant) -> Tally:
    with db.read() as connection:
        return arms.tallies(connection, test)[variant]


def kept(db, test) -> int:
    with db.read() as connection:
        rows = arms.TEST_ANSWER.select().where(arms.TEST_ANSWER.c.test_id == test)
        return len(connection.execute(rows).all())


def test_each_answer_has_one_value_whatever_the_order(db, test):
    rng = random.Random(7)
    values = {f"id-{number}": float(rng.random() < 0.3) for number in range(300)}
    variants = {name: rng.choice(("blue", "green")) for name in values}
    steps = [("answer", name) for name in values] + [("say", name) for name in values] * 2
    rng.shuffle(steps)
    accepted = 0
    for start in range(0, len(steps), 30):
        batch = steps[start : start + 30]
        for variant in ("blue", "green"):
            mine = [name for it, name in batch if it == "answer" and variants[name] == variant]
            answer(db, test, variant, mine)
        said = [(name, values[name]) for it, name in batch if it == "say"]
        accepted += say(db, test, *said)
    assert accepted == 300
    for variant in ("blue", "green"):
        mine = [values[name] for name in values if variants[name] == variant]
        found = tally(db, test, variant)
        assert (found.requests, found.feedbacks) == (len(mine), len(mine))
        assert found.value_sum == found.value_squares == sum(mine)


def test_the_first_word_counts_and_the_first_answer(db, test):
    answer(db, test, "blue", ["a"])
    answer(db, test, "green", ["a"])
    assert say(db, test, ("a", 1.0), ("a", 5.0)) == 1
    assert say(db, test, ("a", 7.0)) == 0
    assert tally(db, test, "blue").value_sum == 1.0
    assert tally(db, test, "green").feedbacks == 0


def test_what_comes_after_the_window_is_late(db, test):
    answer(db, test, "blue", ["a", "b"], at=100)
    say(db, test, ("a", 1.0), at=100 + WINDOW)
    say(db, test, ("b", 1.0), at=101 + WINDOW)
    say(db, test, ("c", 1.0), at=102 + WINDOW)
    answer(db, test, "blue", ["c"], at=101)  # the router told of it later
    found = tally(db, test, "blue")
    assert (found.feedbacks, found.late, found.value_sum) == (1, 2, 1.0)


def test_of_a_test_that_is_over_nothing_is_taken_and_its_answers_go(db, test):
    answer(db, test, "blue", ["a"], errors=1, log_sum=2.0, log_squares=4.0)
    db.write(lambda connection: arms.end(connection, test))
    answer(db, test, "blue", ["b"])
    assert say(db, test, ("a", 1.0)) is None
    assert tally(db, test, "blue") == Tally(requests=1, errors=1, log_sum=2.0, log_squares=4.0)
    while db.write(lambda connection: arms.retain(connection, 0)):
        pass
    assert kept(db, test) == 0


def test_answers_go_once_no_feedback_counts_any_more(db, test):
    answer(db, test, "blue", ["old"], at=0)
    answer(db, test, "blue", ["young"], at=500)
    db.write(lambda connection: arms.retain(connection, 400 + WINDOW))
    assert kept(db, test) == 1
    say(db, test, ("young", 1.0), at=600)
    assert tally(db, test, "blue").feedbacks == 1
