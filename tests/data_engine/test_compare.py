"""Comparisons: distances and tests against SciPy, and what is told of them."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from studio.data.compare import compare
from studio.data.distances import population_stability
from studio.data.documents import encoded
from studio.data.protocol.comparisons import CompareRequest

RNG = np.random.default_rng(2)
N = 2_000


def sides() -> tuple[pd.DataFrame, pd.DataFrame]:
    one = pd.DataFrame(
        {
            "same": RNG.normal(size=N),
            "moved": RNG.normal(size=N),
            "word": RNG.choice(["a", "b", "c"], N),
            "gone": 1,
            "holes": RNG.normal(size=N),
            "kind": RNG.integers(0, 9, N),
            "when": pd.date_range("2024-01-01", periods=N, freq="h"),
        }
    )
    other = pd.DataFrame(
        {
            "same": RNG.normal(size=N),
            "moved": RNG.normal(0.8, 1, N),
            "word": RNG.choice(["a", "b", "d"], N, p=[0.6, 0.3, 0.1]),
            "new": 2,
            "holes": np.where(RNG.random(N) < 0.4, np.nan, RNG.normal(size=N)),
            "kind": RNG.choice(["x", "y"], N),
            "when": pd.date_range("2024-02-01", periods=N, freq="h"),
        }
    )
    return one, other


@pytest.fixture
def compared(made, room):
    one, other = sides()
    request = CompareRequest(made(one, "one.csv"), made(other, "other.csv"))
    return one, other, compare(request, room)


def drift(part, name):
    return next(it for it in part.drifts if it.name == name)


def test_columns_are_accounted_for(compared) -> None:
    _, _, part = compared
    assert (part.missing, part.added, part.retyped) == (["gone"], ["new"], ["kind"])
    assert {it.name for it in part.drifts} == {"same", "moved", "word", "holes", "kind", "when"}
    effects = [it.effect for it in part.drifts]
    assert effects == sorted(effects, reverse=True)
    json.loads(encoded(part))


@pytest.mark.parametrize("name", ["same", "moved", "holes"])
def test_numbers_as_scipy(name, compared) -> None:
    one, other, part = compared
    it = drift(part, name)
    found = stats.ks_2samp(one[name].dropna(), other[name].dropna(), method="asymp")
    assert it.test.statistic == pytest.approx(found.statistic, abs=1e-12)
    assert it.test.p == pytest.approx(found.pvalue, rel=0.15, abs=1e-6)
    assert (it.test.n, it.test.other_n) == (one[name].count(), other[name].count())


def test_words_as_scipy(compared) -> None:
    one, other, part = compared
    it = drift(part, "word")
    table = pd.concat([one.word.value_counts(), other.word.value_counts()], axis=1).fillna(0)
    chi2, p, *_ = stats.chi2_contingency(table, correction=False)
    assert it.test.statistic == pytest.approx(chi2)
    assert it.test.p == pytest.approx(p, abs=1e-12)
    assert it.effect == pytest.approx(
        stats.contingency.association(table.astype(int), method="cramer")
    )
    assert dict(zip(it.overlay.labels, it.overlay.other_shares, strict=True))["a"] == pytest.approx(
        (other.word == "a").mean()
    )


def test_levels(compared) -> None:
    _, _, part = compared
    assert drift(part, "same").level == "none"
    assert drift(part, "moved").level == "large"
    assert drift(part, "holes").level == "large"
    assert "more cells are missing" in drift(part, "holes").words
    assert drift(part, "holes").effect == pytest.approx(drift(part, "holes").other_missing_share)
    assert drift(part, "kind").effect > 0.9


def test_p_values_are_adjusted_as_scipy_does_it(compared) -> None:
    _, _, part = compared
    tests = [it.test for it in part.drifts]
    expected = stats.false_discovery_control([it.p for it in tests], method="bh")
    assert [it.adjusted for it in tests] == pytest.approx(expected.tolist())


def test_histograms_are_laid_over_each_other(compared) -> None:
    one, other, part = compared
    it = drift(part, "moved").overlay
    for shares, values in ((it.shares, one.moved), (it.other_shares, other.moved)):
        counts, _ = np.histogram(values, it.edges)
        np.testing.assert_allclose(shares, counts / N)


def test_psi_by_its_definition() -> None:
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.3, 0.3])
    expected = 0.2 * np.log(2) + 0 + (-0.2) * np.log(0.6)
    assert population_stability(p, q) == pytest.approx(expected)
    assert population_stability(p, p) == 0
    assert np.isfinite(population_stability(np.array([1.0, 0]), np.array([0, 1.0])))


def test_chance_is_no_drift(made, room) -> None:
    """Few rows differ a lot without a cause: the level knows."""
    one, other = (pd.DataFrame({f"c{it}": RNG.normal(size=25) for it in range(20)}) for _ in "12")
    part = compare(CompareRequest(made(one, "1.csv"), made(other, "2.csv")), room)
    assert sum(it.level != "none" for it in part.drifts) <= 4
    assert max(it.effect for it in part.drifts) > 0.2


def test_too_few_cells_say_so(made, room) -> None:
    one, other = made("a,b\n1,\n2,x\n", "1.csv"), made("a,b\n1,y\n2,\n", "2.csv")
    part = compare(CompareRequest(one, other), room)
    assert [it.test for it in part.drifts] == [None, None]
    assert "Too few" in part.drifts[0].words


def test_the_code_finds_the_same_effects(compared) -> None:
    _, _, part = compared
    scope: dict[str, Any] = {}
    exec(part.code, scope)
    theirs = scope["drifts"].set_index("column").effect
    for name in ("same", "moved", "word"):
        assert theirs[name] == pytest.approx(drift(part, name).effect)
