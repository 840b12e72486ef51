"""RecordIO-protobuf: frames (magic, length, payload, padding) around `aialgs.data.Record`.

A file in which all records have one layout is read as one strided array; every other file record
by record through protobuf. It knows no algorithm.
"""

import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from studio.algorithms.base import UserError
from studio.algorithms.record_message import FLOAT32, FLOAT64, record_class

Buffer = bytes | mmap.mmap
Floats = npt.NDArray[np.float32]

_MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", _MAGIC)
_LENGTH_MASK = (1 << 29) - 1
_MOST_FEATURES = (1 << 31) - 1
_WIRE_BYTES = 2


@dataclass(frozen=True)
class Records:
    """Decoded records: `features` is float32 [n, d], dense or CSR; `labels` float32 [n] or None.

    Dense arrays may be read-only and strided: they look into the file itself.
    """

    features: Any
    labels: Floats | None


def read_file(path: Path) -> Records:
    """The records of one file. Raises UserError that names the file and the record."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise UserError(f"File '{path.name}' is empty.")
        # The arrays may look into the mapping, which therefore lives as long as they do.
        return read(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), f"file '{path.name}'")


@np.errstate(over="ignore")
def read(data: Buffer, name: str = "the payload", first: int = 0) -> Records:
    """The records of one buffer; `name` says in errors where they come from, and `first` what
    number the first one has there."""
    dense = _read_dense(data)
    return dense if dense is not None else _read_each(data, name, first)


def whole(data: bytes) -> int:
    """How many bytes of the beginning of a stream are whole records."""
    position = ended = 0
    while len(data) - position >= 8:
        magic, word = struct.unpack_from("<II", data, position)
        if magic != _MAGIC:
            # The reader says what is wrong.
            return len(data)
        length = word & _LENGTH_MASK
        position += 8 + length + (-length % 4)
        if position > len(data):
            break
        if word >> 29 in (0, 3):
            ended = position
    return ended


def concatenate(parts: Sequence[Records]) -> Records:
    """One table of several files. Raises UserError when their widths or labels do not agree."""
    if len(parts) == 1:
        return parts[0]
    widths = {part.features.shape[1] for part in parts}
    scipy_parts = any(sparse.issparse(part.features) for part in parts)
    if len(widths) > 1 and not scipy_parts:
        raise UserError(f"The RecordIO files have different numbers of features: {sorted(widths)}.")
    if len({part.labels is None for part in parts}) > 1:
        raise UserError("Some RecordIO files have labels and others have none.")
    labels = [part.labels for part in parts if part.labels is not None]
    return Records(
        _stacked([part.features for part in parts], max(widths), scipy_parts),
        np.concatenate(labels) if labels else None,
    )


def frame(payload: bytes) -> bytes:
    """One record on the wire."""
    padding = -len(payload) % 4
    return struct.pack("<II", _MAGIC, len(payload)) + payload + b"\0" * padding


def write_labels(rows: Iterable[Mapping[str, Sequence[float]]]) -> bytes:
    """Predictions as AWS's algorithms answer them: one record per row, its values in `label`."""
    return b"".join(frame(_label_record(row)) for row in rows)


def payloads(data: Buffer, name: str = "the payload", first: int = 0) -> Iterator[bytes]:
    """The payload of each record; parts of a split record are joined as MXNet's reader does."""
    position, number, size = 0, first, len(data)
    parts: list[bytes] = []
    while position < size:
        if size - position < 8:
            raise _broken(name, number, "ends inside its header")
        magic, word = struct.unpack_from("<II", data, position)
        if magic != _MAGIC:
            raise _broken(name, number, "does not begin with RecordIO's magic number")
        # The two upper bits only matter for MXNet's split records; AWS writes none of them.
        length, flag = word & _LENGTH_MASK, word >> 29
        if size - position - 8 < length:
            raise _broken(name, number, "is cut short")
        parts.append(data[position + 8 : position + 8 + length])
        position += 8 + length + (-length % 4)
        if flag in (0, 3):
            yield _MAGIC_BYTES.join(parts)
            parts, number = [], number + 1
    if parts:
        raise _broken(name, number, "is cut short")


