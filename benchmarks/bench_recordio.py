"""Reading a dense RecordIO-protobuf file beside parsing it record by record."""

import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Row, times
from studio.algorithms import record_message, recordio

_RUNS = 3
_ROWS, _COLUMNS = 50_000, 50


def run() -> list[Row]:
    """One row: seconds of our read, the peer's, and how many times faster ours is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dense.rec"
        features, labels = _write(path)
        read = recordio.read_file(path)
        expected = _record_by_record(path)
        np.testing.assert_array_equal(read.features, features)
        np.testing.assert_array_equal(expected[0], features)
        np.testing.assert_array_equal(read.labels, labels)
        del read, expected
        # One side after the other: in turns, the peer's garbage would cool our cache.
        peer = [_seconds(lambda: _record_by_record(path)) for _ in range(_RUNS)]
        ours = [_seconds(lambda: recordio.read_file(path)) for _ in range(_RUNS)]
    value, peer_value = statistics.median(ours), statistics.median(peer)
    return [
        Row(
            name=f"RecordIO: {_ROWS:,} x {_COLUMNS} dense float32, CPU time",
            value=value,
            unit="s",
            floor=times(100),
            peer="protobuf record by record",
            peer_value=peer_value,
            ratio=peer_value / value,
        )
    ]


def _write(path: Path) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(_ROWS, _COLUMNS)).astype(np.float32)
    labels = rng.integers(0, 2, _ROWS).astype(np.float32)
    with path.open("wb") as file:
        for row, label in zip(features.tolist(), labels.tolist(), strict=True):
            record = record_message.record_class()()
            record.features["values"].float32_tensor.values.extend(row)
            record.label["values"].float32_tensor.values.append(label)
            file.write(recordio.frame(record.SerializeToString()))
    return features, labels


def _record_by_record(path: Path) -> tuple[Any, Any]:
    """What a reader with protobuf does: a message per record, its values as a row of an array."""
    data = path.read_bytes()
    message = record_message.record_class()
    rows, labels = [], []
    position = 0
    while position < len(data):
        (length,) = struct.unpack_from("<I", data, position + 4)
        record = message()
        record.ParseFromString(data[position + 8 : position + 8 + length])
        rows.append(np.array(record.features["values"].float32_tensor.values, np.float32))
        labels.append(record.label["values"].float32_tensor.values[0])
        position += 8 + length + (-length % 4)
    return np.stack(rows), np.array(labels, np.float32)


def _seconds(body: Callable[[], object]) -> float:
    started = time.process_time()
    body()
    return time.process_time() - started
