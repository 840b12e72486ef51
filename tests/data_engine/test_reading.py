"""Formats: what is guessed of a file, and that nothing of it is lost."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.data import blocks, store
from studio.data.errors import DataError
from studio.data.formats import Opened
from studio.data.protocol.data import Source
from studio.data.sources import Item


@pytest.fixture
def read(made, room):
    """A content's table and facts."""

    def load(content, name="data.csv", **options):
        data = store.load(made(content, name, **options), room)
        return data.table, data.facts

    return load


def frame_of_code(facts) -> pd.DataFrame:
    scope: dict[str, pd.DataFrame] = {}
    exec(facts.code, scope)
    return scope["df"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter, read) -> None:
    lines = ["name,size,city", "Ann,1.5,Bonn", "Bob,2.5,Rome", "Eve,3,Oslo"]
    table, facts = read("\n".join(lines).replace(",", delimiter))
    assert facts.delimiter == delimiter
    assert table.column_names == ["name", "size", "city"]
    assert table.column("size").to_pylist() == [1.5, 2.5, 3.0]
    pd.testing.assert_frame_equal(frame_of_code(facts), table.to_pandas(), check_dtype=False)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("5.1,setosa\n4.9,setosa\n", False),
        ("country,2019,2020\nFrance,1.2,3.4\n", True),
        ("city,state\nBonn,NW\nKoeln,NW\n", True),
        ("NW,Bonn\nNW,Koeln\nHE,Bonn\n", False),
        (",age\n0,3\n1,5\n", True),
    ],
)
def test_headers(text, header, read) -> None:
    table, facts = read(text)
    assert facts.header is header
    assert len(table) == text.count("\n") - header
    assert len(frame_of_code(facts)) == len(table)
    assert list(frame_of_code(facts).columns) == table.column_names


def test_a_header_that_was_guessed_wrong_can_be_said(read) -> None:
    table, facts = read("name\nAnn\nBob\n", header=False)
    assert (facts.header, table.column("column_0").to_pylist()) == (False, ["name", "Ann", "Bob"])


def test_names_as_pandas_makes_them(read, room) -> None:
    table, facts = read("a,a,,b,a\n1,2,3,4,5\n")
    assert table.column_names == list(pd.read_csv(room.root / "data.csv").columns)
    assert any("renamed" in it for it in facts.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding, read) -> None:
    table, facts = read("größe,ort\n1,Köln\n2,Zürich\n".encode(encoding))
    assert table.column_names == ["größe", "ort"]
    assert table.column("ort").to_pylist() == ["Köln", "Zürich"]
    assert frame_of_code(facts)["ort"].tolist() == ["Köln", "Zürich"]


def test_bytes_that_cannot_be_decoded_are_told(read) -> None:
    good = b"a,b\n" + b"1,caf\xc3\xa9\n" * 600_000
    table, facts = read(good + b"2,caf\xe9\n")
    assert table.column("b")[-1].as_py() == "caf\ufffd"
    assert any("UTF-8" in it for it in facts.notes)


