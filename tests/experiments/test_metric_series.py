"""Series of metrics: nothing lost, nothing twice, every bit kept, no spike ever hidden."""

import math
import uuid
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from studio.db import migrate, resources
from studio.db.experiment_tables import ARRIVAL, CHUNK, SUMMARY
from studio.db.resources import Resource
from studio.db.session import Database
from studio.experiments import components, fields, series
from studio.experiments.fields import Field, value_id
from studio.experiments.series import NO_STEP, Batch, Points, arrivals, chunks, points, reading
from studio.experiments.series.drawing import View
from studio.experiments.series.packing import Unpacking, pack_floats, pack_integers
from studio.experiments.series.points import ordered

ACCOUNT, REGION = "0" * 12, "us-east-1"
NOW = 1_800_000_000_000

FLOATS = st.floats(width=64, allow_nan=True, allow_infinity=True)
STEPS = st.none() | st.integers(-(2**62), 2**62) | st.integers(0, 5)
ROWS = st.tuples(STEPS, st.integers(0, 2**45), FLOATS)


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def made(db, name: str) -> int:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{components.KIND}/{name}"
    row = Resource(ACCOUNT, REGION, components.KIND, name, arn, "", {}, NOW, NOW)

    def insert(connection):
        resources.insert(connection, row)
        return components.number(connection, row.id)

    return db.write(insert)


def deleted(db, name: str):
    def delete(connection):
        row = resources.find(connection, ACCOUNT, REGION, components.KIND, name)
        resources.update(connection, Resource(**{**vars(row), "deleted_at": NOW}))

    db.write(delete)


def put(db, component: int, **metrics):
    batches = [
        Batch(name, it if isinstance(it, Points) else points(it)) for name, it in metrics.items()
    ]
    return db.write(partial(series.arrive, component=component, batches=batches))


def settle(db):
    while db.write(series.settle):
        pass


def series_id(db, component: int, name: str) -> int:
    field = Field(ACCOUNT, REGION, "metric", name)
    with db.read() as connection:
        return value_id(fields.find(connection, [field])[field], component)


def rows_of(db, component: int, name: str) -> list[tuple]:
    """(step, time, bits of the value), as they are ordered."""
    wanted = series_id(db, component, name)
    with db.read() as connection:
        found = reading.read(connection, [wanted])[wanted]
    bits = found.values.view(np.uint64).tolist()
    return list(zip(found.steps.tolist(), found.times.tolist(), bits, strict=True))


def expected(rows) -> list[tuple]:
    whole = points(rows)
    order = sorted(range(len(rows)), key=lambda at: (whole.steps[at], whole.times[at]))
    bits = whole.values.view(np.uint64)
    return [(int(whole.steps[at]), int(whole.times[at]), int(bits[at])) for at in order]


def line(db, component: int, name: str, axis="Step", start=None, end=None, most=1000):
    wanted = series_id(db, component, name)
    with db.read() as connection:
        return reading.lines(connection, {wanted: float(NOW)}, View(axis, start, end, most))[wanted]


def count(db, table) -> int:
    with db.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=300))
def test_integers_survive_packing(numbers):
    column = np.array(numbers, np.int64)
    assert Unpacking(pack_integers(column), len(column)).integers().tolist() == numbers


@given(st.lists(FLOATS, min_size=1, max_size=300))
def test_floats_survive_packing_bit_by_bit(numbers):
    column = np.array(numbers, np.float64)
    found = Unpacking(pack_floats(column), len(column)).floats()
    assert found.view(np.uint64).tolist() == column.view(np.uint64).tolist()


def test_a_column_of_every_kind_of_plane_survives():
    noise = np.random.default_rng(1)
    column = noise.random(20_000)
    column[::7] = math.nan
    for part in (column, np.round(column, 2), np.float32(column).astype(np.float64)):
        columns = Unpacking(3 * pack_floats(part), len(part))
        assert columns.floats().tobytes() == part.tobytes()
        columns.skip(1)
        assert columns.floats().tobytes() == part.tobytes()


@pytest.mark.parametrize("count", [1, 16, 17, 500])
def test_what_is_skipped_is_as_long_as_it_is(count):
    first, second = np.arange(count) * 2**40, np.arange(count) // 3
    columns = Unpacking(2 * pack_integers(first) + pack_integers(second), count)
    columns.skip(2)
    assert columns.integers().tolist() == second.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(st.lists(ROWS, min_size=1, max_size=40), min_size=1, max_size=6))
