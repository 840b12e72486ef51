"""The metric store: nothing lost, nothing twice, few chunks, old values folded and dropped."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from studio.db import migrate, positions
from studio.db.session import Database
from studio.db.tables import METRIC_CHUNK, METRIC_SERIES
from studio.metrics import statistics, store
from studio.metrics.rows import LARGEST, Row, fold, narrow, pack, row, unpack
from studio.metrics.store import DAY, HOUR, MINUTE, SECOND, Batch, Metric, Reading

NOW = 1_800_000_000_000
LOSS = Metric("0" * 12, "us-east-1", "team", "loss", (("Job", "a"),))

VALUES = st.floats(-LARGEST, LARGEST, allow_nan=False).filter(lambda it: abs(it) > 1e-300)
COUNTS = st.integers(1, 1000)


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def add(db, *rows, metric=LOSS, unit="None", period=SECOND):
    batch = Batch(metric, unit, tuple(rows), period)
    db.write(lambda connection: store.append(connection, [batch]))


def rows_of(db, start=0, end=2 * NOW, metric=LOSS):
    with db.read() as connection:
        found = store.read(connection, metric, start, end)
    return sorted(each for rows in found.values() for each in rows)


def chunks(db) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(METRIC_CHUNK)).scalar_one()


def retained(db, now):
    while db.write(lambda connection: store.retain(connection, now)):
        pass


@given(st.lists(st.tuples(st.integers(0, 10**13), VALUES, COUNTS), min_size=1, max_size=40))
def test_rows_survive_packing_bit_by_bit(given_rows):
    rows = [row(*each) for each in given_rows]
    assert unpack(pack(rows), len(rows)) == rows


@given(st.lists(st.tuples(st.integers(0, 5000), VALUES, COUNTS), min_size=1, max_size=60))
def test_a_fold_keeps_count_sum_and_extremes(given_rows):
    rows = [row(*each) for each in given_rows]
    folded = fold(rows, SECOND)
    assert all(each.at % SECOND == 0 for each in folded)
    for second, mine in statistics.periods(rows, 0, SECOND).items():
        theirs = statistics.periods(folded, 0, SECOND)[second]
        for name in ("SampleCount", "Minimum", "Maximum"):
            assert statistics.value(name, theirs) == statistics.value(name, mine)
        size = sum(abs(each.total) for each in mine)
        off = statistics.value("Sum", theirs) - statistics.value("Sum", mine)
        assert abs(off) <= 1e-9 * size


def test_percentiles_of_folded_values_are_right_within_a_hundredth():
    draw = random.Random(5)
    values = sorted(draw.lognormvariate(7, 1.5) for _ in range(20_000))
    folded = fold((row(0, value) for value in values), SECOND)
    assert len(folded) < 1_500
    for share in (1, 25, 50, 90, 99, 99.9):
        exact = values[math.ceil(share / 100 * len(values)) - 1]
        found = statistics.value(f"p{share}", folded)
        assert found == pytest.approx(exact, rel=0.0101)
    assert statistics.value("p100", folded) == pytest.approx(values[-1], rel=0.0101)


def test_a_set_of_unlike_values_has_no_percentile():
    wide = Row(0, 10, 50, 1, 9)
    assert not narrow(wide)
    assert statistics.value("p50", [wide, row(0, 5)]) is None
    assert statistics.value("Average", [wide, row(0, 5)]) == 5.0


def test_sets_of_unlike_values_fold_into_one():
    sets = [Row(5, 10, 1.3**number * 20, 1, 1.3**number * 5) for number in range(40)]
    [folded] = fold(sets, SECOND)
    assert folded == Row(0, 400, sum(each.total for each in sets), 1, sets[-1].high)


def test_values_one_by_one_make_few_chunks_and_all_are_found(db):
    for number in range(300):
        add(db, row(NOW + number * SECOND, 1.5 * number))
    assert chunks(db) <= 10
    found = rows_of(db)
    assert [each.total for each in found] == [1.5 * number for number in range(300)]
    middle = rows_of(db, NOW + 100 * SECOND, NOW + 200 * SECOND)
    assert [each.at for each in middle] == [NOW + n * SECOND for n in range(100, 200)]


def test_values_out_of_order_are_found_in_order(db):
    order = list(range(200))
    random.Random(1).shuffle(order)
    for number in order:
        add(db, row(NOW + number * SECOND, number + 0.5))
    assert [each.total for each in rows_of(db)] == [number + 0.5 for number in range(200)]


def test_a_large_batch_is_cut_into_chunks(db):
    add(db, *(row(NOW + number * SECOND, number) for number in range(10_000)))
    assert chunks(db) == 5
    assert len(rows_of(db)) == 10_000


def test_units_are_kept_apart(db):
    add(db, row(NOW, 1), unit="Seconds")
    add(db, row(NOW, 1000), unit="Milliseconds")
    with db.read() as connection:
        found = store.read(connection, LOSS, 0, 2 * NOW)
    assert {unit: [each.total for each in rows] for unit, rows in found.items()} == {
        "Seconds": [1],
        "Milliseconds": [1000],
    }


def test_a_source_is_taken_once(db):
    reading = Reading("run/1", 7, (Batch(LOSS, "None", (row(NOW, 2.0),)),))
    taken = [db.write(lambda connection: store.take(connection, reading)) for _ in range(3)]
    assert taken == [True, False, False]
    assert [each.total for each in rows_of(db)] == [2.0]
    with db.read() as connection:
        assert positions.position(connection, "run/1") == 7


def test_a_failed_transaction_leaves_neither_rows_nor_position(db):
    reading = Reading("run/1", 7, (Batch(LOSS, "None", (row(NOW, 2.0),)),))

    def fails(connection):
        store.take(connection, reading)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        db.write(fails)
    assert rows_of(db) == []
    with db.read() as connection:
        assert positions.position(connection, "run/1") == -1


def test_listing_pages_in_order_and_forgets_after_two_weeks(db):
    names = [f"metric-{number:04}" for number in range(1_200)]
    metrics = [Metric("0" * 12, "us-east-1", "team", name) for name in names]
    batches = [Batch(each, "None", (row(NOW, 1),)) for each in metrics]
    db.write(lambda connection: store.append(connection, batches))
    add(db, row(NOW - 15 * DAY, 1))
    every = Metric("0" * 12, "us-east-1", "", "")
    with db.read() as connection:
        found = list(store.listing(connection, every, NOW - store.LISTED, ""))
        assert [each.name for each in found] == names
        rest = store.listing(connection, every, NOW - store.LISTED, found[599].key)
        assert [each.name for each in rest] == names[600:]


def test_old_values_are_folded_then_dropped(db):
    add(db, *(row(NOW + number * SECOND, 1.0) for number in range(7_200)))
    steps = [
        (2 * HOUR, SECOND),
        (6 * HOUR, MINUTE),
        (16 * DAY, 5 * MINUTE),
        (64 * DAY, HOUR),
    ]
    for age, period in steps:
        retained(db, NOW + age)
        found = rows_of(db)
        assert len({each.at for each in found}) == 7_200 * SECOND // period, age
        assert sum(each.weight for each in found) == 7_200
        assert all(each.at % period == 0 for each in found)
    retained(db, NOW + 456 * DAY)
    assert rows_of(db) == []
    with db.read() as connection:
        assert connection.execute(select(METRIC_SERIES)).all() == []


def test_what_is_acknowledged_survives_another_process(db):
    add(db, row(NOW, 4.0))
    other = Database(db.url)
    try:
        assert [each.total for each in rows_of(other)] == [4.0]
    finally:
        other.close()
