"""Windows of rows: filters and order against the pandas beside them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.data.errors import DataError
from studio.data.protocol.data import Condition, Sort, Source
from studio.data.protocol.tables import RowsRequest
from studio.data.rows import rows

RNG = np.random.default_rng(5)
N = 120
FRAME = pd.DataFrame(
    {
        "n": [None if it % 11 == 0 else it % 7 for it in range(N)],
        "f": np.where(np.arange(N) % 9 == 0, np.nan, RNG.normal(size=N).round(2)),
        "s": [None if it % 13 == 0 else ["a.b", "A", "zz", "é x"][it % 4] for it in range(N)],
        "t": pd.date_range("2024-01-01", periods=N, freq="7h"),
        "b": RNG.random(N) < 0.5,
    }
)
NUMBER, TEXT = st.integers(-2, 8) | st.floats(-2, 2), st.sampled_from(["a.b", "A", "é", "", "z"])
TIME = st.sampled_from(["2024-01-05", "2024-01-20T03:00:00", "2024-02-01T00:00:00+02:00"])
COMPARISONS = ["equals", "differs", "less", "at_most", "greater", "at_least"]


def conditions(names: list[str], values: Any) -> Any:
    column = st.sampled_from(names)
    return st.one_of(
        st.builds(Condition, st.sampled_from(COMPARISONS), column, values),
        st.builds(Condition, st.sampled_from(["missing", "present"]), column),
        st.builds(Condition, st.just("in"), column, st.lists(values, max_size=3)),
        st.builds(
            Condition,
            st.sampled_from(["between", "outside"]),
            column,
            st.lists(values, min_size=2, max_size=2),
        ),
    )


OF_TEXT = ["contains", "starts_with", "ends_with", "matches"]
CONDITIONS = st.one_of(
    conditions(["n", "f"], NUMBER),
    conditions(["s"], TEXT),
    conditions(["t"], TIME),
    st.builds(Condition, st.sampled_from(OF_TEXT), st.just("s"), TEXT),
    st.builds(Condition, st.just("equals"), st.just("b"), st.booleans()),
)
SORTS = st.lists(
    st.builds(Sort, st.sampled_from(list(FRAME)), st.booleans()),
    max_size=3,
    unique_by=lambda it: it.column,
)


@pytest.fixture
def source(made) -> Source:
    return made(FRAME)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)
@given(filters=st.lists(CONDITIONS, max_size=3), sort=SORTS)
def test_filters_and_order_as_the_pandas_beside_them(filters, sort, source, room) -> None:
    answer = rows(RowsRequest(source, limit=1000, filters=filters, sort=sort), room)
    scope: dict[str, Any] = {}
    exec(answer.code, scope)
    assert answer.matching == len(scope["df"]), answer.code
    assert answer.numbers == scope["df"].index.tolist(), answer.code
    assert answer.total == N


def test_windows_follow_each_other(source, room) -> None:
    request = {"filters": [Condition("present", "s")], "sort": [Sort("f", True), Sort("t")]}
    whole = rows(RowsRequest(source, limit=1000, **request), room)
    parts = [rows(RowsRequest(source, offset, 17, **request), room) for offset in range(0, N, 17)]
    assert [it for part in parts for it in part.numbers] == whole.numbers
    assert [it for part in parts for it in part.rows] == whole.rows
    assert {it.matching for it in parts} == {len(whole.rows)}


def test_cells(made, room) -> None:
    source = made("i,f,t,b,s\n9007199254740993,inf,2024-05-06,true,x\n,-inf,,false,\n")
    answer = rows(RowsRequest(source), room)
    assert answer.rows == [
        ["9007199254740993", "Infinity", "2024-05-06T00:00:00", True, "x"],
        [None, "-Infinity", None, False, None],
    ]
    assert [it.type for it in answer.columns] == ["integer", "float", "datetime", "boolean", "text"]


def test_copies_are_rows_that_were_there_before(made, room) -> None:
    source = made("a,b\n1,2\n2,1\n,1\n1,\n1,2\n,1\n")
    request = RowsRequest(source, filters=[Condition("duplicated")])
    assert rows(request, room).numbers == [4, 5]


def test_beyond_the_end_there_is_nothing(source, room) -> None:
    answer = rows(RowsRequest(source, offset=10_000), room)
    assert (answer.rows, answer.matching, answer.total) == ([], N, N)


def test_columns_in_the_order_asked_for(source, room) -> None:
    answer = rows(RowsRequest(source, columns=["t", "n"], limit=1), room)
    assert [it.name for it in answer.columns] == ["t", "n"]
    assert answer.column_count == 5


def test_the_first_rows_come_before_the_file_was_read(made, room) -> None:
    source = made(pd.DataFrame({"a": np.arange(400_000), "b": "some text"}))
    answer = rows(RowsRequest(source, limit=3), room)
    first = next(it for it in room.told if hasattr(it, "rows"))
    assert first.rows == answer.rows
    assert not first.data.complete
    assert first.total == pytest.approx(400_000, rel=0.1)
    assert (answer.total, answer.data.complete) == (400_000, True)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("less"), "needs a column"),
        (Condition("less", "x", 1), "no column x"),
        (Condition("less", "n", "ten"), "cannot be compared with ten"),
        (Condition("less", "t", "today"), "cannot be compared with today"),
        (Condition("in", "n", 3), "needs a list"),
        (Condition("between", "n", [1]), "needs two values"),
        (Condition("contains", "n", "1"), "needs a column of text"),
        (Condition("matches", "s", "("), "no regular expression"),
    ],
)
def test_conditions_that_make_no_sense(condition, words, source, room) -> None:
    with pytest.raises(DataError, match=words):
        rows(RowsRequest(source, filters=[condition]), room)
