"""What is found in a data set, exactly, and that each fix mends what it was made for."""

import numpy as np
import pandas as pd
import pytest

from studio.data import power
from studio.data.profile import profile
from studio.data.protocol.data import Source
from studio.data.protocol.profiles import ProfileRequest
from studio.data.protocol.tables import RowsRequest
from studio.data.rows import rows

N = 300
RNG = np.random.default_rng(1)


def frame(**columns) -> pd.DataFrame:
    """Columns beside two of random numbers, in which there is nothing to find."""
    return pd.DataFrame({**columns, "_a": RNG.normal(size=N), "_b": RNG.normal(size=N)})


def texts(*values: str) -> list[str]:
    return [values[it % len(values)] for it in range(N)]


WITH_GAPS = [None if it % 3 == 0 else float(it % 50) for it in range(N)]
DIRTY: dict[str, tuple[pd.DataFrame, int]] = {
    "constant": (frame(x=7), N),
    "almost_constant": (frame(x=[1] + [0] * (N - 1)), N - 1),
    "empty": (frame(x=[None] * N), N),
    "missing": (frame(x=WITH_GAPS), N // 3),
    "duplicate_columns": (frame(x=WITH_GAPS, y=WITH_GAPS), N),
    "id": (frame(x=[f"u{it}" for it in range(N)]), N),
    "high_cardinality": (frame(x=[f"v{it % 120}" for it in range(N)]), N),
    "skewed": (frame(x=np.exp(RNG.normal(0, 1.5, N))), N),
    "outliers": (frame(x=[1e6, -1e6, *RNG.normal(size=N - 2)]), 2),
    "mixed": (frame(x=["?", "n.k.", *map(str, range(N - 2))]), 2),
    "numbers_as_text": (frame(x=texts("$1,200.50", "$3", "12 %")), N),
    "whitespace": (frame(x=["a ", " b", *texts("a", "b")[2:]]), 2),
    "variants": (frame(x=["Red", "red ", *texts("red", "blue")[2:]]), 151),
    "dates_as_text": (frame(x=texts("03/04/2024", "5/6/2024", "7.8.2023")), N),
    "infinite": (frame(x=[np.inf, -np.inf, *RNG.normal(size=N - 2)]), 2),
}


def found(part, kind):
    return next((it for it in part.findings if it.kind == kind), None)


@pytest.mark.parametrize("kind", list(DIRTY))
def test_finding_and_its_fix(kind, profiled, room) -> None:
    data, count = DIRTY[kind]
    it = found(profiled(data), kind)
    assert it is not None
    assert (it.count, it.share) == (count, pytest.approx(count / N))
    assert it.exact
    scope = {"df": pd.read_csv(room.root / "data.csv"), "pd": pd}
    exec(it.fix, scope)
    mended = profiled(scope["df"])
    assert found(mended, kind) is None, it.fix


@pytest.mark.parametrize("kind", list(DIRTY))
def test_the_filter_of_a_finding_shows_its_rows(kind, profiled, room) -> None:
    data, count = DIRTY[kind]
    it = found(profiled(data), kind)
    if it.filters:
        matching = rows(RowsRequest(Source(path="data.csv"), filters=it.filters), room).matching
        assert matching == (N - count if kind == "almost_constant" else count)


def test_clean_data_has_no_findings(profiled) -> None:
    assert profiled(frame()).findings == []


def test_duplicate_rows_are_counted_exactly(profiled, room) -> None:
    data = pd.DataFrame({"a": RNG.integers(0, 20, N), "b": RNG.choice(["x", None], N), "c": 0.5})
    data.loc[::7, "c"] = np.nan
    it = found(profiled(data), "duplicate_rows")
    again = pd.read_csv(room.root / "data.csv")
    assert it.count == again.duplicated().sum()
    shown = rows(RowsRequest(Source(path="data.csv"), filters=it.filters, limit=1000), room)
    assert shown.numbers == np.flatnonzero(again.duplicated()).tolist()
    scope = {"df": again}
    exec(it.fix, scope)
    assert not scope["df"].duplicated().any()


def test_rows_with_the_same_cells_in_other_columns_are_no_copies(profiled) -> None:
    assert found(profiled("a,b\n1,2\n2,1\n0,0\n"), "duplicate_rows") is None
    assert found(profiled("a,b\n,1\n1,\n"), "duplicate_rows") is None


def test_worst_first(profiled) -> None:
    part = profiled(frame(x=7, y=[None] * 200 + [1.5] * 100, z=np.exp(RNG.normal(0, 2, N))))
    order = ["high", "medium", "low"]
    places = [order.index(it.severity) for it in part.findings]
    assert places == sorted(places)
    assert places[0] == 0


def test_many_columns_with_one_finding_are_one(profiled) -> None:
    part = profiled(frame(**{f"c{it}": it for it in range(30)}))
    (it,) = [it for it in part.findings if it.kind == "constant"]
    assert len(it.columns) == 30
    assert it.words.startswith("30 columns")


def test_every_finding_is_defined(profiled) -> None:
    for data, _ in DIRTY.values():
        part = profiled(data)
        assert {it.kind for it in part.findings} <= set(part.definitions)


def test_power_and_leakage(profiled) -> None:
    x = RNG.normal(size=N)
    y = np.where(x + RNG.normal(0, 0.5, N) > 0, "yes", "no")
    data = pd.DataFrame({"y": y, "x": x, "noise": RNG.normal(size=N), "copy": y == "yes"})
    part = profiled(data, target="y")
    powers = dict(part.target.powers)
    assert [name for name, _ in part.target.powers] == ["copy", "x", "noise"]
    assert powers["copy"] > 0.95
    assert 0.2 < powers["x"] < 0.8
    assert powers["noise"] < 0.05
    assert found(part, "leakage").columns == ["copy"]
    assert part.target.task == "binary"
    assert {it.name: it.power for it in part.columns} == {**powers, "y": None}


def test_power_of_numbers(profiled) -> None:
    x = RNG.uniform(-3, 3, 2_000)
    data = pd.DataFrame(
        {"y": x**2 + RNG.normal(0, 0.3, 2_000), "x": x, "noise": RNG.normal(size=2_000)}
    )
    part = profiled(data, target="y")
    powers = dict(part.target.powers)
    assert powers["x"] > 0.9
    assert powers["noise"] < 0.05
    assert part.target.task == "regression"


def test_power_is_of_rows_that_it_was_not_learned_from(profiled) -> None:
    data = pd.DataFrame({"y": RNG.choice(["a", "b"], N), "id": [f"u{it}" for it in range(N)]})
    assert dict(profiled(data, target="y").target.powers)["id"] < 0.05


def test_power_of_few_rows_is_unknown(profiled) -> None:
    part = profiled("x,y\n" + "1,a\n2,b\n3,a\n" * 4, target="y")
    assert part.target.powers == []


def test_classes_and_imbalance(profiled, room) -> None:
    data = frame(y=["rare"] * 12 + ["common"] * (N - 12))
    part = profiled(data, target="y")
    assert [(it.value, it.count) for it in part.target.classes] == [("common", 288), ("rare", 12)]
    it = found(part, "imbalance")
    assert it.count == 12
    scope = {"df": data}
    exec(it.fix, scope)
    sums = scope["weights"].groupby(data.y).sum()
    assert sums["rare"] == pytest.approx(sums["common"])


def test_missing_target(profiled) -> None:
    part = profiled(frame(y=[None, *texts("a", "b")[1:]]), target="y")
    it = found(part, "target_missing")
    assert (it.count, it.severity) == (1, "high")


def test_target_that_drifts_between_files(made, room) -> None:
    made(frame(y=texts("a", "b")), "parts/1.csv")
    made(frame(y=texts("a", "b")), "parts/2.csv")
    made(frame(y=texts("a", "a", "a", "b")), "parts/3.csv")
    part = profile(ProfileRequest(Source(path="parts"), "y"), room)
    it = found(part, "target_drift")
    assert "3.csv" in it.words
    assert "1.csv" not in it.words


def test_whole_numbers_of_few_values_are_classes() -> None:
    import pyarrow as pa

    few, many = pa.chunked_array([[0, 1, 2] * 20]), pa.chunked_array([list(range(60))])
    assert power.target(few).task == "multiclass"
    assert power.target(many).task == "regression"
