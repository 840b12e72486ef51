"""Charts: their numbers against pandas and SciPy, and the code beside them, run."""

import base64
import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from scipy import stats

from studio.data.chart import chart
from studio.data.charts import aggregates, associations, points
from studio.data.documents import encoded
from studio.data.errors import DataError
from studio.data.protocol.charts import ChartRequest, ChartSpec
from studio.data.protocol.data import Condition

ROWS = 400
RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=ROWS),
        "k": RNG.integers(0, 5, ROWS),
        "c": RNG.choice(["red", "green", "blue"], ROWS),
        "g": RNG.choice(["p", "q"], ROWS),
        "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 86400 * 40, ROWS), "s"),
        "flag": RNG.random(ROWS) < 0.5,
    }
)
FRAME["y"] = 2 * FRAME.x + FRAME.k + RNG.normal(size=ROWS)
FRAME.loc[::17, "x"] = np.nan
FRAME.loc[::19, "c"] = None
FILTERS = [Condition("greater", "y", -1), Condition("differs", "g", "nothing")]

SPECS = [
    ChartSpec("scatter", x="x", y="y"),
    ChartSpec("scatter", x="x", y="y", color="c", facet="g"),
    ChartSpec("scatter", x="t", y="y", color="x"),
    ChartSpec("line", x="t", y="y", color="flag"),
    ChartSpec("line", x="k", y="y", aggregate="median", color="c"),
    ChartSpec("timeseries", x="t", y="y", color="g"),
    ChartSpec("timeseries", x="t", y="y", aggregate="max"),
    ChartSpec("bar", x="c", y="y", aggregate="sum", color="g"),
    ChartSpec("bar", x="k"),
    ChartSpec("count", x="c", facet="g"),
    ChartSpec("histogram", x="x", color="c"),
    ChartSpec("histogram", x="t", bins=12),
    ChartSpec("box", x="c", y="y"),
    ChartSpec("violin", x="k", y="y"),
    ChartSpec("heatmap", x="c", y="g"),
    ChartSpec("heatmap", x="x", y="t", value="y", bins=8),
    ChartSpec("correlation"),
    ChartSpec("correlation", columns=["x", "y", "k"], method="spearman"),
    ChartSpec("pair", columns=["x", "y", "k"], color="c"),
    ChartSpec("regression", x="x", y="y"),
    ChartSpec("scatter", x="x", y="y", filters=FILTERS, sample=50),
]


@pytest.fixture
def draw(made, room):
    source = made(FRAME)
    return lambda spec: chart(ChartRequest(source, spec), room)


def unpacked(value: Any) -> np.ndarray:
    if isinstance(value, dict):
        shape = [int(it) for it in value["shape"].split(",")] if "shape" in value else [-1]
        return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]).reshape(shape)
    return np.array(value)


def run(code: str) -> go.Figure:
    scope: dict[str, Any] = {}
    exec(code.replace("fig.show()", ""), scope)
    return scope["fig"]


def name_of(spec: ChartSpec) -> str:
    return f"{spec.kind}-{spec.x}-{spec.color}"


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_a_figure_that_plotly_takes_and_its_code_runs(spec, draw) -> None:
    answer = draw(spec)
    document = json.loads(encoded(answer))
    figure = go.Figure(document["figure"])  # raises on what Plotly does not know
    assert figure.data
    made = run(answer.code)
    assert made.data
    assert answer.shown <= answer.total <= answer.rows == ROWS
    assert (answer.shown == answer.total) or answer.notes
    assert len(answer.table.rows) == min(answer.table.total, 1000)
    assert all(len(it) == len(answer.table.columns) for it in answer.table.rows)
    assert answer.title in answer.summary


@pytest.mark.parametrize(
    "spec",
    [it for it in SPECS if it.kind in ("scatter", "bar", "count", "line", "timeseries")],
    ids=name_of,
)
def test_the_code_makes_the_same_chart(spec, draw) -> None:
    """The same sum of all y in both: of groups, panels, joined or not."""
    answer = draw(spec)
    ours = [float(np.nansum(unpacked(it["y"]).astype(float))) for it in answer.figure["data"]]
    theirs = [
        float(np.nansum(np.where(pd.isna(np.array(it.x)), np.nan, np.array(it.y, float))))
        for it in run(answer.code).data
    ]
    assert sum(ours) == pytest.approx(sum(theirs), rel=1e-9)


def test_scatter_has_the_rows_that_have_both(draw) -> None:
    answer = draw(ChartSpec("scatter", x="x", y="y"))
    trace = answer.figure["data"][0]
    both = FRAME.dropna(subset=["x", "y"])
    np.testing.assert_allclose(unpacked(trace["x"]), both.x)
    np.testing.assert_allclose(unpacked(trace["y"]), both.y)
    assert answer.shown == len(both)