def _label_record(row: Mapping[str, Sequence[float]]) -> bytes:
    record = record_class()()
    for key, values in row.items():
        record.label[key].float32_tensor.values.extend(values)
    serialized: bytes = record.SerializeToString()
    return serialized


def _broken(name: str, number: int, what: str) -> UserError:
    return UserError(f"Record {number} of {name} {what}: it is not valid RecordIO-protobuf data.")


# Dense files: one layout, read as one array.


@dataclass(frozen=True)
class _Span:
    """Where the packed values of a tensor lie in a record's frame, in bytes."""

    start: int
    end: int
    dtype: str


def _read_dense(data: Buffer) -> Records | None:
    """All records at once, or None when they do not share one dense layout."""
    size = len(data)
    if size < 8 or data[:4] != _MAGIC_BYTES:
        return None
    (length,) = struct.unpack_from("<I", data, 4)
    stride = 8 + length + (-length % 4)
    if length > _LENGTH_MASK or length == 0 or size % stride:
        return None
    spans = _layout(bytes(data[8 : 8 + length]))
    if spans is None:
        return None
    features, label = spans
    frames = np.frombuffer(data, np.uint8).reshape(-1, stride)
    if not _same_layout(frames, [span for span in (features, label) if span is not None]):
        return None
    labels = _values(frames, label) if label is not None else None
    if labels is not None and labels.shape[1] != 1:
        return None
    return Records(_values(frames, features), None if labels is None else labels[:, 0])


def _same_layout(frames: npt.NDArray[np.uint8], spans: list[_Span]) -> bool:
    """Whether every byte that is no value is the same in all frames: headers, tags, lengths."""
    gaps, position = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        gaps.append((position, span.start))
        position = span.end
    gaps.append((position, frames.shape[1]))
    columns = (column for start, end in gaps for column in _words(frames, start, end))
    return all((column == column[0]).all() for column in columns)


def _words(frames: npt.NDArray[np.uint8], start: int, end: int) -> Iterator[npt.NDArray[Any]]:
    """The bytes [start, end) of every frame as columns of the widest integers that fit in."""
    width = next((width for width in (8, 4, 2, 1) if width <= end - start), 0)
    offsets = {*range(start, end - width + 1, width), end - width} if width else set()
    for offset in sorted(offsets):
        yield np.ndarray((len(frames),), f"<u{width}", frames, offset, (frames.strides[0],))


