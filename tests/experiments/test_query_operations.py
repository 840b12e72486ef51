"""Queries through boto3: windows, groups, fields, what is wrong, what matters."""

import json
import math
import statistics
from array import array
from functools import partial
from pathlib import Path
from typing import Any

import plane as planes
import pytest
from botocore.exceptions import ClientError
from component_store import NOW, Component, Metric, store
from scipy import stats

import studio
from studio.experiments.query.student import half_width

COMPONENTS = [
    Component(
        f"run-{n:02d}",
        {"depth": float(n % 3), "opt": "adam" if n % 2 else "sgd", "a b": f"<b>{n}", "same": 1.0},
        {"auc": Metric(1e9 + (n % 3) / 10 + n * 1e-3), "val/loss": Metric(-float(n))}
        if n != 5
        else {},
        {"team": "risk"} if n < 10 else {},
        ("t1", "t2") if n < 4 else ("t1",) if n < 8 else (),
        created_at=NOW + n,
    )
    for n in range(60)
]


_CELL = Path(__file__).parents[2] / "labextension/src/compare/__tests__/frame.json"


@pytest.fixture(scope="module")
def client(plane: planes.Plane) -> Any:
    plane.context.db.write(partial(store, made=COMPONENTS))
    return plane.client("studio")


def numbers(data: bytes) -> list[float]:
    return list(array("d", data))


def column(answer: dict[str, Any], place: int) -> list[Any]:
    it = answer["Columns"][place]
    floats = numbers(it["Numbers"]) if "Numbers" in it else [math.nan] * len(answer["Names"])
    codes = array("i", it["Codes"]) if "Codes" in it else [-1] * len(floats)
    return [
        it["Texts"][code] if code >= 0 else one for one, code in zip(floats, codes, strict=True)
    ]


def test_window_is_sorted_filtered_and_counted(client: Any) -> None:
    answer = client.query_trial_components(
        Query='param.depth >= 1 and tag.team == "risk"',
        Fields=["param.depth", 'param["a b"]', "trial", "metric.auc - metric.auc", "starred"],
        SortBy=[{"Field": "param.depth", "Order": "Descending"}, {"Field": "name"}],
        Offset=1,
        Limit=4,
    )
    assert (answer["Total"], answer["Matched"]) == (60, 6)
    assert answer["Names"] == ["run-05", "run-08", "run-01", "run-04"]
    assert answer["Arns"][0].endswith(":experiment-trial-component/run-05")
    assert column(answer, 0) == [2, 2, 1, 1]
    assert column(answer, 1) == ["<b>5", "<b>8", "<b>1", "<b>4"]
    assert column(answer, 2)[0] == "t1"
    assert str(column(answer, 3)) == "[nan, 0.0, 0.0, 0.0]"
    assert column(answer, 4) == [0, 0, 0, 0]


def test_newest_first_and_missing_last(client: Any) -> None:
    assert client.query_trial_components(Limit=2)["Names"] == ["run-59", "run-58"]
    for order, first in (("Ascending", "run-59"), ("Descending", "run-00")):
        sort = [{"Field": 'metric["val/loss"]', "Order": order}]
        names = client.query_trial_components(SortBy=sort)["Names"]
        assert (names[0], names[-1]) == (first, "run-05")


def test_of_some_names(client: Any) -> None:
    answer = client.query_trial_components(Names=["run-03", "run-50", "none"], Query="starred")
    assert (answer["Matched"], answer["Names"]) == (0, [])
    answer = client.query_trial_components(Names=["run-03", "run-50", "none"], Limit=0)
    assert (answer["Matched"], answer["Names"]) == (2, [])


@pytest.mark.parametrize("by", [["param.depth", "param.opt"], ["trial"], ["tag.team"], ["starred"]])
def test_each_group_has_a_query_that_selects_it(client: Any, by: list[str]) -> None:
    query = "param.depth < 2 or metric.auc is None"
    answer = client.group_trial_components(Query=query, GroupBy=by)
    assert answer["Total"] == len(answer["Groups"]) > 0
    for group in answer["Groups"]:
        asked = client.query_trial_components(Query=group["Query"], Limit=0)
        assert asked["Matched"] == group["Count"], group


def test_statistics_of_groups_are_exact(client: Any) -> None:
    """The values lie together a billion away from zero."""
    answer = client.group_trial_components(GroupBy=["param.depth"], Fields=["metric.auc"])
    measured = answer["Statistics"][0]
    for place, group in enumerate(answer["Groups"]):
        depth = group["Keys"][0]["Number"]
        of = [it for it in COMPONENTS if it.parameters["depth"] == depth and it.metrics]
        values = [it.metrics["auc"].last or 0.0 for it in of]
        expected = {
            "Counts": len(values),
            "Means": statistics.fmean(values),
            "StdDevs": statistics.stdev(values),
            "Minima": min(values),
            "Maxima": max(values),
            "HalfWidths": half_width(len(values), statistics.stdev(values)),
        }
        found = {name: numbers(measured[name])[place] for name in expected}
        assert found == pytest.approx(expected, rel=1e-6)