def test_groups_are_told_apart_without_colour(draw) -> None:
    answer = draw(ChartSpec("scatter", x="x", y="y", color="c"))
    metas = [it["meta"] for it in answer.figure["data"]]
    assert len({it["color"] for it in metas}) == len({it["symbol"] for it in metas}) == 3
    assert not any("color" in it.get("marker", {}) for it in answer.figure["data"])


def test_panels_share_their_axes(draw) -> None:
    answer = draw(ChartSpec("scatter", x="x", y="y", facet="c"))
    layout = answer.figure["layout"]
    assert [it["text"] for it in layout["annotations"]] == [
        "c = " + it for it in FRAME.c.value_counts().index
    ]
    assert layout["xaxis2"]["matches"] == "x"
    assert {it["xaxis"] for it in answer.figure["data"]} == {"x", "x2", "x3"}


def test_histogram_counts_as_numpy(draw) -> None:
    answer = draw(ChartSpec("histogram", x="x"))
    trace = answer.figure["data"][0]
    edges = np.append(unpacked(trace["customdata"])[:, 0], unpacked(trace["customdata"])[-1, 1])
    counts, _ = np.histogram(FRAME.x.dropna(), edges)
    assert unpacked(trace["y"]).tolist() == counts.tolist()
    width = 2 * (FRAME.x.quantile(0.75) - FRAME.x.quantile(0.25)) / FRAME.x.count() ** (1 / 3)
    assert len(counts) == np.ceil((FRAME.x.max() - FRAME.x.min()) / width)


@pytest.mark.parametrize("how", list(aggregates.PANDAS))
def test_aggregates_as_pandas(how) -> None:
    codes, values = RNG.integers(0, 6, 200), RNG.normal(size=200)
    values[codes == 5] = 1.0
    codes[codes == 4] = 3
    codes[0] = 4
    found = aggregates.grouped(how, codes, values, 8)
    by = pd.Series(values).groupby(codes)
    expected = by.agg("count" if how == "count" else how).reindex(range(8))
    np.testing.assert_allclose(
        found, expected.fillna(0) if how == "count" else expected, rtol=1e-12
    )


def test_boxes_as_numpy(draw) -> None:
    answer = draw(ChartSpec("box", y="y"))
    row = dict(zip(answer.table.columns, answer.table.rows[0], strict=True))
    q1, median, q3 = np.quantile(FRAME.y, [0.25, 0.5, 0.75])
    inside = FRAME.y[FRAME.y.between(q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1))]
    assert row["q1"] == pytest.approx(q1)
    assert row["median"] == pytest.approx(median)
    assert (row["lower whisker"], row["upper whisker"]) == (inside.min(), inside.max())
    assert row["beyond"] == ROWS - len(inside)


def test_heatmap_as_crosstab(draw) -> None:
    answer = draw(ChartSpec("heatmap", x="c", y="g"))
    trace = answer.figure["data"][0]
    found = pd.DataFrame(unpacked(trace["z"]), trace["y"], trace["x"])
    expected = pd.crosstab(FRAME.g, FRAME.c).loc[found.index, found.columns]
    np.testing.assert_array_equal(found, expected)


def test_regression_as_scipy(draw) -> None:
    answer = draw(ChartSpec("regression", x="x", y="y"))
    both = FRAME.dropna(subset=["x"])
    fit = stats.linregress(both.x, both.y)
    facts = {it.name: it.value for it in answer.facts}
    assert facts["n"] == len(both)
    assert facts["slope"] == pytest.approx(fit.slope)
    assert facts["intercept"] == pytest.approx(fit.intercept)
    assert facts["R2"] == pytest.approx(fit.rvalue**2)
    assert facts["p"] == pytest.approx(fit.pvalue)


def test_the_band_of_a_regression_holds_95_percent_of_the_time() -> None:
    """The band of the mean, at one place, over many draws of data with a known line."""
    from studio.data.charts.regression import fitted

    rng, held, at = np.random.default_rng(0), 0, np.array([0.7])
    for _ in range(2_000):
        xs = rng.normal(size=12)
        fit = fitted(xs, 3 - 2 * xs + rng.normal(size=12))
        held += abs(fit.line(at)[0] - (3 - 1.4)) <= fit.band(at)[0]
    assert held / 2_000 == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlation_as_pandas(method, draw) -> None:
    answer = draw(ChartSpec("correlation", columns=["x", "y", "k", "flag"], method=method))
    found = unpacked(answer.figure["data"][0]["z"])
    expected = FRAME[["x", "y", "k", "flag"]].astype(float).corr(method=method)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_correlation_of_categories(draw) -> None:
    answer = draw(ChartSpec("correlation", columns=["c", "g", "y"]))
    found = {(it[0], it[1]): it for it in answer.table.rows}
    both = FRAME.dropna(subset=["c"])
    groups = both.groupby("c").y
    between = (groups.size() * (groups.mean() - both.y.mean()) ** 2).sum()
    eta = np.sqrt(between / ((both.y - both.y.mean()) ** 2).sum())
    assert found["c", "y"][2:4] == [pytest.approx(eta), "ratio"]
    assert found["c", "g"][3] == "cramer"