def _values(frames: npt.NDArray[np.uint8], span: _Span) -> Floats:
    """float32 [n, d]; a view into the buffer where that has aligned float32."""
    size = np.dtype(span.dtype).itemsize
    shape = (len(frames), (span.end - span.start) // size)
    values = np.ndarray(shape, span.dtype, frames, span.start, (frames.strides[0], size))
    if not values.flags.aligned:
        values = values.copy()
    return values.astype(np.float32, copy=False)


def _layout(payload: bytes) -> tuple[_Span, _Span | None] | None:
    """Where features and label lie, or None when the record has another shape than
    one dense float tensor "values" and at most one such label."""
    try:
        fields = list(_fields(payload, 0, len(payload)))
        entries = {number: (start, end) for number, start, end in fields if number in (1, 2)}
        if len(entries) != len(fields) or 1 not in entries:
            return None
        features = _tensor_span(payload, *entries[1])
        label = _tensor_span(payload, *entries[2]) if 2 in entries else None
    except (IndexError, ValueError):
        return None
    if features is None or (2 in entries and label is None):
        return None
    return features, label


def _tensor_span(payload: bytes, start: int, end: int) -> _Span | None:
    entry = {number: (low, high) for number, low, high in _fields(payload, start, end)}
    if set(entry) != {1, 2} or payload[slice(*entry[1])] != b"values":
        return None
    tensors = list(_fields(payload, *entry[2]))
    if len(tensors) != 1 or tensors[0][0] not in (FLOAT32, FLOAT64):
        return None
    kind, low, high = tensors[0]
    fields = list(_fields(payload, low, high))
    if len(fields) != 1 or fields[0][0] != 1:
        return None
    _, low, high = fields[0]
    if (high - low) % (4 if kind == FLOAT32 else 8):
        return None
    return _Span(low + 8, high + 8, "<f4" if kind == FLOAT32 else "<f8")


def _fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of each length-delimited field; ValueError for any other wire type."""
    while position < end:
        tag, position = _varint(data, position)
        if tag & 7 != _WIRE_BYTES:
            raise ValueError("not a length-delimited field")
        length, position = _varint(data, position)
        yield tag >> 3, position, position + length
        position += length
    if position != end:
        raise ValueError("field is longer than its message")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError("number of more than 64 bits")


# Everything else: record by record.


def _read_each(data: Buffer, name: str, first: int) -> Records:
    from google.protobuf.message import DecodeError

    rows: list[tuple[Any, Any, int]] = []
    labels: list[float] = []
    for number, payload in enumerate(payloads(data, name, first), start=first):
        record = record_class()()
        try:
            record.ParseFromString(payload)
        except DecodeError as error:
            raise _broken(name, number, "is not a protobuf Record") from error
        rows.append(_row(record, name, number))
        labels.extend(_label(record, name, number))
        if labels and len(labels) != len(rows):
            raise _broken(name, number, "has no label where others have one")
    if not rows:
        raise UserError(f"There is no record in {name}.")
    return Records(_matrix(rows, name, first), np.asarray(labels, np.float32) if labels else None)


def _row(record: Any, name: str, number: int) -> tuple[Any, Any, int]:
    """(values, keys or None when dense, width)."""
    if "values" not in record.features:
        raise _broken(name, number, "has no features named 'values'")
    tensor = _tensor(record.features["values"], name, number)
    values = np.asarray(tensor.values, np.float32)
    if not tensor.keys and not (tensor.shape and tensor.shape[0] != len(values)):
        return values, None, len(values)
    if len(tensor.keys) != len(values):
        raise _broken(name, number, f"has {len(values)} values and {len(tensor.keys)} keys")
    if not tensor.shape:
        raise _broken(name, number, "is sparse and does not say its shape")
    width = int(tensor.shape[-1])
    if width > _MOST_FEATURES:
        raise _broken(name, number, f"claims to have {width} features")
    if any(key >= width for key in tensor.keys):
        raise _broken(name, number, f"has the key {max(tensor.keys)} and only {width} features")
    return values, np.asarray(tensor.keys, np.int64), width


def _label(record: Any, name: str, number: int) -> list[float]:
    if "values" not in record.label:
        return []
    values = list(_tensor(record.label["values"], name, number).values)
    if len(values) > 1:
        raise _broken(name, number, f"has {len(values)} labels, not one")
    return values


def _tensor(value: Any, name: str, number: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or kind == "bytes":
        raise _broken(name, number, "has no tensor of numbers")
    return getattr(value, kind)


def _matrix(rows: list[tuple[Any, Any, int]], name: str, first: int) -> Any:
    width = rows[0][2]
    for number, row in enumerate(rows, start=first):
        if row[2] != width:
            raise _broken(name, number, f"has {row[2]} features where record {first} has {width}")
    if all(keys is None for _, keys, _ in rows):
        return np.stack([values for values, _, _ in rows])
    lengths = [0, *(len(values) for values, _, _ in rows)]
    columns = [np.arange(width) if keys is None else keys for _, keys, _ in rows]
    return sparse.csr_matrix(
        (np.concatenate([values for values, _, _ in rows]), np.concatenate(columns),
         np.cumsum(lengths)),
        shape=(len(rows), width), dtype=np.float32,
    )  # fmt: skip


def _stacked(parts: list[Any], width: int, is_sparse: bool) -> Any:
    if not is_sparse:
        return np.concatenate(parts)
    matrices = [sparse.csr_matrix(part) for part in parts]
    for matrix in matrices:
        matrix.resize(matrix.shape[0], width)
    return sparse.vstack(matrices, format="csr")
