"""Profiles against pandas, SciPy and NumPy: every figure of every column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.data import numbers
from studio.data.profile import profile
from studio.data.protocol.data import Source
from studio.data.protocol.profiles import QUANTILES, ProfilePart, ProfileRequest
from studio.data.room import Room

SALARIES = Path(__file__).parents[2] / "examples" / "data" / "Salary_Data.csv"


def columns(part: ProfilePart):
    return {it.name: it for it in part.columns}


def whole(last: ProfilePart, room):
    """All columns, whichever part told of them last."""
    parts = [it for it in room.told if isinstance(it, ProfilePart)] + [last]
    return {name: it for part in parts for name, it in columns(part).items()}


def assert_like_pandas(found, series: pd.Series) -> None:
    assert found.rows == len(series)
    assert found.count == series.count()
    assert found.missing == series.isna().sum()
    assert found.missing_share == pytest.approx(series.isna().mean())
    assert found.distinct == series.nunique()
    assert found.min == series.min()
    assert found.max == series.max()
    assert found.mean == pytest.approx(series.mean(), rel=1e-9, abs=1e-9)
    assert found.std == pytest.approx(series.std(), rel=1e-9, abs=1e-12)
    assert found.quantiles == pytest.approx(series.quantile(QUANTILES).tolist(), rel=1e-9)
    assert found.zeros == (series == 0).sum()
    assert found.negative == (series < 0).sum()
    if found.skew is not None:
        assert found.skew == pytest.approx(series.skew(), rel=1e-6, abs=1e-9)
    edges = np.array(found.histogram.edges)
    counts, _ = np.histogram(series.dropna(), edges)
    assert found.histogram.counts == counts.tolist()
    assert sum(found.histogram.counts) == found.count
    assert sum(it.count for it in found.top) + found.other == found.count


def test_salaries(room: Room) -> None:
    room.root = SALARIES.parent
    found = columns(profile(ProfileRequest(Source(path=SALARIES.name)), room))
    for name, series in pd.read_csv(SALARIES).items():
        assert_like_pandas(found[name], series)


@pytest.mark.parametrize("data_set", ["iris", "wine", "diabetes"])
def test_data_sets_of_scikit_learn(data_set, profiled, room: Room) -> None:
    from sklearn import datasets  # two seconds, for this file alone

    frame = getattr(datasets, f"load_{data_set}")(as_frame=True).frame
    found = whole(profiled(frame), room)
    again = pd.read_csv(room.root / "data.csv")
    for name, series in again.items():
        assert_like_pandas(found[name], series)


def test_missing_as_pandas_reads_it(profiled, room: Room) -> None:
    text = "a,b\n1,x\nNA,\nNaN,null\nnull,None\n,y\n#N/A,n/a\n2.5,NULL\n"
    found = columns(profiled(text))
    frame = pd.read_csv(room.root / "data.csv")
    assert_like_pandas(found["a"], frame["a"])
    assert found["b"].missing == frame["b"].isna().sum() == 5


def test_text(profiled) -> None:
    frame = pd.DataFrame({"t": ["b", "a", "b", None, "ccc", "b", "é"]})
    found = columns(profiled(frame))["t"]
    assert [(it.value, it.count) for it in found.top[:2]] == [("b", 3), ("a", 1)]
    lengths = frame.t.dropna().str.len()
    assert (found.lengths.min, found.lengths.max) == (lengths.min(), lengths.max())
    assert found.lengths.mean == pytest.approx(lengths.mean())
    assert found.type == "text"
    assert found.distinct == 4


def test_times(profiled, room: Room) -> None:
    texts = ["2024-01-01", "2024-03-01 12:30:00", None, "2023-12-31 23:59:59"]
    times = pd.to_datetime(texts, format="ISO8601")
    found = columns(profiled(pd.DataFrame({"t": times, "n": range(4)})))["t"]
    assert (found.type, found.semantic) == ("datetime", "datetime")
    assert (found.min, found.max) == ("2023-12-31T23:59:59", "2024-03-01T12:30:00")
    assert found.quantiles[4] == times.to_series().quantile(0.5).isoformat()
    assert found.histogram.edges[0] == times.min().timestamp() * 1000
    assert sum(found.histogram.counts) == 3


@pytest.mark.parametrize(
    ("cells", "semantic"),
    [
        ([0, 1] * 20, "boolean"),
        (["yes", "No"] * 20, "boolean"),
        (["true", "false"] * 20, "boolean"),
        (range(40), "id"),
        ([f"u-{it}" for it in range(40)], "id"),
        ([1.5, 2.5] * 20, "number"),
        (["red", "green", "blue", "red"] * 10, "category"),
        ([f"a sentence about number {it} and more" for it in range(40)], "text"),
        ([""] * 40, "empty"),
    ],
)
def test_semantics(cells, semantic, profiled) -> None:
    frame = pd.DataFrame({"c": list(cells), "other": 1})
    assert columns(profiled(frame))["c"].semantic == semantic


def test_infinite_numbers_are_left_out(profiled) -> None:
    found = columns(profiled("a,b\n1,1\ninf,1\n-inf,1\n3,1\n"))["a"]
    assert (found.infinite, found.count, found.mean, found.max) == (2, 4, 2.0, 3.0)


def test_integers_beyond_javascripts(profiled) -> None:
    big = 2**60 + 1
    found = columns(profiled(f"a,b\n{big},1\n{big - 2},1\n"))["a"]
    assert (found.min, found.max, found.distinct) == (str(big - 2), str(big), 2)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS | st.sampled_from([0.0, -0.0, 1.0, 1e308, -1e308]), min_size=1, max_size=50))
@settings(max_examples=60)
def test_numbers_of_any_kind(values) -> None:
    array = np.array(values)
    it = numbers.counted(array)
    assert it.count == len(values)
    assert len(it.values) == len(np.unique(array))
    quantiles = numbers.quantiles(it)
    with np.errstate(all="ignore"):
        expected = np.quantile(array, QUANTILES)
    finite = np.isfinite(expected)
    np.testing.assert_allclose(
        np.array(quantiles)[finite], expected[finite], rtol=1e-12, atol=1e-300
    )
    edges = numbers.bin_edges(it, (quantiles[3], quantiles[5]))
    counts = numbers.bin_counts(it, edges)
    assert counts.sum() == len(values)
    assert len(counts) <= numbers.MOST_BINS


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_of_any_size(values) -> None:
    it = numbers.counted(np.array(values, np.int64))
    assert it.values.tolist() == sorted(set(values))
    assert it.counts.tolist() == [values.count(each) for each in sorted(set(values))]
    assert sum(numbers.bin_counts(it, numbers.bin_edges(it, (0.0, 0.0)))) == len(values)


CELLS = st.none() | st.sampled_from(
    ["a", "b", "", "1", "2.5", "x y", "NA", 'q"t', "é\n", "01", ","]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.integers(-3, 3)), min_size=1, max_size=30))
def test_whatever_pandas_writes_is_read_as_pandas_reads_it(rows, profiled, room: Room) -> None:
    pd.DataFrame(rows, columns=["one", "two", "n"]).to_csv(room.root / "h.csv", index=False)
    text = (room.root / "h.csv").read_text()
    found = columns(profiled(text))
    frame = pd.read_csv(room.root / "h.csv")
    for name, series in frame.items():
        assert found[name].rows == len(series), text
        assert found[name].missing == series.isna().sum(), text
        assert found[name].distinct == series.nunique(), text


def test_a_sample_comes_first_then_columns_then_the_whole(made, room: Room) -> None:
    rng = np.random.default_rng(0)
    rows = 80_000
    frame = pd.DataFrame({f"c{it}": rng.normal(size=rows) for it in range(8)})
    source = made(frame)
    last = profile(ProfileRequest(source), room)
    parts = [it for it in room.told if isinstance(it, ProfilePart)] + [last]
    first = parts[0]
    assert first.phase == "sample"
    assert [it.name for it in first.columns] == list(frame)
    assert not any(it.exact for it in first.columns)
    assert 0 < first.data.rows_seen < rows
    assert first.data.rows is None
    assert first.data.rows_estimate == pytest.approx(rows, rel=0.05)
    assert first.definitions
    assert last.progress == 1
    assert (last.data.rows, last.data.complete) == (rows, True)
    names = [it.name for part in parts[1:] for it in part.columns]
    assert names == list(frame)
    assert all(it.exact for part in parts[1:] for it in part.columns)
    shares = [it.progress for it in parts]
    assert shares == sorted(shares)
    room.told.clear()
    again = profile(ProfileRequest(source), room)  # now it is converted
    assert [it.name for it in room.told[0].columns] == list(frame)
    assert room.told[0].data.rows_seen == 10_000
    assert {it.name: it.mean for it in again.columns}.items() <= {
        it.name: it.mean for part in parts[1:] for it in part.columns
    }.items()


def test_the_sample_is_near_the_whole_also_when_the_file_is_sorted(made, room: Room) -> None:
    rows = 300_000
    values = np.sort(np.random.default_rng(0).normal(size=rows))
    last = profile(ProfileRequest(made(pd.DataFrame({"v": values, "w": values[::-1]}))), room)
    sample = next(it for it in room.told if isinstance(it, ProfilePart)).columns[0]
    exact = whole(last, room)["v"]
    assert sample.min < -1
    assert sample.max > 1
    assert exact.mean == pytest.approx(values.mean(), abs=1e-9)
