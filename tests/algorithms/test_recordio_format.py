import io
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse
from waiting import PATIENCE_SECONDS

from studio.algorithms import record_message, recordio
from studio.algorithms.base import UserError

_SDK = Path(__file__).parents[2] / ".venv-sdk" / "bin" / "python"

_FLOATS = st.floats(-(2.0**20), 2.0**20, width=32)
_MATRICES = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=7), elements=_FLOATS
)


def _record(kind: str, values: Any, label: Any = None, keys: Any = None, width: int = 0) -> bytes:
    record = record_message.record_class()()
    tensor = getattr(record.features["values"], kind)
    tensor.values.extend(np.asarray(values).tolist())
    if keys is not None:
        tensor.keys.extend(keys)
        tensor.shape.append(width)
    if label is not None:
        getattr(record.label["values"], kind).values.append(label)
    serialized: bytes = record.SerializeToString()
    return recordio.frame(serialized)


def _parsed_one_by_one(data: bytes) -> list[Any]:
    records = []
    for payload in recordio.payloads(data):
        record = record_message.record_class()()
        record.ParseFromString(payload)
        records.append(record)
    return records


@given(_MATRICES, st.sampled_from(["float32_tensor", "float64_tensor"]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_fast_path_reads_what_protobuf_reads(matrix: Any, kind: str, has_labels: bool) -> None:
    labels = matrix[:, 0].tolist() if has_labels else [None] * len(matrix)
    data = b"".join(_record(kind, row, label) for row, label in zip(matrix, labels, strict=True))
    assert recordio._read_dense(data) is not None
    read = recordio.read(data)
    expected = [
        getattr(record.features["values"], kind).values for record in _parsed_one_by_one(data)
    ]
    np.testing.assert_array_equal(read.features, np.asarray(expected, np.float32))
    assert (read.labels is not None) == has_labels
    if read.labels is not None:
        np.testing.assert_array_equal(read.labels, matrix[:, 0])


@given(arrays.arrays(np.int32, (5, 3), elements=st.integers(-(2**20), 2**20)))
@settings(max_examples=20, deadline=None)
def test_integers_of_varying_length_are_read(matrix: Any) -> None:
    data = b"".join(_record("int32_tensor", row, int(row[0])) for row in matrix)
    read = recordio.read(data)
    np.testing.assert_array_equal(read.features, matrix.astype(np.float32))
    np.testing.assert_array_equal(read.labels, matrix[:, 0])


@pytest.mark.parametrize("width", [1, 28, 29, 30, 31, 32, 5000])
def test_every_width_can_be_used_where_alignment_matters(width: int) -> None:
    rows = np.random.default_rng(width).normal(size=(3, width)).astype(np.float32)
    read = recordio.read(b"".join(_record("float32_tensor", row, 1.0) for row in rows))
    assert read.features.flags.aligned
    matrix = xgboost.DMatrix(read.features, read.labels)
    np.testing.assert_array_equal(matrix.get_data().toarray(), rows)


def test_a_record_with_the_same_length_and_another_layout_is_not_misread() -> None:
    dense = _record("float32_tensor", [1.0, 2.0, 3.0, 4.0, 5.0])
    sparse_one = _record("float32_tensor", [1.0, 2.0, 3.0], keys=[0, 2, 4], width=5)
    assert len(dense) == len(sparse_one)
    read = recordio.read(dense + sparse_one)
    assert sparse.issparse(read.features)
    np.testing.assert_array_equal(read.features.toarray(), [[1, 2, 3, 4, 5], [1, 0, 2, 0, 3]])


def test_a_split_record_is_joined_with_the_magic_number_that_split_it() -> None:
    payload = b"abcd" + struct.pack("<I", 0xCED7230A) + b"efgh"
    first = struct.pack("<II", 0xCED7230A, 4 | 1 << 29) + b"abcd"
    last = struct.pack("<II", 0xCED7230A, 4 | 3 << 29) + b"efgh"
    assert list(recordio.payloads(first + last)) == [payload]
    with pytest.raises(UserError, match="cut short"):
        list(recordio.payloads(first))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1,2,3\n4,5,6\n", "Record 0 .*does not begin with RecordIO's magic number"),
        (_record("float32_tensor", [1.0]) + b"\x0a\x23", "Record 1 .*ends inside its header"),
        (_record("float32_tensor", [1.0])[:-4], "Record 0 .*is cut short"),
        (recordio.frame(b"\xff\xff\xff\xff"), "Record 0 .*is not a protobuf Record"),
        (recordio.frame(b""), "Record 0 .*has no features named 'values'"),
        (
            _record("float32_tensor", [1.0, 2.0]) + _record("float32_tensor", [1.0]),
            "Record 1 .*has 1 features where record 0 has 2",
        ),
        (
            _record("float32_tensor", [1.0], 1.0) + _record("float32_tensor", [1.0]),
            "Record 1 .*has no label where others have one",
        ),
        (_record("float32_tensor", [1.0], keys=[9], width=3), "has the key 9 and only 3 features"),
        (_record("float32_tensor", [1.0], keys=[1, 2], width=3), "has 1 values and 2 keys"),
        (
            _record("float32_tensor", [1.0], keys=[2**63], width=2**64 - 1),
            "claims to have 18446744073709551615 features",
        ),
    ],
)
def test_errors_name_the_file_and_the_record(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "part-0"
    path.write_bytes(data)
    with pytest.raises(UserError, match=message) as caught:
        recordio.read_file(path)
    assert "file 'part-0'" in str(caught.value)


def test_files_are_concatenated_and_must_fit() -> None:
    one = recordio.read(_record("float32_tensor", [1.0, 2.0], 0.0))
    two = recordio.read(_record("float32_tensor", [3.0, 4.0], 1.0))
    table = recordio.concatenate([one, two])
    np.testing.assert_array_equal(table.features, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(table.labels, [0, 1])
    other = recordio.read(_record("float32_tensor", [3.0], 1.0))
    with pytest.raises(UserError, match="different numbers of features"):
        recordio.concatenate([one, other])


@pytest.mark.skipif(not _SDK.exists(), reason="needs AWS's sagemaker SDK in .venv-sdk")
def test_what_the_sagemaker_sdk_writes_is_read(tmp_path: Path) -> None:
    script = """
import sys, numpy as np
from sagemaker.amazon.common import write_numpy_to_dense_tensor, _write_recordio
from sagemaker.amazon.record_pb2 import Record
rng = np.random.default_rng(7)
x = rng.normal(size=(100, 5)).astype("float32")
y = rng.integers(0, 300, 100)
for name, a, b in [("f4", x, y.astype("float32")), ("f8", x.astype("float64"), y.astype("float64")),
                   ("none", x, None), ("int", x, y)]:
    with open(f"{sys.argv[1]}/{name}", "wb") as f:
        write_numpy_to_dense_tensor(f, a, b)
with open(f"{sys.argv[1]}/sparse", "wb") as f:
    for row in x:
        record = Record()
        tensor = record.features["values"].float32_tensor
        keys = np.flatnonzero(row > 1.2)
        tensor.values.extend(row[keys].tolist())
        tensor.keys.extend(keys.tolist())
        tensor.shape.append(5)
        _write_recordio(f, record.SerializeToString())
np.savez(f"{sys.argv[1]}/arrays.npz", x=x, y=y)
"""
    subprocess.run(
        [_SDK, "-W", "ignore", "-c", script, tmp_path],
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    expected = np.load(tmp_path / "arrays.npz")
    for name in ("f4", "f8", "none", "int"):
        read = recordio.read_file(tmp_path / name)
        np.testing.assert_array_equal(read.features, expected["x"])
        if name == "none":
            assert read.labels is None
        else:
            np.testing.assert_array_equal(read.labels, expected["y"])
    assert recordio._read_dense((tmp_path / "f4").read_bytes()) is not None
    read = recordio.read_file(tmp_path / "sparse")
    np.testing.assert_array_equal(
        read.features.toarray(), np.where(expected["x"] > 1.2, expected["x"], 0)
    )


def test_answers_hold_the_values_in_the_label() -> None:
    data = recordio.write_labels(
        [{"score": [0.5], "predicted_label": [1.0]}, {"score": [0.1, 0.9]}]
    )
    first, second = _parsed_one_by_one(io.BytesIO(data).read())
    assert list(first.label["score"].float32_tensor.values) == [0.5]
    assert list(first.label["predicted_label"].float32_tensor.values) == [1.0]
    np.testing.assert_allclose(second.label["score"].float32_tensor.values, [0.1, 0.9], rtol=1e-6)