def test_every_point_is_kept_whatever_it_is_and_whenever_it_comes(db, requests):
    component = made(db, uuid.uuid4().hex)
    for number, rows in enumerate(requests):
        put(db, component, loss=rows)
        if number % 2:
            settle(db)
    settle(db)
    together = [row for rows in requests for row in rows]
    assert rows_of(db, component, "loss") == expected(together)
    with db.read() as connection:
        summary = series.summaries(connection, component)["loss"]
    values = [value for _, _, value in together]
    finite = [value for value in values if math.isfinite(value)]
    assert summary.count == len(values)
    last = expected(together)[-1]
    assert np.float64(summary.last).view(np.uint64) == last[2] or math.isnan(summary.last)
    assert math.isnan(summary.last) == math.isnan(np.uint64(last[2]).view(np.float64))
    last_step = None if last[0] == NO_STEP else last[0]
    assert (summary.last_step, summary.last_at) == (last_step, last[1])
    assert bool(summary.spread) == bool(finite)
    if summary.spread:
        assert (summary.spread.low, summary.spread.high) == (min(finite), max(finite))
        assert summary.spread.finite == len(finite)
        assert min(finite) <= summary.spread.mean <= max(finite)


def test_the_summary_of_many_requests_is_that_of_all_points(db):
    component, noise = made(db, "a"), np.random.default_rng(2)
    values = noise.normal(5.0, 2.0, 5_000)
    for first in range(0, 5_000, 500):
        part = values[first : first + 500]
        put(db, component, m=[(first + at, NOW, it) for at, it in enumerate(part)])
        settle(db)
    with db.read() as connection:
        summary = series.summaries(connection, component)["m"]
    assert summary.spread.mean == pytest.approx(values.mean(), rel=1e-12)
    assert summary.spread.deviation == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert summary.spread.low_step == int(values.argmin())
    assert summary.spread.high_step == int(values.argmax())
    assert summary.last == values[-1]


def test_great_values_have_a_mean(db):
    component = made(db, "a")
    put(db, component, m=[(0, NOW, 1e308), (1, NOW, 1e308), (2, NOW, 1.5e308)])
    settle(db)
    put(db, component, m=[(3, NOW, -1e308)])
    settle(db)
    with db.read() as connection:
        spread = series.summaries(connection, component)["m"].spread
    assert spread.mean == pytest.approx(0.625e308)
    assert (spread.low, spread.high) == (-1e308, 1.5e308)


def test_the_last_is_of_the_highest_step_then_the_latest_then_what_came_last(db):
    component = made(db, "a")
    put(db, component, m=[(7, NOW + 5, 1.0), (3, NOW + 9, 2.0), (None, NOW + 99, 3.0)])
    settle(db)
    put(db, component, m=[(7, NOW + 5, 4.0), (7, NOW, 5.0), (6, NOW + 100, 6.0)])
    settle(db)
    with db.read() as connection:
        summary = series.summaries(connection, component)["m"]
    assert (summary.last, summary.last_step, summary.last_at) == (4.0, 7, NOW + 5)


def test_points_one_by_one_lie_in_few_chunks(db):
    component = made(db, "a")
    for step in range(100):
        put(db, component, m=[(step, NOW + step, float(step))])
        settle(db)
    assert count(db, CHUNK) <= 10
    assert count(db, ARRIVAL) == 0
    assert [it[0] for it in rows_of(db, component, "m")] == list(range(100))


def test_a_source_is_heard_once_for_each_position(db):
    component = made(db, "a")
    batch = [Batch("m", points([(0, NOW, 1.0)]))]

    def arrive(position):
        return db.write(
            lambda it: series.arrive(it, component, batch, source="s", position=position)
        )

    assert [arrive(1), arrive(1), arrive(0), arrive(2)] == [True, False, False, True]
    settle(db)
    assert len(rows_of(db, component, "m")) == 2


def test_what_waits_for_a_component_is_settled_before_others_and_whoever_reads_sees_it(db):
    busy, mine = made(db, "busy"), made(db, "mine")
    for _ in range(3):
        put(db, busy, m=[(0, NOW, 1.0)])
    put(db, mine, m=[(0, NOW, 2.0)])
    series.settled(db, [mine])
    assert count(db, ARRIVAL) == 3
    assert len(rows_of(db, mine, "m")) == 1


