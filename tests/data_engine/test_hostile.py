"""Files made to hurt: they are told as what they are, and shown as text."""

import gzip
import json
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from studio.data import store
from studio.data.chart import chart
from studio.data.documents import encoded
from studio.data.errors import DataError
from studio.data.profile import profile
from studio.data.protocol.charts import ChartRequest, ChartSpec
from studio.data.protocol.data import Condition, Source
from studio.data.protocol.profiles import ProfileRequest
from studio.data.protocol.tables import RowsRequest
from studio.data.rows import rows

MARKUP = "<img src=x onerror=alert(1)>"


def strings(document) -> list[str]:
    """All texts of a JSON document that a figure's parser may read as markup."""
    if isinstance(document, dict):
        return [it for name, value in document.items() if name != "bdata" for it in strings(value)]
    if isinstance(document, list):
        return [text for value in document for text in strings(value)]
    return [document] if isinstance(document, str) else []


@pytest.mark.parametrize(
    "spec",
    [
        ChartSpec("bar", x=MARKUP),
        ChartSpec("count", x=MARKUP, color=MARKUP, facet=MARKUP),
        ChartSpec("scatter", x="<b>n</b>", y="m", color=MARKUP, facet=MARKUP),
        ChartSpec("scatter", x="m", y="<b>n</b>", color="m"),
        ChartSpec("line", x="<b>n</b>", y="m", color=MARKUP, aggregate="mean"),
        ChartSpec("histogram", x="<b>n</b>", color=MARKUP, facet=MARKUP),
        ChartSpec("box", y="<b>n</b>", x=MARKUP, facet=MARKUP),
        ChartSpec("violin", y="<b>n</b>", x=MARKUP),
        ChartSpec("heatmap", x=MARKUP, y="<b>n</b>", value="m"),
        ChartSpec("correlation", columns=[MARKUP, "<b>n</b>", "m"]),
        ChartSpec("pair", columns=["<b>n</b>", "m"], color=MARKUP),
        ChartSpec("regression", x="<b>n</b>", y="m", color=MARKUP),
    ],
    ids=lambda spec: spec.kind,
)
def test_no_markup_in_any_figure(spec, made, room) -> None:
    rng = np.random.default_rng(0)
    cells = rng.choice([MARKUP, "<a href='javascript:x'>", "&lt;script>", "plain"], 200)
    frame = pd.DataFrame({MARKUP: cells, "<b>n</b>": rng.normal(size=200), "m": range(200)})
    answer = chart(ChartRequest(made(frame), spec), room)
    document = json.loads(encoded(answer))
    assert not [it for it in strings(document["figure"]) if "<" in it]
    assert any("&lt;" in it for it in strings(document["figure"]))


def test_code_holds_names_as_literals(made, room) -> None:
    name = '"]); import os; os.system("touch /tmp/owned") #\n\'""" <b>'
    frame = pd.DataFrame({name: [1.5, None, 3], "n": [1, 2, 4]})
    source = made(frame)
    found = profile(ProfileRequest(source), room)
    fix = next(it.fix for it in found.findings if it.kind == "missing")
    scope = {"df": frame.copy()}
    exec(fix, scope)
    assert scope["df"][name].notna().all()
    answer = chart(ChartRequest(source, ChartSpec("scatter", x=name, y="n", color=name)), room)
    compile(answer.code, "cell", "exec")
    assert repr(name) in answer.code


def test_ansi_nul_and_bidi_are_cells_like_others(made, room) -> None:
    cells = ["\x1b[31mred\x1b[0m", "a\0b", "\u202egpj.exe", "\ufeffx", "😀" * 10]
    source = made("t,n\n" + "".join(f"{it},1\n" for it in cells))
    assert [it[0] for it in rows(RowsRequest(source), room).rows] == cells


