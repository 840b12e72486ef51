"""Queries select what they say, on both databases: compared with a plain interpreter."""

import math
import random
from collections import Counter
from collections.abc import Iterator

import postgresql
import pytest
from component_store import EVERYBODY, NOW, Component, Metric, store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_reference import holds, value

from studio.db import migrate
from studio.db.experiment_tables import COMPONENT
from studio.db.session import Database
from studio.experiments.query import catalog, columns, parser, windows
from studio.experiments.query.warnings import warnings

_TEXTS = ["", "adam", "Adam", "sgd", "3", "é€", 'a"b', "%_", "<b>"]
_NUMBERS = [0.0, 1.0, -1.0, 2.0, 3.0, 0.5, -2.5, 7.0, 1e308, -1e308, 1e-308, 1e17, 0.1]
_PARAMETERS, _METRICS, _TAGS = ["depth", "opt", "a b"], ["auc", "val/loss"], ["team"]


def _made(chance: random.Random, number: int) -> Component:
    def some(texts: list[str], of: list[object]) -> dict[str, object]:
        return {name: chance.choice(of) for name in texts if chance.random() < 0.7}

    started = chance.choice([None, NOW - chance.randrange(10) * 1_000])
    return Component(
        f"{chance.choice(['xgb', 'XGB', 'linear'])}-{number}",
        some(_PARAMETERS, [*_TEXTS, *_NUMBERS]),
        {name: _metric(chance) for name in _METRICS if chance.random() < 0.8},
        some(_TAGS, _TEXTS),
        tuple(chance.sample(["t1", "t2", "t3"], chance.randrange(3))),
        chance.choice(["Completed", "Failed", "InProgress"]),
        NOW - chance.randrange(5) * 86_400_000,
        started,
        started and chance.choice([None, started + 500]),
        chance.random() < 0.5,
        chance.choice(["", "kept"]),
    )


def _metric(chance: random.Random) -> Metric:
    values = [chance.choice(_NUMBERS) for _ in range(chance.randrange(4))]
    last = chance.choice([*values, math.nan, math.inf, -math.inf])
    if not values:
        return Metric(last, finite=0, count=1)
    mean = sum(values) / len(values)
    squares = chance.choice([0.0, 2.0, 1e300])
    steps = (9, chance.randrange(9), None)
    return Metric(last, min(values), max(values), mean, squares, 5, len(values), *steps)


COMPONENTS = [_made(random.Random(number), number) for number in range(40)]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    migrate.upgrade(opened)
    opened.write(lambda connection: store(connection, COMPONENTS))
    yield opened
    opened.close()


_FIELDS = ["param.depth", "param.opt", 'param["a b"]', "metric.auc", 'metric["val/loss"]']
_FIELDS += ["tag.team", "param.never", "metric.never", "status", "name", "duration"]
_NUMERIC = [*_FIELDS[:5], "metric.auc.min", "metric.auc.std", "metric.auc.max_step", "duration"]
_NUMERIC += ["metric.auc.count", "created_at"]
_TEXTUAL = ["param.depth", "param.opt", "tag.team", "status", "name", "note"]

_quoted = st.sampled_from(_TEXTS).map(lambda text: "'" + text + "'")
_members = st.sampled_from(["trial", "experiment"])
_numbers = st.one_of(
    st.sampled_from(_NUMBERS).map(lambda it: f"({it!r})"),
    st.integers(-9, 9).map(str),
    st.sampled_from(_NUMERIC),
)


def _reckoned(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "**"])
    functions = st.sampled_from(["abs", "floor", "ceil", "sqrt", "-"])
    two = st.sampled_from(["min", "max"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda it: f"({it[0]} {it[1]} {it[2]})"),
        st.tuples(functions, inner).map(lambda it: f"{it[0]}({it[1]})"),
        st.tuples(two, inner, inner).map(lambda it: f"{it[0]}({it[1]}, {it[2]})"),
    )


_values = st.recursive(_numbers, _reckoned, max_leaves=4)
_compared = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_tests = st.sampled_from(["contains", "startswith", "endswith", "matches"])
_simple = st.one_of(
    st.tuples(_values, _compared, _values).map(" ".join),
    st.tuples(_values, _compared, _values, _compared, _values).map(" ".join),
    st.tuples(st.sampled_from(_TEXTUAL), _compared, _quoted).map(" ".join),
    st.tuples(_quoted, _compared, _members).map(" ".join),
    st.tuples(_members, _compared, st.sampled_from(["'t1'", "'of-t2'"])).map(" ".join),
    _members.map(lambda it: f'{it} in ["t1", "of-t1", "x"]'),
    st.sampled_from([*_FIELDS, "trial"]).map(lambda it: f"{it} is None"),
    _values.map(lambda it: f"has({it})"),
    st.tuples(
        st.sampled_from([*_TEXTUAL, "trial"]), _tests, st.sampled_from(["a", "t1", "^x", "-1", ""])
    ).map(lambda it: f"{it[0]}.{it[1]}({it[2]!r})"),
    st.tuples(st.sampled_from(_TEXTUAL), st.sampled_from(["lower", "upper"])).map(
        lambda it: f"{it[0]}.{it[1]}() == 'adam'"
    ),
    st.sampled_from(_FIELDS[:3]).map(lambda it: f"{it} not in [3, 'adam', 0.5, -1]"),
    st.sampled_from(
        ["starred", "starred == False", "len(name) > 6", "True", 'created_at > ago("2d")']
    ),
)
_queries = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda it: f"({' '.join(it)})"),
        inner.map(lambda it: f"not ({it})"),
    ),
    max_leaves=4,
)


