"""Trial components as Parquet, asked of a control plane as a notebook asks."""

import datetime
import math

import pyarrow.parquet as pq
import pytest

from studio.data.errors import DataError
from studio.data.export import export
from studio.data.protocol.tables import ExportRequest

FIELDS = ["param.depth", "param.kind", "param.mixed", "created_at", "metric.auc"]


@pytest.fixture
def components(plane, monkeypatch):
    """Twelve of them; every third has a text where the others have a number."""
    sagemaker = plane.client("sagemaker")
    monkeypatch.setenv("AWS_ENDPOINT_URL", plane.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    credentials = sagemaker._request_signer._credentials
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
    if sagemaker.list_trial_components()["TrialComponentSummaries"]:
        return
    for number in range(12):
        mixed = {"StringValue": "none"} if number % 3 == 0 else {"NumberValue": 0.1 * number}
        sagemaker.create_trial_component(
            TrialComponentName=f"exported-{number}",
            Parameters={
                "depth": {"NumberValue": number},
                "kind": {"StringValue": "<b>Baum</b>"},
                "mixed": mixed,
            },
        )


def asked(to: str, query: str = 'name.startswith("exported-")', **more: object) -> ExportRequest:
    return ExportRequest(query=query, fields=FIELDS, to=to, **more)


def test_all_that_match_are_in_the_file(components, room) -> None:
    (room.root / "folder").mkdir()
    answer = export(asked("folder/all.parquet"), room)
    found = pq.read_table(room.root / "folder" / "all.parquet")
    assert (answer.rows, answer.bytes) == (12, (room.root / answer.to).stat().st_size)
    assert found.column_names == ["name", *FIELDS]
    rows = {row["name"]: row for row in found.to_pylist()}
    assert {name: row["param.depth"] for name, row in rows.items()} == {
        f"exported-{number}": number for number in range(12)
    }
    assert rows["exported-3"]["param.mixed"] == "none"
    assert math.isclose(float(rows["exported-4"]["param.mixed"]), 0.4)
    assert rows["exported-4"]["param.kind"] == "<b>Baum</b>"
    assert rows["exported-4"]["metric.auc"] is None
    assert isinstance(rows["exported-4"]["created_at"], datetime.datetime)


def test_a_file_is_replaced_only_when_that_is_said(components, room) -> None:
    export(asked("few.parquet", "param.depth < 3"), room)
    with pytest.raises(DataError, match="already"):
        export(asked("few.parquet"), room)
    assert pq.read_table(room.root / "few.parquet").num_rows == 3
    export(asked("few.parquet", replace=True), room)
    assert pq.read_table(room.root / "few.parquet").num_rows == 12


@pytest.mark.parametrize(
    ("to", "query", "code"),
    [
        ("../out.parquet", "", "AccessDenied"),
        ("no/folder/out.parquet", "", "NotFound"),
        ("out.parquet", "param.depth <", "BadRequest"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing(to, query, code, components, room) -> None:
    with pytest.raises(DataError) as told:
        export(asked(to, query), room)
    assert told.value.code == code
    assert list(room.root.iterdir()) == []