def test_groups_are_sorted_and_paged(client: Any) -> None:
    ask = partial(
        client.group_trial_components, GroupBy=["param.depth"], Fields=['metric["val/loss"]']
    )
    sort = [{"Field": 'metric["val/loss"]'}]
    keys = [it["Keys"][0]["Number"] for it in ask(SortBy=sort)["Groups"]]
    assert keys == [2, 1, 0]
    page = ask(SortBy=sort, Offset=1, Limit=1)
    assert ([it["Keys"][0]["Number"] for it in page["Groups"]], page["Total"]) == ([1], 3)
    assert ask(Offset=7)["Total"] == 3
    with pytest.raises(ClientError, match="sorted by count"):
        ask(SortBy=[{"Field": "name"}])


def test_groups_of_some_names_have_statistics_of_as_many_fields_as_are_asked_for(
    client: Any,
) -> None:
    names = [f"run-{n:02d}" for n in range(0, 60, 2)]
    fields = [f"param.depth + {n}" for n in range(45)]
    answer = client.group_trial_components(
        Query="param.depth > 0",
        Names=names,
        GroupBy=["param.opt"],
        Fields=fields,
        SortBy=[{"Field": "param.depth + 44", "Order": "Descending"}],
    )
    assert (answer["Matched"], [it["Count"] for it in answer["Groups"]]) == (20, [20])
    assert [it["Field"] for it in answer["Statistics"]] == fields
    assert [numbers(it["Means"])[0] for it in answer["Statistics"]] == [1.5 + n for n in range(45)]
    with pytest.raises(ClientError, match="200"):
        client.group_trial_components(GroupBy=["status"], Fields=["param.depth"] * 201)


@pytest.mark.parametrize("count", [2, 3, 10, 31, 40, 1_000])
def test_interval_is_students(count: int) -> None:
    expected = stats.t.ppf(0.975, count - 1) / math.sqrt(count)
    assert half_width(count, 1.0) == pytest.approx(expected, rel=1e-5)


def test_fields_are_listed(client: Any) -> None:
    found = client.list_trial_component_fields(Kinds=["parameter", "metric", "tag"], Values=True)
    known = {it["Field"]: it for it in found["Fields"]}
    assert list(known) == [
        "metric.auc",
        'metric["val/loss"]',
        'param["a b"]',
        "param.depth",
        "param.opt",
        "param.same",
        "tag.team",
    ]
    assert known["param.opt"]["Values"] == [
        {"Text": "adam", "Count": 30},
        {"Text": "sgd", "Count": 30},
    ]
    loss = known['metric["val/loss"]']
    assert (loss["Type"], loss["Components"], loss["Minimum"], loss["Maximum"]) == (
        "Number",
        59,
        -59,
        0,
    )
    page = client.list_trial_component_fields(Contains="D", Kinds=["parameter"], Limit=1)
    assert (page["Total"], page["Fields"][0]["Name"]) == (1, "depth")
    every = client.list_trial_component_fields(Offset=15, Limit=3)
    assert [it["Field"] for it in every["Fields"]] == ["owner", "metric.auc", 'metric["val/loss"]']
    exact = client.list_trial_component_fields(Fields=["trial", "param.none"], Values=True)
    assert exact["Fields"][0]["Values"][0] == {"Text": "t1", "Count": 8}


@pytest.mark.parametrize(
    ("asked", "fields", "components"),
    [
        ({"Query": "tag.team is None and metric.auc > 0"}, 6, 50),
        ({"Names": ["run-05"]}, 5, 1),
        ({"Names": ["run-05", "run-20"], "Query": "param.depth == 2"}, 7, 2),
        ({"Names": []}, 0, 0),
        ({"Query": "metric.auc < 0"}, 0, 0),
    ],
)
def test_fields_are_those_of_what_is_selected(
    client: Any, asked: dict[str, Any], fields: int, components: int
) -> None:
    kinds = ["parameter", "metric", "tag"]
    found = client.list_trial_component_fields(Kinds=kinds, Values=True, **asked)
    assert found["Total"] == len(found["Fields"]) == fields
    frame = {it["Field"]: it for it in found["Fields"]}
    if fields:
        assert frame["param.depth"]["Components"] == components
        assert sum(it["Count"] for it in frame["param.opt"]["Values"]) == components
    assert ("tag.team" in frame) == (asked.get("Names", [])[:1] == ["run-05"])
    (status,) = client.list_trial_component_fields(Fields=["status"], Values=True, **asked)[
        "Fields"
    ]
    assert sum(it["Count"] for it in status["Values"]) == status["Components"] == components


