from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from studio.algorithms import formats, inference, inputs
from studio.algorithms.base import Channel, UserError
from studio.algorithms.server import RequestError

_ANY = inputs.Accepted(
    formats=(inputs.CSV, inputs.LIBSVM, inputs.PARQUET, inputs.RECORDIO),
    default=inputs.LIBSVM,
    missing=True,
    delimiters=",;\t| ",
)
_STRICT = inputs.Accepted(formats=(inputs.CSV, inputs.RECORDIO), default=inputs.RECORDIO)


def _channel(folder: Path, content_type: str = "text/csv", **files: str) -> Channel:
    for name, content in files.items():
        (folder / name).write_text(content)
    return Channel("train", folder, content_type)


def test_csv_has_the_label_first_and_gaps_are_missing(tmp_path: Path) -> None:
    data = formats.read_channel(_channel(tmp_path, a="1,2,3\n0,,5e-1\n", b="1,7,NaN\n"), _ANY)
    np.testing.assert_array_equal(data.labels, [1, 0, 1])
    np.testing.assert_array_equal(data.features, [[2, 3], [np.nan, 0.5], [7, np.nan]])
    assert data.features.dtype == np.float32


def test_unusual_csv_that_is_valid(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'\xef\xbb\xbf1, +2,"3"\r\n\r\n0,  ,1E-1\r\n')
    data = formats.read_channel(Channel("train", tmp_path, "csv"), _ANY)
    np.testing.assert_array_equal(data.labels, [1, 0])
    np.testing.assert_array_equal(data.features, np.float32([[2, 3], [np.nan, 0.1]]))


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    data = formats.read_channel(_channel(tmp_path, a=delimiter.join("123") + "\n"), _ANY)
    np.testing.assert_array_equal(data.features, [[2, 3]])


def test_weights_follow_the_label(tmp_path: Path) -> None:
    accepted = inputs.Accepted(formats=(inputs.CSV,), default=inputs.CSV, weights=True)
    data = formats.read_channel(_channel(tmp_path, a="1,0.5,3\n0,2,4\n"), accepted)
    np.testing.assert_array_equal(data.weights, [0.5, 2])
    np.testing.assert_array_equal(data.features, [[3], [4]])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"a": "label,age\n1,2\n"},
            "Non-numeric value 'label' found in the header line 'label,age...' of file 'a'",
        ),
        ({"a": "1,2\n0,3\n,abc\n"}, "Non-numeric value 'abc' found in line 3, column 2 of file"),
        ({"a": "1,2,3\n1,2\n"}, "Line 2 of file 'a' has 2 columns where the first line has 3"),
        ({"a": "1,2,3\n", "b": "1,2\n"}, "different numbers of columns"),
        ({"a": "1\n2\n"}, "has 1 columns"),
        ({}, "Channel 'train' is empty"),
        ({".hidden": "1,2\n", "_SUCCESS": "x", "none": ""}, "Channel 'train' is empty"),
    ],
)
def test_what_is_wrong_with_csv_is_named(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        formats.read_channel(_channel(tmp_path, **files), _ANY)


def test_a_gap_is_an_error_where_values_cannot_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Missing value in line 2, column 3 of file 'a'"):
        formats.read_channel(_channel(tmp_path, a="1,2,3\n1,2,\n"), _STRICT)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("", inputs.LIBSVM),
        ("csv", inputs.CSV),
        ("Text/CSV; charset=utf-8", inputs.CSV),
        ("text/csv;label_size=1", inputs.CSV),
        ("text/x-libsvm ;charset=utf8", inputs.LIBSVM),
        ("application/x-parquet", inputs.PARQUET),
        ("recordio-protobuf", inputs.RECORDIO),
    ],
)
def test_content_types_and_their_aliases(content_type: str, expected: str) -> None:
    assert inputs.negotiate(content_type, _ANY) == (expected, 1)


def test_content_types_that_are_not_accepted() -> None:
    with pytest.raises(UserError, match="image/png is not an accepted ContentType: csv, text/csv"):
        inputs.negotiate("image/png", _ANY)
    with pytest.raises(UserError, match="label_size must be equal to 1"):
        inputs.negotiate("text/csv;label_size=2", _ANY)
    with pytest.raises(UserError, match="text/libsvm is not an accepted ContentType"):
        inputs.negotiate("text/libsvm", _STRICT)


def test_libsvm_columns_may_count_from_one(tmp_path: Path) -> None:
    channel = _channel(tmp_path, "text/libsvm", a="1 1:2 3:4\n0 2:5 # a comment\n")
    data = formats.read_channel(channel, _ANY)
    assert data.base == 1
    np.testing.assert_array_equal(data.features.toarray(), [[2, 0, 4], [0, 5, 0]])