def test_long_cells_are_cut_and_say_so(made, room) -> None:
    source = made(f"t,n\n{'x' * 1_000_000},1\nshort,2\n")
    cell = rows(RowsRequest(source), room).rows[0][0]
    assert cell == "x" * 1000 + "… (1,000,000 characters)"
    found = profile(ProfileRequest(source), room).columns[0]
    assert found.lengths.max == 1_000_000
    assert len(encoded(found)) < 20_000


def test_a_line_without_end_is_refused_without_reading_it_all(made, room) -> None:
    source = made(b"a,b\n" + b"x" * (40 << 20))
    with pytest.raises(DataError, match="a line of more than 16 MiB"):
        store.load(source, room)


@pytest.mark.parametrize(
    ("line", "times"), [(b"\0", 400 << 20), (b"1,2\n", 100 << 20)], ids=["line", "rows"]
)
def test_bombs_stop_at_the_limit(line, times, made, room) -> None:
    room.disk = 64 << 20
    source = made(gzip.compress(line * times, 1), "bomb.csv.gz", format="csv")
    began = time.process_time()
    if line == b"\0":
        with pytest.raises(DataError, match=r"no.*text|a line of more than"):
            store.load(source, room)
    else:
        data = store.load(source, room)
        assert not data.facts.complete
        assert data.facts.rows_seen < 10_000_000
    assert time.process_time() - began < 10


@pytest.mark.parametrize("count", [10_000, 2_000])
def test_very_many_columns(count, made, room) -> None:
    names = ",".join(f"c{it}" for it in range(count))
    line = ",".join(["1"] * count)
    source = made(f"{names}\n{line}\n{line}\n")
    found = rows(RowsRequest(source), room)
    assert (found.column_count, len(found.columns), found.total) == (count, 200, 2)
    if count < 10_000:
        last = profile(ProfileRequest(source), room)
        told = sum(len(it.columns) for it in room.told if hasattr(it, "columns"))
        assert told + len(last.columns) == count
        assert len(last.findings) < 100


def cut_parquet(path) -> None:
    pq.write_table(pa.table({"a": range(1000)}), path)
    path.write_bytes(path.read_bytes()[:-500] + b"\0" * 496 + b"PAR1")


def cut_gzip(path) -> None:
    noise = bytes(np.random.default_rng(0).integers(48, 57, 500_000, "u1"))
    path.write_bytes(gzip.compress(b"a,b\n" + noise)[:-2000])


def picture(path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10)


def empty(path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_parquet, cut_gzip, picture, empty])
def test_damage_is_told(damage, room) -> None:
    name = "data.gz" if damage is cut_gzip else "data"
    damage(room.root / name)
    with pytest.raises(DataError) as caught:
        store.load(Source(path=name), room)
    assert caught.value.code in ("Unreadable", "UnsupportedFormat")
    assert len(caught.value.message) < 600


def test_a_quote_that_never_ends_is_read_as_one_cell(made, room) -> None:
    table = store.load(made(b'a,b\n1,"' + b"x\n" * 100), room).table
    assert len(table) == 1


def test_an_expression_that_would_run_for_ever_does_not(made, room) -> None:
    source = made("t,n\n" + "a" * 50_000 + "!,1\n")
    request = RowsRequest(source, filters=[Condition("matches", "t", "(a+)+$")])
    began = time.process_time()
    assert rows(request, room).matching == 0
    assert time.process_time() - began < 2
    with pytest.raises(DataError, match="no regular expression"):
        rows(RowsRequest(source, filters=[Condition("matches", "t", "(")]), room)


def test_answers_are_json_whatever_the_numbers(made, room) -> None:
    found = profile(ProfileRequest(made("a,b\n1e308,inf\n-1e308,nan\n1e-320,-inf\n")), room)
    json.loads(encoded(found))
    assert found.columns[0].histogram is not None
    assert b":NaN" not in encoded(found)


def test_source_of_no_known_format_can_be_forced(room, made) -> None:
    assert (
        store.load(Source(path=made("{x}\n1\n", "odd.txt").path, format="csv"), room).facts.rows
        == 1
    )