def test_a_deleted_component_leaves_nothing_and_takes_nothing_along(db):
    gone, stays = made(db, "gone"), made(db, "stays")
    for component in (gone, stays):
        put(db, component, a=[(0, NOW, 1.0)], b=[(0, NOW, 1.0)])
    settle(db)
    put(db, gone, a=[(1, NOW, 1.0)])
    deleted(db, "gone")
    put(db, gone, a=[(2, NOW, 1.0)])  # was on its way
    settle(db)
    assert (count(db, ARRIVAL), count(db, SUMMARY), count(db, CHUNK)) == (0, 2, 2)
    assert len(rows_of(db, stays, "a")) == 1


def test_very_many_names(db):
    component = made(db, "a")
    names = [f"metric/{'ä<b>' if at % 2 else ''}{at}" for at in range(5_000)]
    one = points([(0, NOW, 1.5)])
    batches = [Batch(name, one) for name in names]
    db.write(partial(series.arrive, component=component, batches=batches))
    assert count(db, ARRIVAL) == 5  # so that no transaction takes long
    settle(db)
    with db.read() as connection:
        found = series.summaries(connection, component)
    assert set(found) == set(names)


def test_names_of_any_length_and_letters(db):
    component = made(db, "a")
    names = ["x" * 10_000, "<script>", "日本", "a\0b", " ", "%s'\""]
    put(db, component, **{name: [(0, NOW, 1.0)] for name in names})
    settle(db)
    with db.read() as connection:
        found = set(series.summaries(connection, component))
    assert found == {fields.text(name) for name in names}


def long(db, size=200_000, spikes=(0, 77_777, 199_999)) -> tuple[int, np.ndarray]:
    component, noise = made(db, "long"), np.random.default_rng(3)
    values = noise.random(size)
    values[list(spikes)] = [50.0, -40.0, 60.0]
    steps = np.arange(size)
    for first in range(0, size, 20_000):
        part = slice(first, first + 20_000)
        put(db, component, m=Points(steps[part], NOW + steps[part] * 10, values[part]))
        settle(db)
    return component, values


def test_no_spike_is_lost_at_any_zoom(db):
    component, values = long(db)
    whole = line(db, component, "m", most=100)
    assert (whole.total, whole.complete, len(whole.x)) == (200_000, False, 100)
    assert (whole.high.max(), whole.low.min()) == (60.0, -40.0)
    assert whole.high[0] == 50.0
    assert whole.mean.mean() == pytest.approx(values.mean(), rel=1e-3)
    some = line(db, component, "m", start=70_000, end=80_000, most=500)
    assert some.low.min() == -40.0
    assert 10_001 <= some.total <= 10_001 + 64
    assert len(some.x) == 500
    few = line(db, component, "m", start=77_770, end=77_780, most=500)
    assert few.complete
    assert few.x.tolist() == list(range(77_770, 77_781))
    assert few.mean.tolist() == values[77_770:77_781].tolist()
    times = line(db, component, "m", "Time", NOW + 777_700, NOW + 777_800, most=500)
    assert times.mean.tolist() == few.mean.tolist()
    since = line(db, component, "m", "RelativeTime", 777_700, 777_800, most=500)
    assert since.x.tolist() == [step * 10.0 for step in range(77_770, 77_781)]


def test_envelopes_say_what_points_say(db):
    component, values = long(db)
    wanted = series_id(db, component, "m")
    with db.read() as connection:
        found = reading.read(connection, [wanted])[wanted]
    assert found.values.tolist() == values.tolist()
    thinned = line(db, component, "m", most=50)  # of envelopes: 50 * 32 points are far fewer
    edges = np.searchsorted(np.arange(200_000), thinned.x)
    assert (np.diff(edges) > 0).all()
    for low, high, mean in zip(thinned.low, thinned.high, thinned.mean, strict=True):
        assert low <= mean <= high


def test_steps_that_run_backwards_are_drawn_in_order(db):
    component = made(db, "a")
    size = chunks.ENVELOPED * 3
    for first in reversed(range(0, size * 2, size)):
        rows = Points(
            np.arange(first, first + size), np.full(size, NOW), np.full(size, float(first))
        )
        put(db, component, m=rows)
        settle(db)
    drawn = line(db, component, "m", most=10)
    assert drawn.x.tolist() == sorted(drawn.x.tolist())
    assert drawn.mean[0] == 0.0
    assert drawn.mean[-1] == float(size)