@pytest.mark.parametrize("packed", ["gz", "zst"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_compressed(packed, kind, read) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    text = (
        frame.to_csv(index=False) if kind == "csv" else frame.to_json(orient="records", lines=True)
    )
    if packed == "gz":
        content = gzip.compress(text.encode())
    else:
        content = pa.compress(text.encode(), "zstd", asbytes=True)
    table, facts = read(content, f"data.{kind}.{packed}")
    pd.testing.assert_frame_equal(table.to_pandas(), frame, check_dtype=False)
    if packed == "gz":
        pd.testing.assert_frame_equal(frame_of_code(facts), frame, check_dtype=False)


def test_types_turn_out_wider_later(read) -> None:
    """Beyond the sample: floats among integers, words among floats, dates that are none."""
    rows = 350_000
    frame = pd.DataFrame(
        {
            "whole": np.arange(rows).astype(object),
            "number": (np.arange(rows) / 4).astype(object),
            "day": ["2024-01-01"] * rows,
            "late": [None] * rows,
            "same": 7,
        }
    )
    at = rows - rows // 3 + 17  # between the places that are sampled
    frame.loc[at, "whole"] = 0.5
    frame.loc[at + 1, "number"] = "none of these"
    frame.loc[at + 2, "day"] = "yesterday"
    frame.loc[at + 3, "late"] = 12
    table, facts = read(frame)
    types = {it.name: str(it.type) for it in table.schema}
    assert types == {
        "whole": "double",
        "number": "string",
        "day": "string",
        "late": "int64",
        "same": "int64",
    }
    assert table.column("whole")[at].as_py() == 0.5
    assert table.column("whole")[1].as_py() == 1.0
    assert table.column("number")[at + 1].as_py() == "none of these"
    assert table.column("number")[1].as_py() == "0.25"
    assert table.column("day")[at + 2].as_py() == "yesterday"
    assert table.column("late").drop_null().to_pylist() == [12]
    assert (facts.rows, facts.columns) == (rows, list(frame))


def test_ragged_lines_as_pandas_has_them(read, room) -> None:
    text = "a,b,c\n1,2,3\n4\n5,6,7,8\n9,10,11\n"
    table, facts = read(text)
    assert table.column("a").to_pylist() == [1, 4, 9]
    assert table.column("c").to_pylist() == [3, None, 11]
    assert facts.notes == ["1 lines with too many cells are left out."]
    pd.testing.assert_frame_equal(frame_of_code(facts), table.to_pandas(), check_dtype=False)


def test_names_of_rows_as_r_writes_them(read) -> None:
    table, _ = read('"mpg","cyl"\n"Mazda",21.0,6\n"Datsun",22.8,4\n')
    assert table.column_names == ["Unnamed: 0", "mpg", "cyl"]
    assert table.column("cyl").to_pylist() == [6, 4]


def test_line_ends_within_quotes(read) -> None:
    table, _ = read('a,b\n1,"two\nlines"\n2,"a ""quote"""\n')
    assert table.column("b").to_pylist() == ["two\nlines", 'a "quote"']


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(end, read) -> None:
    table, _ = read(end.join(["a,b", "1,x", "2,y", ""]))
    assert (table.column_names, table.num_rows) == (["a", "b"], 2)
    assert table.column("b").to_pylist() == ["x", "y"]


def test_json_lines(read) -> None:
    lines = [{"a": 1, "b": {"c": [1, 2]}}, {"a": 2.5, "d": True}, {"a": None, "b": {"c": []}}]
    table, facts = read("\n".join(map(json.dumps, lines)), "data.jsonl")
    assert table.column("a").to_pylist() == [1.0, 2.5, None]
    assert json.loads(table.column("b")[0].as_py()) == {"c": [1, 2]}
    assert table.column("d").to_pylist() == [None, True, None]
    assert len(frame_of_code(facts)) == 3


def test_json_lines_of_mixed_types_and_bad_lines(read) -> None:
    table, facts = read('{"a": 1}\nno json\n{"a": "x"}\n[1]\n{"a": {"b": 2}}\n', "data.jsonl")
    assert table.column("a").to_pylist() == ["1", "x", '{"b":2}']
    assert facts.notes == ["2 lines that are no JSON object are left out."]


def test_parquet_of_all_types(read, room) -> None:
    arrow = pa.table(
        {
            "i8": pa.array([1, None, 3], pa.int8()),
            "u64": pa.array([1, 2, 3], pa.uint64()),
            "f32": pa.array([0.5, float("nan"), None], pa.float32()),
            "dec": pa.array([1, 2, 3]).cast(pa.decimal128(21, 2)),
            "day": pa.array([0, 1, None], pa.date32()),
            "zone": pa.array([0, 1, 2], pa.timestamp("ms", "Europe/Berlin")),
            "dict": pa.array(["x", "y", "x"]).dictionary_encode(),
            "list": pa.array([[1], None, [2, 3]]),
            "raw": pa.array([b"a", b"\xff", None]),
            "nothing": pa.nulls(3),
        }
    )
    pq.write_table(arrow, room.root / "all.parquet")
    it = store.opened(Source(path="all.parquet"), room)
    direct = store.column_by_column(it, room)
    data = store.loaded(it, room)
    found = data.table.to_pydict()
    assert {name: direct.table.column(name).to_pylist() for name in found} == found
    assert direct.facts == data.facts
    assert found["i8"] == [1, None, 3]
    assert found["f32"] == [0.5, None, None]
    assert found["dec"] == [1.0, 2.0, 3.0]
    assert [it and it.isoformat() for it in found["day"]][:2] == [
        "1970-01-01T00:00:00",
        "1970-01-02T00:00:00",
    ]
    assert found["zone"][0].isoformat() == "1970-01-01T00:00:00"
    assert found["dict"] == ["x", "y", "x"]
    assert found["list"] == ["[1]", None, "[2, 3]"]
    assert found["raw"] == ["a", "\\xff", None]
    assert found["nothing"] == [None, None, None]
    assert data.facts.rows == 3


def test_the_index_of_a_data_frame_is_no_column(room) -> None:
    pd.DataFrame({"a": [1, 2]}, index=[7, 5]).to_parquet(room.root / "i.parquet")
    assert store.load(Source(path="i.parquet"), room).table.column_names == ["a"]


def test_several_files_are_one_data_set(made, room) -> None:
    made("a,b\n1,x\n", "parts/one.csv")
    made("b,a\ny,2\nz,3\n", "parts/two.csv")
    made("", "parts/_SUCCESS")
    data = store.load(Source(path="parts"), room)
    assert data.table.to_pydict() == {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    assert [(it.name, it.rows) for it in data.facts.files] == [("one.csv", 1), ("two.csv", 2)]
    pd.testing.assert_frame_equal(
        frame_of_code(data.facts), data.table.to_pandas(), check_dtype=False
    )


def test_files_with_other_columns_are_told_by_name(made, room) -> None:
    made("a,b\n1,x\n", "parts/one.csv")
    made("a,c\n1,x\n", "parts/two.csv")
    with pytest.raises(DataError, match=r"two\.csv has other columns than one\.csv"):
        store.load(Source(path="parts"), room)


def test_a_file_that_changed_is_read_again(made, room) -> None:
    source = made("a,b\n1,2\n")
    assert store.load(source, room).facts.rows == 1
    made("a,b\n1,2\n3,4\n")
    assert store.load(source, room).facts.rows == 2


def test_only_the_first_rows_of_what_is_too_large(made, room) -> None:
    room.disk = 8 << 20
    made(pd.DataFrame({"v": np.arange(800_000), "w": np.arange(800_000)}))
    data = store.load(Source(path="data.csv"), room)
    assert not data.facts.complete
    assert data.facts.rows is None
    assert 0 < data.facts.rows_seen == len(data.table) < 800_000
    assert data.table.column("v")[-1].as_py() == len(data.table) - 1


def test_the_cache_forgets_what_was_not_looked_at_for_longest(made, room) -> None:
    room.disk = 40_000
    for number in range(6):
        source = made(pd.DataFrame({"v": np.arange(1_000), "w": number}), f"{number}.csv")
        store.load(source, room)
    kept = sum(it.stat().st_size for it in room.cache.iterdir())
    assert kept <= room.disk
    assert store.opened(source, room).ready
    assert not store.opened(Source(path="0.csv"), room).ready


CELL = st.text(st.sampled_from('ab"\n,'), max_size=6).map(
    lambda it: '"' + it.replace('"', '""') + '"'
)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=40), st.integers(1, 64)
)
def test_blocks_end_with_a_record_wherever_they_are_cut(records, size) -> None:
    text = "".join(",".join(it) + "\n" for it in records).encode()

    class Slow:
        def __init__(self) -> None:
            self.at = 0

        def read(self, size: int) -> bytes:
            self.at += size
            return text[self.at - size : self.at]

    file = Opened(Item("x", len(text), "", None), Slow(), None)
    found = list(blocks.blocks(file, quoted=True, size=size))
    assert b"".join(found) == text
    assert all(it.count(b'"') % 2 == 0 for it in found)