def test_cramers_v_without_correction_is_scipys() -> None:
    one, other = RNG.integers(0, 4, 3_000), RNG.integers(0, 3, 3_000)
    other[one == 0] = 0
    table = associations.crosstab(one, other)
    assert associations.chi2(table) == pytest.approx(
        stats.chi2_contingency(table, correction=False)[0]
    )
    plain = stats.contingency.association(table.astype(int), method="cramer")
    sides = [associations.Side("", None, it) for it in (one, other)]
    assert associations.association(*sides, "pearson").value == pytest.approx(plain, abs=0.01)


def test_correlation_where_one_side_never_changes(made, room) -> None:
    frame = pd.DataFrame({"a": [1, 1, 1, 1], "b": [1, 2, 3, 4]})
    answer = chart(ChartRequest(made(frame), ChartSpec("correlation")), room)
    assert answer.table.rows == [["a", "b", None, "pearson", 4]]
    json.loads(encoded(answer))


def test_time_steps_as_pandas(draw) -> None:
    answer = draw(ChartSpec("timeseries", x="t", y="y"))
    assert answer.table.columns == ["t", "mean of y of each 6 hours"]
    means = FRAME.set_index("t").y.resample("6h", origin="epoch").mean()
    found = dict(map(tuple, answer.table.rows))
    assert len(found) == len(means)
    for at, mean in means.dropna().items():
        assert found[at.isoformat()] == pytest.approx(mean)


def test_long_lines_keep_their_extremes(made, room) -> None:
    rows = 50_000
    values = np.random.default_rng(0).normal(size=rows).cumsum()
    values[rows // 2] = 1e6
    frame = pd.DataFrame({"n": np.arange(rows), "v": values})
    answer = chart(ChartRequest(made(frame), ChartSpec("line", x="n", y="v")), room)
    drawn = unpacked(answer.figure["data"][0]["y"])
    assert len(drawn) <= points.MOST_LINE
    assert (drawn.max(), drawn.min()) == (1e6, values.min())
    assert f"{answer.shown:,} of 50,000 rows are in the chart." in answer.notes


def test_scatter_of_many_points_says_how_many_are_drawn(made, room) -> None:
    frame = pd.DataFrame({"a": np.arange(30_000), "b": np.arange(30_000) % 7})
    answer = chart(ChartRequest(made(frame), ChartSpec("scatter", x="a", y="b")), room)
    assert answer.shown == points.MOST_POINTS
    assert "10,000 of 30,000 rows are in the chart." in answer.notes
    assert answer.table.total == 10_000


def test_filters_and_samples_are_counted(draw) -> None:
    answer = draw(ChartSpec("scatter", x="x", y="y", filters=FILTERS, sample=50))
    matching = int(((FRAME.y > -1) & FRAME.g.notna()).sum())
    assert (answer.total, answer.rows) == (matching, ROWS)
    assert f"{matching} of 400 rows match the filters." in answer.notes
    assert answer.shown <= 50


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ChartSpec("timeseries", x="x", y="y"), "needs a time on x"),
        (ChartSpec("histogram", x="c"), "c is text"),
        (ChartSpec("histogram", x="x", bins=0), "1 to 500 bins"),
        (ChartSpec("pair", columns=["x"]), "2 to 6 different columns"),
        (ChartSpec("correlation", columns=["x"]), "needs two columns"),
        (ChartSpec("heatmap", x="c", y="g", aggregate="mean"), "needs a column `value`"),
        (ChartSpec("bar", x="c", aggregate="mean"), "needs a column y"),
        (ChartSpec("scatter", x="x", y="y", sample=0), "at least one row"),
        (
            ChartSpec("scatter", x="x", y="y", filters=[Condition("less", "x", "ten")]),
            "compared with ten",
        ),
    ],
)
def test_charts_that_cannot_be_made(spec, words, draw) -> None:
    with pytest.raises(DataError, match=words):
        draw(spec)


@pytest.mark.parametrize(
    "kind",
    ["scatter", "line", "histogram", "box", "violin", "bar", "regression", "heatmap", "count"],
)
def test_no_rows_make_an_empty_chart(kind, made, room) -> None:
    spec = ChartSpec(kind, x="a", y="b", filters=[Condition("less", "a", -5)])
    answer = chart(ChartRequest(made(pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 4]})), spec), room)
    assert (answer.shown, answer.total) == (0, 0)
    go.Figure(json.loads(encoded(answer))["figure"])