def test_what_is_wrong_is_told_where(client: Any) -> None:
    found = client.check_query(Query="metric.acu > 1 and param.depth == 3")
    warning = {"Message": _MEANT, "Start": 0, "End": 10}
    assert (found["Errors"], found["Warnings"]) == ([], [warning])
    assert found["Fields"] == ["metric.acu", "param.depth"]
    found = client.check_query(Query="metric.auc > .9 adn x")
    assert found["Errors"] == [{"Message": "Not expected: 'adn'.", "Start": 16, "End": 19}]
    with pytest.raises(ClientError, match=r"Not expected: 'adn'. \(characters 16 to 19\)"):
        client.query_trial_components(Query="metric.auc > .9 adn x")
    assert client.query_trial_components(Query="metric.acu > 1")["Warnings"] == [warning]


_MEANT = "No trial component has metric.acu; did you mean metric.auc?"


def test_parameters_are_ranked(client: Any) -> None:
    found = client.rank_parameters(Metric="metric.auc - 1e9")
    first = found["Parameters"][0]
    assert (first["Field"], found["Components"], found["Left"]) == ("param.depth", 59, 2)
    assert first["Importance"] > 0.5 < found["Score"]
    assert sum(it["Importance"] for it in found["Parameters"]) == pytest.approx(1)
    assert first["Correlation"] > 0.8
    assert "Permutation importance" in found["Method"]
    names = [f"run-{n:02d}" for n in range(20)]
    assert client.rank_parameters(Metric="metric.auc", Names=names)["Components"] == 19
    with pytest.raises(ClientError, match="0 trial components have"):
        client.rank_parameters(Metric="metric.none")


def test_others_are_not_seen(tmp_path: Path) -> None:
    with planes.running(tmp_path) as running:
        iam = running.client("iam")
        iam.create_user(UserName="ann")
        policy = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
        iam.attach_user_policy(UserName="ann", PolicyArn=policy)
        key = iam.create_access_key(UserName="ann")["AccessKey"]
        ann = partial(
            running.client,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        for client, name in ((ann("sagemaker"), "lr"), (running.client("sagemaker"), "secret")):
            parameters = {name: {"NumberValue": 2}}
            client.create_trial_component(TrialComponentName=f"of-{name}", Parameters=parameters)
        studio = ann("studio")
        answer = studio.query_trial_components(Query="param.secret == 2 or True")
        assert (answer["Names"], answer["Total"]) == (["of-lr"], 1)
        fields = studio.list_trial_component_fields(Kinds=["parameter"])["Fields"]
        assert [it["Field"] for it in fields] == ["param.lr"]
        assert studio.group_trial_components(GroupBy=["owner"])["Matched"] == 1
        assert running.client("studio").query_trial_components()["Total"] == 2


@pytest.fixture
def kernel(client: Any, plane: planes.Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a notebook's kernel knows of Studio."""
    for name, text in (("AWS_ENDPOINT_URL", plane.url), ("AWS_ACCESS_KEY_ID", planes.KEY)):
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", planes.SECRET)


def test_the_cell_that_the_table_inserts_runs(kernel: None) -> None:
    """The table's own test makes the same text."""
    cell: dict[str, Any] = {}
    exec("\n".join(json.loads(_CELL.read_text())["code"]), cell)
    assert list(cell["df"].index) == ["run-05", "run-04"]
    assert list(cell["df"].columns) == ["display_name", 'param["a b"]', "metric.auc"]
    assert cell["df"]['param["a b"]']["run-04"] == "<b>4"


def test_query_in_python(kernel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.queries._WINDOW", 7)
    frame = studio.query("param.depth == 2", fields=["param.opt", "metric.auc", "created_at"])
    assert list(frame.index) == [f"run-{n:02d}" for n in range(59, 0, -3)]
    assert list(frame["param.opt"][:2]) == ["adam", "sgd"]
    assert frame["metric.auc"].dtype == "float64"
    assert math.isnan(frame["metric.auc"]["run-05"])
    assert str(frame["created_at"].dtype).endswith("UTC]")
    every = studio.query(sort='metric["val/loss"]', limit=9)
    assert list(every.index[:2]) == ["run-59", "run-58"]
    assert (len(every), every["param.depth"]["run-58"]) == (9, 1)
    some = studio.query("param.depth < 2", names=["run-05", "run-04", "run-03"])
    assert list(some.index) == ["run-04", "run-03"]
    assert "metric.auc" in some
    assert "metric.auc" not in studio.query(names=["run-05"])
    with pytest.warns(UserWarning, match="did you mean metric.auc"):
        assert len(studio.query("metric.acu > 1", fields=["name"])) == 0
    with pytest.raises(ValueError, match=r"no 'depth'.*param\.depth"):
        studio.query("depth > 1")