def test_values_without_steps_are_numbered(db):
    component = made(db, "a")
    for first in range(3):
        put(db, component, m=[(None, NOW + first * 10 + at, float(at)) for at in range(4)])
        settle(db)
    assert line(db, component, "m").x.tolist() == list(range(12))
    put(db, component, m=[(5, NOW + 100, 9.0)])
    settle(db)
    assert line(db, component, "m").x.tolist() == [5.0]
    assert line(db, component, "m", "Time").total == 13


def test_what_is_not_finite_is_told_when_it_is_alone_and_hides_nothing_when_it_is_not(db):
    component = made(db, "a")
    values = np.full(10_000, 2.0)
    values[::2] = math.nan
    values[1] = math.inf
    put(db, component, m=Points(np.arange(10_000), np.full(10_000, NOW), values))
    settle(db)
    few = line(db, component, "m", end=2)
    assert few.complete
    assert np.isnan(few.mean[[0, 2]]).all()
    assert few.mean[1] == math.inf
    for most in (10, 1_000):  # of envelopes, of points
        assert line(db, component, "m", most=most).high.tolist() == [2.0] * most
    values[4_900:6_100] = math.nan
    put(db, component, gap=Points(np.arange(10_000), np.full(10_000, NOW), values))
    settle(db)
    for most, gap in ((10, range(5, 6)), (1_000, range(490, 610))):
        drawn = line(db, component, "gap", most=most)
        assert np.flatnonzero(np.isnan(drawn.mean)).tolist() == list(gap)


def test_series_are_drawn_together_as_each_is_alone(db):
    chance, ids, zeros = np.random.default_rng(2), [], []
    for number, size in enumerate((9_000, 30, 40_000, 5_000, 20_000)):
        component = made(db, f"c{number}")
        steps, values = np.arange(size), chance.normal(size=size).cumsum()
        put(db, component, m=Points(steps, NOW + number * 500 + steps * 10, values))
        settle(db)
        ids.append(series_id(db, component, "m"))
        zeros.append(float(NOW + number * 500))
    for view in (
        View("Step", None, None, 100),
        View("Step", 4_000, 30_000, 100),
        View("RelativeTime", None, 60_000, 150),
    ):
        with db.read() as connection:
            together = reading.lines(connection, dict(zip(ids, zeros, strict=True)), view)
            alone = {
                number: reading.lines(connection, {number: zero}, view)[number]
                for number, zero in zip(ids, zeros, strict=True)
            }
        assert together.keys() == alone.keys()
        for number, one in alone.items():
            same = together[number]
            assert (same.total, same.complete) == (one.total, one.complete)
            for name in ("x", "low", "mean", "high"):
                assert getattr(same, name).tolist() == getattr(one, name).tolist()


def test_one_metric_over_another(db):
    component = made(db, "a")
    put(db, component, x=[(at, NOW, at * 100.0) for at in range(10)])
    put(db, component, y=[(at, NOW + 5, -float(at)) for at in range(0, 20, 2)])
    settle(db)
    y, x = series_id(db, component, "y"), series_id(db, component, "x")
    with db.read() as connection:
        found = reading.lines_over(connection, {y: x}, View("Step", 100, None, 100))[y]
    assert found.x.tolist() == [200.0, 400.0, 600.0, 800.0]
    assert found.mean.tolist() == [-2.0, -4.0, -6.0, -8.0]


def test_a_settler_settles_what_an_earlier_process_left(db):
    component = made(db, "a")
    put(db, component, m=[(0, NOW, 1.0)])
    settler = series.Settler(db)
    try:
        with db.read() as connection:
            waiting = arrivals.waiting(connection, [component])
        while waiting:
            with db.read() as connection:
                waiting = arrivals.waiting(connection, [component])
        assert len(rows_of(db, component, "m")) == 1
    finally:
        settler.close()


def test_ordered_keeps_the_order_of_what_is_alike():
    found = ordered(points([(1, 5, 1.0), (1, 5, 2.0), (0, 9, 3.0), (1, 4, 4.0)]))
    assert found.values.tolist() == [3.0, 4.0, 1.0, 2.0]