def test_selects_what_the_reference_does(database: Database) -> None:
    @settings(max_examples=70, suppress_health_check=list(HealthCheck))
    @given(_queries)
    def check(query: str) -> None:
        asked = parser.condition(query)
        expected = {it.name for it in COMPONENTS if holds(asked, it)}
        with database.read() as connection:
            found = windows.window(connection, EVERYBODY, asked, [], (0, 100))
        assert {it.name for it in found.found} == expected
        assert (found.matched, found.total) == (len(expected), len(COMPONENTS))

    check()


def test_components_of_other_accounts_and_regions_are_not_counted(database: Database) -> None:
    for number, elsewhere in enumerate(({"account": "1" * 12}, {"region": "eu-west-1"}), 1):
        gone = COMPONENT.update().where(COMPONENT.c.number == number).values(elsewhere)
        database.write(lambda connection, gone=gone: connection.execute(gone))
        with database.read() as connection:
            found = windows.window(connection, EVERYBODY, parser.condition(""), [], (0, 100))
        assert found.total == found.matched == len(found.found) == len(COMPONENTS) - number


def test_postgresql_asks_no_helpers(
    postgres: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which could not run our functions."""
    cheap = ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size")
    others = ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan")
    monkeypatch.setenv("PGOPTIONS", " ".join(f"-c {name}=0" for name in (*cheap, *others)))
    opened = Database(postgres.emptied())
    migrate.upgrade(opened)
    opened.write(lambda connection: store(connection, COMPONENTS))
    asked = parser.condition("metric.auc / 0 > 1 or starred")
    with opened.read() as connection:
        found = windows.window(connection, EVERYBODY, asked, [], (0, 100))
    opened.close()
    assert found.matched == sum(it.starred for it in COMPONENTS) > 0


def test_columns_hold_what_the_reference_reckons(database: Database) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.lists(_values, min_size=1, max_size=4))
    def check(texts: list[str]) -> None:
        asked = [parser.value(text) for text in texts]
        with database.read() as connection:
            found = windows.window(connection, EVERYBODY, parser.condition(""), [], (0, 100)).found
            shown = columns.columns(connection, EVERYBODY, [it.number for it in found], asked)
        by_name = {it.name: it for it in COMPONENTS}
        for one, column in zip(asked, shown, strict=True):
            expected = [value(one, by_name[it.name]) for it in found]
            found_values = [column.texts.get(at, it) for at, it in enumerate(column.numbers)]
            assert list(map(_finite, found_values)) == list(map(_finite, expected))

    check()


def _finite(it: object) -> object:
    return None if isinstance(it, float) and math.isnan(it) else it


def test_fields_are_those_of_what_is_selected(database: Database) -> None:
    names = [it.name for it in COMPONENTS[::3]]
    these = [it for it in COMPONENTS[::3] if it.status == "Failed"]
    expected = Counter(("metric", name) for it in these for name in it.metrics)
    expected += Counter(("parameter", name) for it in these for name in it.parameters)
    expected += Counter(("tag", name) for it in these for name in it.tags)
    asked = parser.condition('status == "Failed"')
    with database.read() as connection:
        numbers = windows.numbers(connection, EVERYBODY, asked, names, 100)
        kinds, place = ["metric", "parameter", "tag"], (0, 100)
        total, found = catalog.listed(connection, EVERYBODY, kinds, "", place, numbers)
        counts = {
            (field.kind, field.name): catalog.known(
                connection, EVERYBODY, field, number, numbers
            ).components
            for field, number in found.items()
        }
    assert len(numbers) == len(these) > 1
    assert (total, counts) == (len(expected), expected)


def test_fields_are_listed_as_people_count(database: Database) -> None:
    names = ["m0", "m1", "m2", "m10", "m10.0", "m010b", "m" + "9" * 19, "m1" + "0" * 19, "mm"]
    counted = Component("counted", metrics=dict.fromkeys(reversed(names), Metric(1.0)))
    database.write(lambda connection: store(connection, [counted]))
    with database.read() as connection:
        total, found = catalog.listed(connection, EVERYBODY, ["metric"], "m", (0, 100))
    assert ([it.name for it in found], total) == (names, len(names))


def test_what_may_be_meant_is_looked_for_among_short_names(database: Database) -> None:
    """Two names of ten thousand characters take as long to compare as a hundred short ones."""
    long, known = "x" * 9_999, Metric(1.0)
    metrics = {f"{long}{n}": known for n in range(3)} | {"speed": known}
    database.write(lambda connection: store(connection, [Component("long", metrics=metrics)]))

    def told(text: str) -> list[str]:
        with database.read() as connection:
            found = warnings(connection, EVERYBODY, [parser.condition(text)])
        return [it.message for it in found]

    (near,), (far,), (other,) = map(
        told, ["metric.sped > 1", f"metric.{long}9 > 1", "param.speed > 1"]
    )
    assert near.endswith("; did you mean metric.speed?")
    assert far == f"No trial component has metric.{long}9."
    assert other.endswith("; did you mean metric.speed?")
    many = told(" and ".join(f"metric.sped{n} > 1" for n in range(12)))
    assert [it.endswith("?") for it in many] == [True] * 10 + [False] * 2