def test_libsvm_weights_and_groups(tmp_path: Path) -> None:
    channel = _channel(tmp_path, "text/libsvm", a="1:0.5 qid:1 0:2\n0:2 qid:2 1:3\n")
    data = formats.read_channel(channel, _ANY)
    np.testing.assert_array_equal(data.weights, [0.5, 2])
    np.testing.assert_array_equal(data.groups, [1, 2])
    np.testing.assert_array_equal(data.labels, [1, 0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n", "First line '1,2,3...' of file 'a' is not 'LIBSVM' format"),
        ("1 0:1\n1 0:x\n", "Line 2 '1 0:x...' of file 'a' is not 'LIBSVM' format"),
        ("1 0:1\n0 3\n", "Line 2 '0 3...' of file 'a' is not 'LIBSVM' format"),
        ("1 2 3\n", "First line '1 2 3...' of file 'a' is not 'LIBSVM' format"),
        ("1:2 0:1\n1 0:1\n", "Some labels of file 'a' have a weight"),
    ],
)
def test_what_is_wrong_with_libsvm_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        formats.read_channel(_channel(tmp_path, "text/libsvm", a=text), _ANY)


def test_parquet(tmp_path: Path) -> None:
    table = pa.table({"y": [1, 0], "a": pa.array([1.5, None]), "b": [True, False]})
    parquet.write_table(table, tmp_path / "part.parquet")
    data = formats.read_channel(Channel("train", tmp_path, "application/x-parquet"), _ANY)
    np.testing.assert_array_equal(data.labels, [1, 0])
    np.testing.assert_array_equal(data.features, [[1.5, 1], [np.nan, 0]])
    parquet.write_table(pa.table({"y": [1], "a": ["x"]}), tmp_path / "part.parquet")
    with pytest.raises(UserError, match=r"Column 'a' of file 'part.parquet' holds string"):
        formats.read_channel(Channel("train", tmp_path, "parquet"), _ANY)
    (tmp_path / "part.parquet").write_text("1,2\n")
    with pytest.raises(UserError, match=r"File 'part.parquet' cannot be read as Parquet"):
        formats.read_channel(Channel("train", tmp_path, "parquet"), _ANY)


_CELL = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))


@given(st.lists(st.lists(_CELL, min_size=3, max_size=3), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_csv_payloads_round_trip(rows: list[list[Any]]) -> None:
    text = "\n".join(",".join("" if cell is None else repr(cell) for cell in row) for row in rows)
    expected = [[np.nan if cell is None else cell for cell in row] for row in rows]
    np.testing.assert_array_equal(inference.decode_csv(text), np.asarray(expected, np.float32))


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"1,2\n3\n", inference.CSV, "Row 2 of the CSV payload has 1 columns"),
        (b"1,x\n", inference.CSV, "Row 1, column 2 of the CSV payload is not a number: 'x'"),
        (b"\n\n", inference.CSV, "has no row"),
        (b"\xff\xfe", inference.CSV, "not UTF-8"),
        (b"{}", inference.JSON, 'a JSON object with a list "instances"'),
        (b"[1", inference.JSON, 'a JSON object with a list "instances"'),
        (b'{"instances": []}', inference.JSON, "no instance"),
        (b'{"instances": [{"features": ["a"]}]}', inference.JSON, "Instance 1 has no list"),
        (b'{"features": [1]}\n{"features": [1, 2]}', inference.JSON_LINES, "Instance 2 has 2"),
        (
            b'{"instances": [{"features": {"keys": [1], "shape": [1e15], "values": [1]}}]}',
            inference.JSON,
            "Instance 1 has no list",
        ),
        (
            b'{"instances": [{"features": {"keys": [-1], "shape": [3], "values": [1]}}]}',
            inference.JSON,
            "Instance 1 has no list",
        ),
        (b"1 99999999999999999999:1", inference.LIBSVM, "not 'LIBSVM' format"),
        (b"abcdefgh", inference.RECORDIO, "magic number"),
        (b"1 0:a", inference.LIBSVM, "not 'LIBSVM' format"),
    ],
)
def test_a_bad_payload_is_refused_with_a_sentence(body: bytes, kind: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        inference.decode(body, kind)
    assert caught.value.status == 400


def test_json_instances_in_every_documented_shape() -> None:
    body = (
        b'{"instances": [{"features": [1, 2, 0]}, {"data": {"features": {"values": [1, 2, 0]}}},'
        b' {"data": {"features": {"keys": [0, 1], "shape": [3], "values": [1, 2]}}}]}'
    )
    np.testing.assert_array_equal(inference.decode(body, inference.JSON), [[1, 2, 0]] * 3)


def test_libsvm_payloads_are_as_wide_as_the_model() -> None:
    columns = inference.LibsvmColumns(base=1, width=3)
    matrix = inference.decode_libsvm("1:5 3:6\n0 2:7\n", columns)
    np.testing.assert_array_equal(matrix.toarray(), [[5, 0, 6], [0, 7, 0]])
    with pytest.raises(RequestError, match=r"Feature 4 .*count from 1 to 3"):
        inference.decode_libsvm("4:1", columns)
    with pytest.raises(RequestError, match=r"Feature 0 .*count from 1 to 3"):
        inference.decode_libsvm("0:1", columns)
